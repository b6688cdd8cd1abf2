import picomatch from 'picomatch';
import { type Answer, short } from './answer.ts';
import { inertLine } from './sanitize.ts';
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
  const matches = glob === undefined ? () => true : picomatch(glob, { dot: true });
  const matching = paths.filter((path) => matches(path));
  const { items, nextCursor } = pageAfter(matching, (path) => path, { cursor, limit });
  const { commit } = receipt;
  const from = source === 'index' ? ', as far as they are indexed' : '';
  const head = `${inertLine(repository)} @ ${short(commit)}: ${items.length} of ${matching.length} files${from}`;
  const more = nextCursor === null ? [] : [`[more: cursor ${JSON.stringify(inertLine(nextCursor))}]`];
  return {
    text: [head, ...items.map(inertLine), ...more].join('\n'),
    structured: { repository, commit, source, total: matching.length, files: [...items], nextCursor },
  };
}
