(call target: (identifier) @ignore (arguments (alias) @name) (#eq? @ignore "defimpl")) @declaration.implementation
(unary_operator
  operator: "@"
  operand: (call
    target: (identifier) @ignore
    (arguments (binary_operator left: [(call target: (identifier) @name) (identifier) @name])))
  (#any-of? @ignore "callback" "macrocallback" "type" "typep" "opaque")) @definition.type
