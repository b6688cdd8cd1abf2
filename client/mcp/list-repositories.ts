import { branchNames } from '../../domain/catalog/index/refs.ts';
import type { Answer } from './answer.ts';
import { short } from './answer.ts';
import { sanitizeLine, sanitizeName } from '../core/sanitize.ts';
import type { Library } from './library.ts';
import { indexedState, pageAfter } from './page.ts';
import type { ListRepositoriesInput, ListRepositoriesOutput } from './tools.schema.ts';

/** `list_repositories`: the indexed repositories, from their receipts. */
export async function listRepositories(
  library: Library,
  { pattern, limit, cursor }: ListRepositoriesInput,
  signal: AbortSignal,
): Promise<Answer<ListRepositoriesOutput>> {
  const receipts = await library.receipts(pattern, signal);
  const { items, nextCursor } = pageAfter('list_repositories', receipts, ({ repository }) => repository, {
    cursor,
    limit,
  });
  const repositories = items.map((receipt) => {
    const { files, objects } = receipt;
    return { ...indexedState(receipt), branches: branchNames(receipt).map(sanitizeName), files, objects };
  });
  const lines = repositories.map(({ id, commit, branch, branches, files, objects, indexedAt }) => {
    const at =
      commit === null ? 'not fully indexed yet' : `${short(commit)} (${branch ?? 'detached'}), indexed ${indexedAt}`;
    const more = branches.length === 0 ? '' : `; also the branches ${branches.join(', ')}`;
    return sanitizeLine(`${id}: ${at}, ${files} files, ${objects} objects${more}`);
  });
  const more = nextCursor === null ? [] : [`[more: cursor ${nextCursor}]`];
  return {
    text: [`${items.length} of ${receipts.length} indexed repositories`, ...lines, ...more].join('\n'),
    structured: { total: receipts.length, repositories, nextCursor },
  };
}
