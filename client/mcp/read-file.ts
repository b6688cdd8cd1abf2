import { isNotebook } from '../../domain/git/notebook.ts';
import { LonghaulError } from '../../domain/shared/failures.ts';
import { type Answer, short } from './answer.ts';
import { sanitize, sanitizeName } from '../core/sanitize.ts';
import type { Library } from './library.ts';
import { readRepositoryFile } from './repository-files.ts';
import type { ReadFileInput, ReadFileOutput } from './tools.schema.ts';

/** Limits of one answer, in lines and characters. */
const MOST_LINES = 2_000;
const MOST_TEXT = 50_000;
const LONGEST_LINE = 2_000;

/** `read_file`: lines of a file at the indexed commit. */
export async function readFile(
  library: Library,
  { repository, path: asked, branch, start_line: startLine, end_line: endLine }: ReadFileInput,
  signal: AbortSignal,
): Promise<Answer<ReadFileOutput>> {
  if (endLine !== undefined && endLine < startLine) {
    throw new LonghaulError('InvalidInput', `end_line ${endLine} is before start_line ${startLine}.`);
  }
  const receipt = await library.receipt(repository, branch, signal);
  const { path, source, text } = await readRepositoryFile(library, receipt, asked, signal);
  const all = text.split('\n');
  if (all.at(-1) === '') all.pop();
  if (startLine > Math.max(all.length, 1)) {
    throw new LonghaulError(
      'InvalidInput',
      `${sanitizeName(path)} has only ${all.length} lines: start_line ${startLine} is too large.`,
    );
  }
  const range = all.slice(startLine - 1, endLine ?? all.length);
  const { lines, isCut } = fitting(range);
  const last = startLine - 1 + lines.length;
  const structured: ReadFileOutput = {
    repository: sanitizeName(receipt.repository),
    path: sanitizeName(path),
    commit: receipt.commit,
    source,
    startLine,
    endLine: last,
    totalLines: all.length,
    truncated: isCut || lines.length < range.length,
    nextLine: last < all.length ? last + 1 : null,
    text: lines.join('\n'),
  };
  return { text: rendered(structured, lines), structured };
}

/** The lines that fit in one answer, at least one; long lines are cut. */
function fitting(range: readonly string[]): { lines: string[]; isCut: boolean } {
  const lines: string[] = [];
  let isCut = false;
  let room = MOST_TEXT;
  for (const line of range.slice(0, MOST_LINES)) {
    const over = line.length - LONGEST_LINE;
    const start = sanitize(over > 0 ? line.slice(0, LONGEST_LINE) : `${line}\n`).replace(/\n$/, '');
    const shown = over > 0 ? `${start}… [${over} more characters]` : start;
    room -= shown.length + 1;
    if (room < 0 && lines.length > 0) break;
    isCut ||= over > 0;
    lines.push(shown);
  }
  return { lines, isCut };
}

function rendered(file: ReadFileOutput, lines: readonly string[]): string {
  const { repository, path, commit, source, startLine, endLine, totalLines, truncated, nextLine } = file;
  const range = lines.length === 0 ? 'empty' : `lines ${startLine}-${endLine} of ${totalLines}`;
  const cells = isNotebook(path) ? ', cells of a notebook without outputs' : '';
  const from = source === 'index' ? `${cells}, assembled from the index` : cells;
  const left = truncated ? '\n[truncated: ' : '\n[';
  const more =
    nextLine === null
      ? truncated
        ? '\n[truncated: long lines are cut]'
        : ''
      : `${left}continue with start_line ${nextLine}]`;
  const numbered = lines.map((line, at) => `${String(startLine + at).padStart(6)}\t${line}`);
  return [`${repository} ${path} @ ${short(commit)} (${range}${from})`, ...numbered].join('\n') + more;
}
