import { Readable } from 'node:stream';
import type { PackedCommit } from '../../domain/release/pipelines/job.ts';
import type { BlobStore } from '../blobs/blob-store.ts';
import type { Mgit, PushedTag } from '../mgit/index.ts';
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
  /**
   * Pushes the tag of a release candidate, unless `release.pushCandidates` is off: then it returns null. The remote is
   * never changed if it has the tag. Throws `TagConflict`, `PushRefused`.
   */
  pushCandidate(input: PushCandidateInput): Promise<PushedTag | null>;
}

/** Asks to push the tag of a release candidate. */
export interface PushCandidateInput {
  readonly repository: string;
  readonly packed: PackedCommit;
  /** `v1.5.0-rc.1` */
  readonly tag: string;
  readonly message: string;
  /** When the change was proven, ISO 8601. */
  readonly at: string;
}

/** Tools of the activities. */
export interface CommitActivityTools {
  readonly mgit: Mgit;
  readonly blobs: BlobStore;
  /** False when candidates are not pushed. */
  readonly pushCandidates: boolean;
}

/** Creates the activities. */
export function createCommitActivities({ mgit, blobs, pushCandidates }: CommitActivityTools): CommitActivities {
  return {
    pushCandidate: ({ repository: id, packed: { commit, pack }, tag, message, at }) =>
      heartbeating(async (signal) => {
        if (!pushCandidates) return null;
        const repository = await mgit.find(id, { signal });
        const time = Math.floor(Date.parse(at) / 1_000);
        return mgit.pushTag(repository, { name: tag, commit, message, time }, () => blobs.open(pack), { signal });
      }),
    packCommit: ({ repository: id, commit, branch }) =>
      heartbeating(async (signal) => {
        const repository = await mgit.find(id, { signal });
        const wanted = commit ?? (await headOf(mgit, repository, branch, signal));
        return mgit.withCommitPack(
          repository,
          wanted,
          async ({ tree, changed, pack }) => {
            const { digest } = await blobs.put(pack);
            const paths = await blobs.put(Readable.from([Buffer.from(JSON.stringify(changed))]));
            return { commit: wanted, tree, pack: digest, changed: paths.digest };
          },
          { signal },
        );
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
  const heads = await mgit.heads([branch === undefined ? repository : { ...repository, branches: [branch] }], {
    signal,
  });
  const head = heads.get(id);
  if (head instanceof LonghaulError) throw head;
  const commit =
    branch === undefined || head?.branch === branch ? head?.commit : head?.branches?.get(refOfBranch(branch));
  if (commit !== undefined && !/^0+$/.test(commit)) return commit;
  throw new LonghaulError(
    'InvalidInput',
    `${id} has no ${branch === undefined ? `commit at ${DEFAULT_REF}` : `branch ${branch}`}.`,
  );
}
