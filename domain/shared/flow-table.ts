import type { AnyFlow } from './flow.ts';

/** The table of flows in docs/flows.md: a row for each, in the order in which they are declared. */
export function flowTable(flows: readonly AnyFlow[]): string {
  const rows = flows.map(({ type, examples, signals, startedBy, does }) => {
    const inputs = examples.map((example) => `\`${spaced(example)}\``).join(' or ') || '–';
    const named = Object.keys(signals).map((name) => `\`${name}\``);
    const input = named.length === 0 ? inputs : `${inputs}, signal ${named.join(', ')}`;
    return `| \`${type}\` | ${input} | ${startedBy.join(', ')} | ${does} |`;
  });
  return ['| workflow type | input | started by | does |', '|---|---|---|---|', ...rows].join('\n');
}

/** JSON as people write it in one line. */
function spaced(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(spaced).join(', ')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  return `{${Object.entries(value)
    .map(([key, field]) => `${JSON.stringify(key)}: ${spaced(field)}`)
    .join(', ')}}`;
}
