(impl_item type: (type_identifier) @name) @declaration.implementation
(impl_item type: (generic_type type: (type_identifier) @name)) @declaration.implementation
(impl_item type: (scoped_type_identifier name: (type_identifier) @name)) @declaration.implementation
(mod_item name: (identifier) @name !body) @declaration.module
(const_item name: (identifier) @name) @definition.constant
(static_item name: (identifier) @name) @definition.constant
(trait_item body: (declaration_list (function_signature_item name: (identifier) @name) @definition.method))
(foreign_mod_item body: (declaration_list (function_signature_item name: (identifier) @name) @declaration.function))
(use_declaration (visibility_modifier) argument: (scoped_identifier name: (identifier) @name)) @declaration.export
(use_declaration (visibility_modifier) argument: (use_as_clause alias: (identifier) @name)) @declaration.export
(use_declaration (visibility_modifier) argument: (scoped_use_list list: (use_list (identifier) @name))) @declaration.export
(use_declaration (visibility_modifier) argument: (scoped_use_list list: (use_list (scoped_identifier name: (identifier) @name)))) @declaration.export
(use_declaration (visibility_modifier) argument: (scoped_use_list list: (use_list (use_as_clause alias: (identifier) @name)))) @declaration.export
(use_declaration (visibility_modifier) argument: (scoped_use_list list: (use_list (scoped_use_list list: (use_list (identifier) @name))))) @declaration.export
