(class_definition name: (identifier) @name) @definition.class
(enum_declaration name: (identifier) @name) @definition.enum
(enum_constant name: (identifier) @name) @definition.constant
(mixin_declaration (mixin) . (identifier) @name) @definition.class
(extension_declaration name: (identifier) @name) @definition.class
(extension_type_declaration name: (identifier) @name) @definition.class
(type_alias . (type_identifier) @name) @definition.type
(function_signature name: (identifier) @name) @definition.function
(getter_signature name: (identifier) @name) @definition.property
(setter_signature name: (identifier) @name) @definition.property
(program (static_final_declaration_list (static_final_declaration (identifier) @name) @definition.constant))
(class_body (declaration (static_final_declaration_list (static_final_declaration (identifier) @name) @definition.constant)))
(library_export (combinator (identifier) @name)) @declaration.export
