/**
 * A word that consists of encoded bytes: base64, base64url or hexadecimal, also with escaped line ends. Shorter ones are
 * names, keys or hashes.
 */
const RUN = /(?<![A-Za-z0-9+/=_-])(?:[A-Za-z0-9+/=_-]|\\[nr]){256,}/g;
/** The data of a data URI (RFC 2397), which ends at what an attribute, string or `url()` ends with. */
const DATA_URI = /(\bdata:[\w.+-]+\/[\w.+-]+(?:;[\w.+-]+(?:=[^;,\s"'`)]*)?)*,)([^\s"'`)<>]{64,})/gi;
/** Lines that consist of base64, of the same length except the last: certificates, keys, attachments. */
const SHORTEST_BLOCK = 8;
const SHORTEST_BLOCK_LINE = 60;
const BLOCK_LINE = /^[ \t]*[A-Za-z0-9+/]{60,}={0,2}\r?$/;
/** Shorter lines have neither a long run nor a data URI. */
const SHORTEST_LINE = 72;

/** What is shown and indexed where data was left out. */
const LEFT_OUT = '…';

/**
 * A text without encoded data: long runs and blocks of base64 or hexadecimal digits, and the data of data URIs. They have
 * no words to search for, and would fill chunks. The lines stay the same.
 */
export function withoutEncodedData(text: string): string {
  const lines = text.split('\n');
  let changed = withoutBlocks(lines);
  for (const [at, line] of lines.entries()) {
    if (line.length < SHORTEST_LINE) continue;
    const kept = line.replaceAll(DATA_URI, `$1${LEFT_OUT}`).replaceAll(RUN, (run) => (isPath(run) ? run : LEFT_OUT));
    if (kept === line) continue;
    lines[at] = kept;
    changed = true;
  }
  return changed ? lines.join('\n') : text;
}

/** A run with many slashes or dashes, such as a path or a ruler. */
function isPath(run: string): boolean {
  return run.split(/[/=_-]/).length > run.length / 16;
}

/** Replaces blocks of lines; true when there was one. */
function withoutBlocks(lines: string[]): boolean {
  let start = 0;
  let changed = false;
  for (let at = 0; at <= lines.length; at++) {
    const line = lines[at] ?? '';
    if (line.length >= SHORTEST_BLOCK_LINE && BLOCK_LINE.test(line)) continue;
    if (at - start >= SHORTEST_BLOCK) {
      lines.fill('', start, at);
      lines[start] = LEFT_OUT;
      changed = true;
    }
    start = at + 1;
  }
  return changed;
}
