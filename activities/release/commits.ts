import { Readable } from 'node:stream';
import type { PackedCommit } from '../../domain/release/pipelines/job.ts';
import type { BlobStore } from '../blobs/blob-store.ts';
import type { Mgit } from '../mgit/index.ts';
import { heartbeating } from '../shared/heartbeating.ts';
import { LonghaulError } from '../../domain/shared/failures.ts';
import { DEFAULT_REF } from '../../domain/git/snapshot.ts';
import { refOfBranch } from '../../domain/git/branch.ts';

/** Asks for a commit of a repository. */
export interface PackCommitInput {
  readonly repository: string;
  /** Its full oid. @default the head of `branch` */
  readonly commit?: string;
  /** @default the default branch */
  readonly branch?: string;
}

/** Activities of the role `repos` for releases. */
export interface CommitActivities {
  /**
   * Stores a commit in the blob store, with everything that a checkout needs. Repeating it stores the same commit. Throws
   * `RepositoryNotFound`, `InvalidInput` for a commit or branch that the repository does not have.
   */
  packCommit(input: PackCommitInput): Promise<PackedCommit>;
}

/** Creates the activities. */
export function createCommitActivities({ mgit, blobs }: { readonly mgit: Mgit; readonly blobs: BlobStore }): CommitActivities {
  return {
    packCommit: ({ repository: id, commit, branch }) =>
      heartbeating(async (signal) => {
        const repository = await mgit.find(id, { signal });
        const wanted = commit ?? (await headOf(mgit, repository, branch, signal));
        return mgit.withCommitPack(repository, wanted, async ({ tree, changed, pack }) => {
          const { digest } = await blobs.put(pack);
          const paths = await blobs.put(Readable.from([Buffer.from(JSON.stringify(changed))]));
          return { commit: wanted, tree, pack: digest, changed: paths.digest };
        }, { signal });
      }),
  };
}

type FoundRepository = Awaited<ReturnType<Mgit['find']>>;

async function headOf(
  mgit: Mgit,
  repository: FoundRepository,
  branch: string | undefined,
  signal: AbortSignal,
): Promise<string> {
  const { id } = repository;
  const heads = await mgit.heads([branch === undefined ? repository : { ...repository, branches: [branch] }], { signal });
  const head = heads.get(id);
  if (head instanceof LonghaulError) throw head;
  const commit = branch === undefined || head?.branch === branch ? head?.commit : head?.branches?.get(refOfBranch(branch));
  if (commit !== undefined && !/^0+$/.test(commit)) return commit;
  throw new LonghaulError('InvalidInput', `${id} has no ${branch === undefined ? `commit at ${DEFAULT_REF}` : `branch ${branch}`}.`);
}
