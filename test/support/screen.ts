/** A control sequence with its parameter and its final character, or one character. */
const SEQUENCE = new RegExp(String.raw`${String.fromCodePoint(27)}\[(\??\d*)([A-Za-z])|[^]`, 'gu');

/**
 * The rows of a terminal after a program has written to it, without the empty ones at the end: text, the ends of lines, and
 * the control sequences (ECMA-48, DEC private mode 7) for cursor up, column, erase to the end of the screen, and automatic
 * wrapping. Throws a `TypeError` for any other, so that a test never passes because one was ignored.
 */
export function screenOf(
  written: string,
  { rows: height, columns }: { readonly rows: number; readonly columns: number },
): string[] {
  let rows = [''];
  let [row, column] = [0, 0];
  let isWrapping = true;
  const down = (): void => {
    row += 1;
    rows[row] ??= '';
    if (rows.length <= height) return;
    rows = rows.slice(1);
    row -= 1;
  };
  for (const [whole, parameter = '', final = ''] of written.matchAll(SEQUENCE)) {
    if (final === 'A') row = Math.max(0, row - Number(parameter || 1));
    else if (final === 'G') column = Number(parameter || 1) - 1;
    else if (final === 'J' && ['', '0'].includes(parameter)) {
      rows = [...rows.slice(0, row), (rows[row] ?? '').slice(0, column)];
    } else if (parameter === '?7' && 'lh'.includes(final)) isWrapping = final === 'h';
    else if (whole === '\r') column = 0;
    else if (whole === '\n') down();
    else if (whole.length > 2 || whole < ' ') throw new TypeError(`unknown: ${JSON.stringify(whole)}`);
    else {
      if (column === columns && isWrapping) {
        column = 0;
        down();
      }
      const at = Math.min(column, columns - 1);
      rows[row] = `${(rows[row] ?? '').padEnd(at).slice(0, at)}${whole}${(rows[row] ?? '').slice(at + 1)}`;
      column = at + 1;
    }
  }
  return rows.map((line) => line.trimEnd()).slice(0, rows.findLastIndex((line) => line.trim() !== '') + 1);
}
