import { parsePathFilter, segmentsThatAreNames } from '../../domain/git/path-filter.ts';
import { type Answer, short } from './answer.ts';
import { nameShownAs, sanitizeName } from '../core/sanitize.ts';
import type { Library } from './library.ts';
import { pageAfter } from './page.ts';
import { listRepositoryPaths } from './repository-files.ts';
import type { ListFilesInput, ListFilesOutput } from './tools.schema.ts';

/** `list_files`: paths at the indexed commit. */
export async function listFiles(
  library: Library,
  { repository, path_glob: glob, branch, limit, cursor }: ListFilesInput,
  signal: AbortSignal,
): Promise<Answer<ListFilesOutput>> {
  const receipt = await library.receipt(repository, branch, signal);
  const { source, paths } = await listRepositoryPaths(library, receipt, signal);
  const matching = glob === undefined ? paths : selectedPaths(nameShownAs(glob), paths);
  const { items, nextCursor } = pageAfter('list_files', matching, (path) => path, { cursor, limit });
  const files = items.map(sanitizeName);
  const { commit } = receipt;
  const from = source === 'index' ? ' (only indexed ones)' : '';
  const shown = sanitizeName(receipt.repository);
  const head = `${shown} @ ${short(commit)}: ${files.length} of ${matching.length} files${from}`;
  const more = nextCursor === null ? [] : [`[more: cursor ${nextCursor}]`];
  return {
    text: [head, ...files, ...more].join('\n'),
    structured: { repository: shown, commit, source, total: matching.length, files, nextCursor },
  };
}

function selectedPaths(filter: string, paths: readonly string[]): string[] {
  const { matches } = parsePathFilter(filter, segmentsThatAreNames(filter, paths));
  return paths.filter((path) => matches(path));
}
