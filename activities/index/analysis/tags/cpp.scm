(preproc_def name: (identifier) @name) @definition.constant
(preproc_function_def name: (identifier) @name) @definition.macro
(namespace_definition name: (namespace_identifier) @name) @definition.module
(alias_declaration name: (type_identifier) @name) @definition.type
(concept_definition name: (identifier) @name) @definition.type
; announced, or only named
(class_specifier name: (type_identifier) @name !body) @declaration.class
(enum_specifier name: (type_identifier) @name !body) @declaration.enum
; `class EXPORTED Name {`, which the grammar takes for a function
(function_definition type: (class_specifier !body) declarator: (identifier) @name) @definition.class
(function_definition type: (struct_specifier !body) declarator: (identifier) @name) @definition.class
; specialisations, and classes within others
(class_specifier name: (template_type name: (type_identifier) @name) body: (_)) @definition.class
(struct_specifier name: (template_type name: (type_identifier) @name) body: (_)) @definition.class
(class_specifier name: (qualified_identifier name: (type_identifier) @name) body: (_)) @definition.class
(struct_specifier name: (qualified_identifier name: (type_identifier) @name) body: (_)) @definition.class
(union_specifier name: (type_identifier) @name body: (_)) @definition.class
(enumerator name: (identifier) @name) @definition.constant
; members defined outside of a class: of a template, or in a nested namespace
(function_declarator declarator: (qualified_identifier scope: (template_type) name: (identifier) @name)) @definition.method
(function_declarator declarator: (qualified_identifier name: (qualified_identifier name: (identifier) @name))) @definition.method
(function_declarator declarator: (qualified_identifier name: (qualified_identifier name: (qualified_identifier name: (identifier) @name)))) @definition.method
