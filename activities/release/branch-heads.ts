import type { Head } from '../../domain/git/head.ts';
import type { Repository } from '../../domain/git/repository.ts';
import { LonghaulError } from '../../domain/shared/failures.ts';
import type { Mgit } from '../mgit/index.ts';

/**
 * The head of the default branch on the remote, and those of the branches that match the patterns. Null for a remote
 * without an answer; throws its failure.
 */
export async function branchHeads(
  mgit: Mgit,
  repository: Repository,
  patterns: readonly string[],
  signal: AbortSignal,
): Promise<Head | null> {
  const asked = patterns.length === 0 ? repository : { ...repository, branches: patterns };
  const head = (await mgit.heads([asked], { signal })).get(repository.id);
  if (head instanceof LonghaulError) throw head;
  return head ?? null;
}
