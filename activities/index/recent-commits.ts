import type { IndexStore } from './store/store.ts';

/** How long the commit of a repository is reused, in milliseconds. */
const COMMITS_COUNT_MS = 1_000;

/** A commit that was read: empty when there is no receipt. */
interface Read {
  readonly commit: string;
  readonly at: number;
}

/** By ref and repository, nearly in the order of time. */
const commitsRead = new WeakMap<Pick<IndexStore, 'readReceipts'>, Map<string, Read>>();

/**
 * The commits in the receipts of repositories at a ref, as they are or were within the last second, so that most
 * searches need no request for them. Repositories without a receipt are left out.
 */
export async function recentCommits(
  store: Pick<IndexStore, 'readReceipts'>,
  repositories: Iterable<string>,
  ref: string,
  now: () => number = () => performance.now(),
): Promise<Map<string, string>> {
  const at = now();
  const known = commitsRead.get(store) ?? new Map<string, Read>();
  commitsRead.set(store, known);
  for (const [key, read] of known) {
    if (at - read.at < COMMITS_COUNT_MS) break;
    known.delete(key);
  }
  const commits = new Map<string, string>();
  const missing: string[] = [];
  for (const repository of repositories) {
    const read = known.get(`${ref}\0${repository}`);
    if (read === undefined || at - read.at >= COMMITS_COUNT_MS) missing.push(repository);
    else if (read.commit !== '') commits.set(repository, read.commit);
  }
  if (missing.length === 0) return commits;
  for (const { repository, commit } of await store.readReceipts(missing, ref)) commits.set(repository, commit);
  for (const repository of missing) {
    const key = `${ref}\0${repository}`;
    known.delete(key);
    known.set(key, { commit: commits.get(repository) ?? '', at });
  }
  return commits;
}
