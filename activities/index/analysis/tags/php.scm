(enum_declaration name: (name) @name) @definition.enum
(const_element (name) @name) @definition.constant
