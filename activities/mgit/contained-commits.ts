import { isNullOid } from './diff.ts';
import { atCommit, type CommitTools } from './committed-file.ts';
import type { Access } from './source.ts';

/**
 * Those of the commits that a commit of the repository contains: it is one of them, or descends from it. The newest first:
 * no commit comes before one that descends from it. Throws `InvalidInput` when the repository does not have `head`.
 */
export async function containedCommits(
  tools: CommitTools,
  access: Access,
  head: string,
  commits: readonly string[],
): Promise<readonly string[]> {
  const wanted = new Set(commits);
  if (wanted.size === 0 || isNullOid(head)) return [];
  return atCommit(tools, access, head, async ({ store }) => {
    const options = { about: access.id, signal: access.signal, store };
    const listed = (await tools.git.run(['rev-list', '--date-order', head], options)).toString('latin1');
    return listed.split('\n').filter((oid) => wanted.has(oid));
  });
}
