(preproc_def name: (identifier) @name) @definition.constant
(preproc_function_def name: (identifier) @name) @definition.macro
(enum_specifier name: (type_identifier) @name !body) @declaration.enum
(union_specifier name: (type_identifier) @name body: (_)) @definition.class
(enumerator name: (identifier) @name) @definition.constant
