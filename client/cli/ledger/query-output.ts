import type { QueryResult } from '../../../activities/ledger/query.ts';
import { printable } from '../../core/sanitize.ts';

/** Object ids of PostgreSQL's types, which are fixed. */
const BOOLEAN = 16;
const NUMBERS = [20, 21, 23, 26, 700, 701, 1700];
const JSON_TYPES = [114, 3802];
/** Digits that a number of JSON keeps everywhere. */
const EXACT_DIGITS = 15;

/** The rows as JSON: one object each. A number with more than 15 digits is a text. */
export function toObjects({ columns, rows }: QueryResult): readonly object[] {
  const names = uniqueNames(columns.map(({ name }) => name));
  return rows.map((row) =>
    Object.fromEntries(row.map((text, at) => [names[at] ?? '', valueOf(text, columns[at]?.type ?? 0)])),
  );
}

/** The rows as CSV (RFC 4180), with a header. Null is an empty field, an empty text is `""`. */
export function toCsv({ columns, rows }: QueryResult): string {
  const lines = [columns.map(({ name }) => name), ...rows].map((row) => `${row.map(csvField).join(',')}\r\n`);
  return lines.join('');
}

/** The rows as a table for people. */
export async function toTable({ columns, rows }: QueryResult): Promise<string> {
  const { default: Table } = await import('cli-table3');
  const table = new Table({
    head: columns.map(({ name }) => printable(name)),
    colAligns: columns.map(({ type }) => (NUMBERS.includes(type) ? 'right' : 'left')),
    style: { head: [], border: [] },
  });
  for (const row of rows) table.push(row.map((text) => printable(text ?? '')));
  return table.toString();
}

function valueOf(text: string | null, type: number): unknown {
  if (text === null) return null;
  if (type === BOOLEAN) return text === 't';
  if (JSON_TYPES.includes(type)) return JSON.parse(text);
  const isExact = NUMBERS.includes(type) && /\d/.test(text) && text.replaceAll(/\D/g, '').length <= EXACT_DIGITS;
  return isExact ? Number(text) : text;
}

function uniqueNames(names: readonly string[]): readonly string[] {
  return names.map((name, at) => {
    const before = names.slice(0, at).filter((other) => other === name).length;
    return before === 0 ? name : `${name}_${before + 1}`;
  });
}

function csvField(text: string | null): string {
  if (text === null) return '';
  return text === '' || /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
