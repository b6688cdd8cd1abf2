(export_statement declaration: (lexical_declaration (variable_declarator name: (identifier) @name)) @definition.constant)
(export_statement (export_clause (export_specifier name: (identifier) @name !alias)) source: (string)) @declaration.export
(export_statement (export_clause (export_specifier alias: (identifier) @name)) source: (string)) @declaration.export
(export_statement (namespace_export (identifier) @name) source: (string)) @declaration.export
