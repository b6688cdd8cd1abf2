(source_file (variable_declaration (identifier) @name) @definition.constant)
(struct_declaration (variable_declaration (identifier) @name) @definition.constant)
(enum_declaration (variable_declaration (identifier) @name) @definition.constant)
(union_declaration (variable_declaration (identifier) @name) @definition.constant)
(function_declaration name: (identifier) @name) @definition.function
(variable_declaration (identifier) @name (builtin_function (builtin_identifier) @ignore) (#eq? @ignore "@import")) @declaration.import
(variable_declaration (identifier) @name (field_expression)) @declaration.import
