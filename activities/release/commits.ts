import { type AnnounceDeployment, announceDeployment } from './deployment/announce-deployment.ts';
import { Readable } from 'node:stream';
import { rcompare } from 'semver';
import type { FindNamedCommits, NamedCommit } from '../../domain/release/evolutions/evolution.ts';
import type { CoverCommits, Coverage, FinalTag } from '../../domain/release/promotion/promotion.ts';
import type {
  CollectedAssets,
  PartEnd,
  PublishedRelease,
  WantedAssets,
} from '../../domain/release/promotion/publication.ts';
import { authorsOf, MOST_COMMITS_WITH_AUTHORS } from '../../domain/release/promotion/authors.ts';
import type { AlertChannelConfig } from '../../domain/shared/channels.schema.ts';
import type {
  Baseline,
  ChooseBaseline,
  PackedCommit,
  PlaceCommit,
  PlacedCommit,
} from '../../domain/release/pipelines/job.ts';
import type { BlobStore } from '../blobs/blob-store.ts';
import {
  type AnnotatedTag,
  type KnownTag,
  type PushedBranch,
  type Mgit,
  objectOfTag,
  type NewBranch,
  type NewCommit,
  type PushedTag,
  type Removal,
} from '../mgit/index.ts';
import { branchHeads } from './branch-heads.ts';
import { heartbeating } from '../shared/heartbeating.ts';
import { LonghaulError } from '../../domain/shared/failures.ts';
import type { Repository } from '../../domain/git/repository.ts';
import { DEFAULT_REF } from '../../domain/git/snapshot.ts';
import { refOfBranch } from '../../domain/git/branch.ts';
import { VERSION_FORM } from '../../domain/release/contracts/version.ts';
import { patchPrefix } from '../../domain/release/promotion/hotfix.ts';
import type { Forges } from '../forges/open-forge.ts';
import {
  type AnnouncePromotion,
  publishRelease,
  type PublishRelease,
  sendAnnouncement,
  uploadAsset,
  type UploadAsset,
} from './promotion/publish.ts';
import {
  type OfferedHotfix,
  type OfferHotfix,
  offerBackport,
  type OfferBackport,
  offerHotfix,
  offerMove,
  type OfferMove,
} from './promotion/offer-fixes.ts';
import type { SharedText } from '../../domain/release/deployment/shared-file.ts';
import type { ContractFile } from './contracts/contracts.ts';
import { readShared, type ReadShared } from './contracts/read-shared.ts';
import { readJson } from './pipelines/stored-plan.ts';
import { findNamedCommits } from './evolutions/named-commits.ts';
import { chooseBaseline, placeCommit } from './pipelines/place-commit.ts';
import { collectAssets } from './promotion/collect-assets.ts';
import { coverCommits } from './promotion/cover-commits.ts';
import { type WriteNotes, writeNotes } from './promotion/write-notes.ts';

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
  /** Stores a file that several repositories share, as its default branch has it. Throws `InvalidConfiguration`. */
  readShared(input: ReadShared): Promise<SharedText>;
  /**
   * Pushes the tag of a release candidate, unless `release.pushCandidates` is off: then it returns null. The remote is
   * never changed if it has the tag. Throws `TagConflict`, `PushRefused`.
   */
  pushCandidate(input: PushTagInput): Promise<PushedTag | null>;
  /** Whether a protected branch of the remote contains a commit. */
  placeCommit(input: PlaceCommit): Promise<PlacedCommit>;
  /** What the findings of a run are compared with: the branch as the remote has it decides. */
  chooseBaseline(input: ChooseBaseline): Promise<Baseline>;
  /**
   * Which proven commits a commit contains, who wrote what it releases, whether a branch of the remote that is released
   * has it, and the policies of the default branch. Throws `PushRefused`, `InvalidConfiguration`.
   */
  coverCommits(input: CoverCommits): Promise<Coverage>;
  /**
   * The newest commit of a push that names each of the changes: among the newest of the commits that the branch did not
   * have before; of a new branch, those that the default branch does not have. When the remote does not know where the
   * branch was, only the pushed commit itself is read.
   */
  findNamedCommits(input: FindNamedCommits): Promise<readonly NamedCommit[]>;
  /** The commits that the commit descends from, of a list; those that are unknown are left out. */
  findAncestors(input: FindAncestors): Promise<readonly string[]>;
  /** The authors of the commits that `since` does not have, of all for null; null when there are too many to know them. */
  findAuthors(input: FindAuthors): Promise<readonly string[] | null>;
  /** Pushes the final tag of a release. Throws `TagConflict`, whose message ends with `hint`, and `PushRefused`. */
  pushRelease(input: PushTagInput & { readonly hint: string | null }): Promise<PushedTag>;
  /** Removes the tag that `pushRelease` pushes with these fields, if the remote has this very object. */
  removeRelease(input: FinalTag & { readonly repository: string; readonly tag: string }): Promise<void>;
  /** The commit of a release's tag, and the versions that the remote has with the same numbers but the last. */
  findRelease(input: { readonly repository: string; readonly version: string }): Promise<TaggedRelease>;
  /** Removes a tag from the remote if it is this very object there. Throws `PushRefused`. */
  removeTag(input: { readonly repository: string; readonly tag: KnownTag }): Promise<Removal>;
  /** Pushes a branch with a new commit. Throws `BranchConflict`, `PushRefused`. */
  pushBranch(input: PushBranchInput): Promise<PushedBranch>;
  /** Removes the branch that `pushBranch` pushes with this input, if nothing was added to it. */
  removeNewBranch(input: PushBranchInput): Promise<Removal>;
  /** Publishes a release with its notes at the forge. Null for a provider without releases; a refusal is a result. */
  publishRelease(input: PublishRelease): Promise<PublishedRelease | null>;
  /** Collects the files of a release from artifacts. A pattern that selects none is one of the problems. */
  collectAssets(input: WantedAssets): Promise<CollectedAssets>;
  /** Adds a file to a published release, unless it has it. A refusal is a result. */
  uploadAsset(input: UploadAsset): Promise<PartEnd>;
  /**
   * Announces a promotion to a channel; a repetition has the same id. A wrong configuration is a result, a channel that does
   * not take it is not: it is tried until it does.
   */
  announcePromotion(input: AnnouncePromotion): Promise<PartEnd>;
  /** Tells the channels of releases about a deployment. */
  announceDeployment(input: AnnounceDeployment): Promise<void>;
  /**
   * Offers a hotfix to the default branch, unless that has it: pushes a branch with it, and opens a pull request where
   * there are any. A refusal is a result.
   */
  offerHotfix(input: OfferHotfix): Promise<OfferedHotfix>;
  /**
   * Offers the changes of a hotfix to an open generation: pushes a branch that adds them to its contract, and opens a pull
   * request where there are any. Returns the address, the branch, or why it is missing; null for a version that the remote
   * has a tag of.
   */
  offerBackport(input: OfferBackport): Promise<string | null>;
  /** The highest version that the remote has a tag of; null for none. */
  latestVersion(input: { readonly repository: string }): Promise<string | null>;
  /**
   * Offers to move changes to the next generation: pushes a branch, and opens a pull request where there are any. Returns
   * the address, the branch, or why it is missing.
   */
  offerMove(input: OfferMove): Promise<string>;
  /** Writes the notes of a release from its changes and commits, and returns the digest of the Markdown. */
  writeNotes(input: WriteNotes): Promise<{ readonly notes: string }>;
}

/** Asks to push a tag. Its object follows from these fields. */
export interface PushTagInput {
  readonly repository: string;
  readonly packed: PackedCommit;
  /** `v1.5.0-rc.1` */
  readonly tag: string;
  readonly message: string;
  /** When the change was proven, or the release decided; ISO 8601. */
  readonly at: string;
}

/** Asks to push a branch with a new commit. */
export interface PushBranchInput {
  readonly repository: string;
  readonly branch: Pick<NewBranch, 'name' | 'from'> & { readonly commit: NewCommit };
  /** Digest of further files of the commit, as a JSON list; null for none. */
  readonly files: string | null;
}

/** A release of a remote. */
export interface TaggedRelease {
  readonly commit: string;
  /** Versions such as `v2.3.4`, that the remote has tags of. */
  readonly versions: readonly string[];
}

/** Asks which commits a commit descends from. */
export interface FindAncestors {
  readonly repository: string;
  readonly packed: PackedCommit;
  /** Full oids. */
  readonly commits: readonly string[];
}

/** Asks who wrote what a commit has. */
export interface FindAuthors {
  readonly repository: string;
  readonly packed: PackedCommit;
  /** Full oid of a commit: those that it has do not count. */
  readonly since: string | null;
}

/** Tools of the activities. */
export interface CommitActivityTools {
  readonly mgit: Mgit;
  readonly blobs: BlobStore;
  readonly forges: Forges;
  /** False when candidates are not pushed. */
  readonly pushCandidates: boolean;
  /** Names or patterns of branches: their commits may be released, and only runs at these write their caches. */
  readonly protectedBranches: readonly string[];
  /** Channels for announcements, the names of those that are told, and the environment with their addresses. */
  readonly announcements: {
    readonly channels: readonly AlertChannelConfig[];
    readonly announce: readonly string[];
    readonly env: NodeJS.ProcessEnv;
  };
}

/** Creates the activities. */
export function createCommitActivities({
  mgit,
  blobs,
  forges,
  pushCandidates,
  protectedBranches,
  announcements,
}: CommitActivityTools): CommitActivities {
  const find = (id: string, signal: AbortSignal) => mgit.find(id, { signal });
  return {
    pushCandidate: (input) =>
      heartbeating(async (signal) => {
        if (!pushCandidates) return null;
        const { repository, packed } = input;
        const tag = tagOf({ ...input, commit: packed.commit });
        return mgit.pushTag(await find(repository, signal), tag, () => blobs.open(packed.pack), { signal });
      }),
    placeCommit: (input) => heartbeating((signal) => placeCommit(mgit, input, protectedBranches, signal)),
    chooseBaseline: (input) => heartbeating((signal) => chooseBaseline(mgit, input, signal)),
    pushRelease: ({ hint, ...input }) =>
      heartbeating(async (signal) => {
        const { repository, packed } = input;
        const found = await find(repository, signal);
        try {
          const tag = tagOf({ ...input, commit: packed.commit });
          return await mgit.pushTag(found, tag, () => blobs.open(packed.pack), { signal });
        } catch (error) {
          if (hint === null || !(error instanceof LonghaulError) || error.type !== 'TagConflict') throw error;
          throw new LonghaulError('TagConflict', `${error.message} ${hint}`, { cause: error });
        }
      }),
    removeRelease: ({ repository, ...wanted }) =>
      heartbeating(async (signal) => {
        const tag = tagOf(wanted);
        const known = { name: tag.name, object: objectOfTag(tag) };
        await mgit.removeTag(await find(repository, signal), known, { signal });
      }),
    writeNotes: (input) => heartbeating((signal) => writeNotes({ mgit, blobs }, input, signal)),
    findRelease: ({ repository, version }) =>
      heartbeating(async (signal) => {
        const tags = await mgit.findTags(await find(repository, signal), patchPrefix(version), { signal });
        const commit = tags.find(({ name }) => name === version)?.commit;
        if (commit === undefined) {
          throw new LonghaulError('InvalidInput', `${repository} has no tag ${version} on its remote.`);
        }
        return { commit, versions: tags.map(({ name }) => name).filter((name) => VERSION_FORM.test(name)) };
      }),
    removeTag: ({ repository, tag }) =>
      heartbeating(async (signal) => mgit.removeTag(await find(repository, signal), tag, { signal })),
    pushBranch: (input) =>
      heartbeating(async (signal) =>
        mgit.pushBranch(await find(input.repository, signal), await branchOf(blobs, input), { signal }),
      ),
    removeNewBranch: (input) =>
      heartbeating(async (signal) =>
        mgit.removeBranch(await find(input.repository, signal), await branchOf(blobs, input), { signal }),
      ),
    publishRelease: (input) => heartbeating((signal) => publishRelease({ mgit, blobs, forges }, input, signal)),
    collectAssets: (input) => heartbeating((signal) => collectAssets(blobs, input, signal)),
    uploadAsset: (input) => heartbeating((signal) => uploadAsset({ mgit, blobs, forges }, input, signal)),
    announcePromotion: (input) => heartbeating((signal) => sendAnnouncement(announcements, input, signal)),
    announceDeployment: (input) => heartbeating((signal) => announceDeployment(announcements, input, signal)),
    offerBackport: (input) => heartbeating((signal) => offerBackport({ mgit, forges }, input, signal)),
    offerMove: (input) => heartbeating((signal) => offerMove({ mgit, forges }, input, signal)),
    latestVersion: ({ repository }) =>
      heartbeating(async (signal) => {
        const tags = await mgit.findTags(await find(repository, signal), 'v', { signal });
        return (
          tags
            .map(({ name }) => name)
            .filter((name) => VERSION_FORM.test(name))
            .toSorted(rcompare)[0] ?? null
        );
      }),
    offerHotfix: (input) => heartbeating((signal) => offerHotfix({ mgit, forges }, input, signal)),
    findNamedCommits: (input) => heartbeating((signal) => findNamedCommits({ mgit, blobs }, input, signal)),
    findAncestors: ({ repository, packed: { commit, pack }, commits }) =>
      heartbeating(async (signal) => {
        const question = { commit, openPack: () => blobs.open(pack), commits, patches: false };
        return mgit.withHistory(
          await find(repository, signal),
          question,
          async (history) => {
            const cover = await history.cover();
            return commits.filter((each) => cover.get(each) === 'ancestor');
          },
          { signal },
        );
      }),
    findAuthors: ({ repository, packed: { commit, pack }, since }) =>
      heartbeating(async (signal) =>
        mgit.withHistory(
          await find(repository, signal),
          { commit, openPack: () => blobs.open(pack), commits: [], patches: false },
          // one more shows that there are too many
          async (history) => authorsOf(await history.log(since, MOST_COMMITS_WITH_AUTHORS + 1)),
          { signal },
        ),
      ),
    coverCommits: (input) => heartbeating((signal) => coverCommits({ mgit, blobs, protectedBranches }, input, signal)),
    readShared: (input) => heartbeating((signal) => readShared({ mgit, blobs }, input, signal)),
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

function tagOf({ commit, tag, message, at }: FinalTag & { readonly tag: string }): AnnotatedTag {
  return { name: tag, commit, message, time: Math.floor(Date.parse(at) / 1_000) };
}

/** The branch with all files of its commit: those of contracts can be too long for a history. */
async function branchOf(blobs: BlobStore, { branch, files }: PushBranchInput): Promise<NewBranch> {
  if (files === null) return branch;
  const further = (await readJson(blobs, files)) as readonly ContractFile[];
  const { commit } = branch;
  const all = [...commit.files, ...further.map(({ path, text }) => ({ path, content: text }))];
  return { ...branch, commit: { ...commit, files: all } };
}

async function headOf(
  mgit: Mgit,
  repository: Repository,
  branch: string | undefined,
  signal: AbortSignal,
): Promise<string> {
  const { id } = repository;
  const head = await branchHeads(mgit, repository, branch === undefined ? [] : [branch], signal);
  const commit =
    branch === undefined || head?.branch === branch ? head?.commit : head?.branches?.get(refOfBranch(branch));
  if (commit !== undefined && !/^0+$/.test(commit)) return commit;
  throw new LonghaulError(
    'InvalidInput',
    `${id} has no ${branch === undefined ? `commit at ${DEFAULT_REF}` : `branch ${branch}`}.`,
  );
}
