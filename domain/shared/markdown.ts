/** A row of a table: a name and a value. */
export type MarkdownRow = readonly [name: string, value: string | number];

/** Names shown in a list; the rest is counted. */
const MOST_LISTED = 50;

/**
 * A foreign text (a name, an error message) as markdown shows it literally, on one line: every character that markdown
 * or HTML gives a meaning is escaped, and control and formatting characters become U+FFFD.
 */
export function escapeMarkdown(text: string): string {
  return text
    .replaceAll(/\s+/g, ' ')
    .replaceAll(/[\p{Cc}\p{Cf}]/gu, '\u{fffd}')
    .replaceAll(/[`*_[\]<>|\\#~&]/g, String.raw`\$&`);
}

/** A markdown table with two columns and no heading. Names and values are escaped. */
export function markdownTable(rows: readonly MarkdownRow[]): string {
  const lines = rows.map(([name, value]) => `| ${escapeMarkdown(name)} | ${escapeMarkdown(String(value))} |`);
  return ['| | |', '|---|---|', ...lines].join('\n');
}

/**
 * A markdown list of at most 50 names under a title, and how many of `count` are left out. Title and names are escaped.
 */
export function markdownList(title: string, names: readonly string[], count: number): string {
  const shown = names.slice(0, MOST_LISTED).map((name) => `- ${escapeMarkdown(name)}`);
  if (count > shown.length) shown.push(`- and ${count - shown.length} more`);
  return `**${escapeMarkdown(title)}**\n\n${shown.join('\n')}`;
}
