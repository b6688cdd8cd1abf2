import { sha256 } from '../../platform/sha256.ts';
import { encodeChange, encodeChangeset, needsFile } from '../../domain/git/encode-change-line.ts';
import type { Change } from '../../domain/git/change.ts';
import type { RepositoryAddress } from '../../domain/git/repository.ts';
import type { ContentSpool } from './content-spool.ts';
import type { Mgit } from './mgit.ts';

/**
 * The change stream of one repository since a commit (null: from nothing), one JSON object per line without its
 * newline: a line for every file, `new_changeset` last. Contents over 100,000 bytes are spooled in the cache and named
 * by `content_ref`. Throws `InvalidInput` when the repository does not have the commit.
 */
export async function* diffLines(
  mgit: Pick<Mgit, 'diff' | 'snapshot' | 'spool'>,
  repository: RepositoryAddress,
  { since, signal }: { readonly since: string | null; readonly signal?: AbortSignal },
): AsyncGenerator<string, void> {
  const options = signal ? { signal } : {};
  const from = since === null ? null : await mgit.snapshot(repository, since, options);
  const differential = await mgit.diff(repository, from, options);
  for await (const change of differential.changes()) {
    yield JSON.stringify(encodeChange(repository.id, change, await extrasOf(mgit.spool, change)));
  }
  yield JSON.stringify(encodeChangeset(repository.id, differential.from, differential.to));
}

async function extrasOf(spool: ContentSpool, change: Change): Promise<{ contentRef?: string; contentHash?: string }> {
  if (change.op === 'delete' || change.content === null) return {};
  const contentHash = sha256(change.content);
  if (!needsFile(change.content.length)) return { contentHash };
  return { contentHash, contentRef: await spool.keep(change.blob.oid, change.content) };
}
