import type { Blob, BlobStore } from '../blobs/blob-store.ts';
import type { Mgit } from '../mgit/index.ts';
import { heartbeating } from '../shared/heartbeating.ts';
import type {
  Discussion,
  ForgeWriter,
  ForgeAsset,
  ForgeComment,
  ForgePull,
  ForgeRelease,
  ForgeRepository,
  Label,
  LabelChange,
  WantedAsset,
  WantedCheck,
  WantedComment,
  WantedPull,
  WantedRelease,
} from './forge-writer.ts';
import type { Forges } from './open-forge.ts';

/**
 * What flows of every wing write to forges, in the role `repos`. Each may be repeated, and finds what an earlier attempt
 * did. `repository` is an id; the failures are those of {@link ForgeWriter}, and `RepositoryNotFound`.
 */
export interface ForgeActivities {
  /** Opens a pull request from a branch, or updates ours. */
  putPullRequest(input: { readonly repository: string; readonly pull: WantedPull }): Promise<ForgePull>;
  /** Writes a comment, or updates ours with this marker. */
  putComment(input: {
    readonly repository: string;
    readonly on: Discussion;
    readonly comment: WantedComment;
  }): Promise<ForgeComment>;
  /** Adds and removes labels of an issue or pull request; creates those of `define` that the repository lacks. */
  putLabels(input: {
    readonly repository: string;
    readonly on: Discussion;
    readonly change: LabelChange;
    readonly define?: readonly Label[];
  }): Promise<void>;
  /** Sets the state of a check of a commit. */
  putCheck(input: { readonly repository: string; readonly check: WantedCheck }): Promise<void>;
  /** Creates or updates the release of a tag. */
  putRelease(input: { readonly repository: string; readonly release: WantedRelease }): Promise<ForgeRelease>;
  /** Uploads an asset from the blob store to a release, unless it is there. Throws `BlobNotFound`, `BlobDamaged`. */
  putReleaseAsset(input: { readonly repository: string; readonly asset: StoredAsset }): Promise<ForgeAsset>;
}

/** An asset of a release, whose content is in the blob store. */
export interface StoredAsset extends Pick<WantedAsset, 'tag' | 'name' | 'contentType'> {
  readonly blob: Blob;
}

/** Tools of the activities. */
export interface ForgeActivityTools {
  readonly mgit: Pick<Mgit, 'find'>;
  readonly forges: Forges;
  readonly blobs: BlobStore;
}

/** Creates the activities. */
export function createForgeActivities({ mgit, forges, blobs }: ForgeActivityTools): ForgeActivities {
  /** Works at the forge of a repository, under the name that it has now. */
  function at<Result>(
    id: string,
    work: (forge: ForgeWriter, repository: ForgeRepository, signal: AbortSignal) => Promise<Result>,
  ): Promise<Result> {
    return heartbeating(async (signal) => {
      const forge = forges.of({ id });
      return work(forge, await mgit.find(id, { signal }), signal);
    });
  }

  return {
    putPullRequest: ({ repository: id, pull }) =>
      at(id, (forge, repository, signal) => forge.putPull(repository, pull, signal)),
    putComment: ({ repository: id, on, comment }) =>
      at(id, (forge, repository, signal) => forge.putComment(repository, on, comment, signal)),
    putLabels: ({ repository: id, on, change, define = [] }) =>
      at(id, async (forge, repository, signal) => {
        for (const label of define) await forge.putLabel(repository, label, signal);
        await forge.changeLabels(repository, on, change, signal);
      }),
    putCheck: ({ repository: id, check }) =>
      at(id, (forge, repository, signal) => forge.putCheck(repository, check, signal)),
    putRelease: ({ repository: id, release }) =>
      at(id, (forge, repository, signal) => forge.putRelease(repository, release, signal)),
    putReleaseAsset: ({ repository: id, asset: { blob, ...asset } }) =>
      at(id, (forge, repository, signal) => {
        const content = { size: blob.size, sha256: blob.digest, open: () => blobs.open(blob.digest) };
        return forge.putAsset(repository, { ...asset, ...content }, signal);
      }),
  };
}
