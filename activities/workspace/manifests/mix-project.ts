import type { Node } from 'web-tree-sitter';
import { argumentsOf, bodyOf, calledName, partsOf } from './elixir-syntax.ts';

/** The module of a mix.exs. */
export interface MixModule {
  /** Expressions in the module. */
  readonly body: readonly Node[];
  /** The last expression of the function without arguments and of this name; null, with the reason, where there is none. */
  readonly functionOf: (name: string) => { readonly value: Node } | { readonly value: null; readonly why: string };
  /** The value of `@name`, when it is set exactly once, in the module itself. */
  readonly attribute: (name: string) => Node | null;
}

/** The first module that defines `project`; null when there is none. */
export function mixModule(root: Node): MixModule | null {
  for (const call of partsOf(root)) {
    if (calledName(call) !== 'defmodule') continue;
    const body = bodyOf(call) ?? [];
    if (definitions(body, 'project').length > 0) return moduleOf(body);
  }
  return null;
}

function moduleOf(body: readonly Node[]): MixModule {
  return {
    body,
    functionOf(name) {
      const found = definitions(body, name);
      const [only] = found;
      if (only === undefined) return { value: null, why: `the module does not define ${name} itself` };
      if (found.length > 1) return { value: null, why: `${name} has several clauses` };
      const parameters = parametersOf(only);
      if (parameters === null) return { value: null, why: `${name} has a guard` };
      if (parameters > 0) return { value: null, why: `${name} has parameters` };
      const value = bodyOf(only)?.at(-1);
      return value === undefined ? { value: null, why: `${name} is empty` } : { value };
    },
    attribute(name) {
      const set = body.flatMap((node) => {
        const call = node.type === 'unary_operator' && node.text.startsWith('@') ? partsOf(node)[0] : undefined;
        const [value] = call?.type === 'call' && calledName(call) === name ? argumentsOf(call) : [];
        return value === undefined ? [] : [value];
      });
      return set.length === 1 ? (set[0] ?? null) : null;
    },
  };
}

/** The `def` and `defp` of a function, whatever its parameters. */
function definitions(body: readonly Node[], name: string): Node[] {
  return body.filter((node) => {
    if (!['def', 'defp'].includes(calledName(node) ?? '')) return false;
    const head = headOf(node);
    return head !== null && calledName(head) === name;
  });
}

function headOf(definition: Node): Node | null {
  const [head] = argumentsOf(definition);
  // def name(…) when guard
  return (head?.type === 'binary_operator' ? partsOf(head)[0] : head) ?? null;
}

/** How many parameters a function has; null when it has a guard. */
function parametersOf(definition: Node): number | null {
  const [head] = argumentsOf(definition);
  return head === undefined || head.type === 'binary_operator' ? null : argumentsOf(head).length;
}
