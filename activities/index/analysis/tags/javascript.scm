(export_statement declaration: (lexical_declaration (variable_declarator name: (identifier) @name)) @definition.constant)
