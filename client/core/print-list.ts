import type { CliContext } from './context.ts';
import { printable } from './sanitize.ts';

/** How a list is shown to people: a heading and a cell function per column. */
export interface ListTable<Item> {
  readonly head: readonly string[];
  readonly row: (item: Item) => readonly (string | number)[];
}

/** Prints a list as a table, or as JSON for programs. Returns the exit code, which is 0. */
export async function printList<Item>(
  { stdout }: CliContext,
  items: readonly Item[],
  { json }: { readonly json?: boolean },
  { head, row }: ListTable<Item>,
): Promise<number> {
  if (json) {
    stdout.write(`${JSON.stringify(items, null, 2)}\n`);
    return 0;
  }
  const { default: Table } = await import('cli-table3');
  const table = new Table({ head: [...head], style: { head: [], border: [] } });
  for (const item of items) table.push(row(item).map((cell) => (typeof cell === 'string' ? printable(cell) : cell)));
  stdout.write(`${table.toString()}\n`);
  return 0;
}
