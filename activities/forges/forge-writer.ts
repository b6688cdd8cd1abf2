import type { Readable } from 'node:stream';
import type { Repository } from '../../domain/git/repository.ts';

/**
 * What Longhaul writes to a forge. Every operation may be repeated: it finds what an earlier attempt did, also when the
 * answer to that attempt was lost, and changes only what differs. A request that writes is sent once; when its answer is
 * lost the operation throws `ForgeUnavailable`, and repeating it is safe.
 *
 * All throw `AuthenticationFailed`, `PermissionMissing` with the permission that the token needs, `RateLimited`,
 * `ForgeUnavailable`, `ForgeForbids` (405), `ForgeConflict` (409), `ForgeGone` (410), `ForgeRejected` (400, 422), and
 * `NoForge` for a provider without these operations. Texts are data: mentions in them notify no one.
 */
export interface ForgeWriter {
  /** The name of the account that writes. */
  account(signal?: AbortSignal): Promise<string>;
  /** The latest pull request from a branch of this repository into another; null when there is none. */
  findPull(repository: ForgeRepository, branches: PullBranches, signal?: AbortSignal): Promise<ForgePull | null>;
  /**
   * Opens a pull request, or updates the open one of this head and base. One that another account opened, or that is
   * closed or merged, is returned as it is.
   */
  putPull(repository: ForgeRepository, wanted: WantedPull, signal?: AbortSignal): Promise<ForgePull>;
  /** Writes a comment, or updates the one of our account with this marker. */
  putComment(
    repository: ForgeRepository,
    on: Discussion,
    wanted: WantedComment,
    signal?: AbortSignal,
  ): Promise<ForgeComment>;
  /** Creates a label if there is none of this name. */
  putLabel(repository: ForgeRepository, label: Label, signal?: AbortSignal): Promise<void>;
  /** Adds and removes labels; others stay. Labels to add exist: see {@link putLabel}. */
  changeLabels(repository: ForgeRepository, on: Discussion, change: LabelChange, signal?: AbortSignal): Promise<void>;
  /** Sets the state of a check of a commit. */
  putCheck(repository: ForgeRepository, wanted: WantedCheck, signal?: AbortSignal): Promise<void>;
  /** Creates the release of a tag, or updates it. Throws `InvalidInput` when there is no such tag. */
  putRelease(repository: ForgeRepository, wanted: WantedRelease, signal?: AbortSignal): Promise<ForgeRelease>;
  /**
   * Uploads an asset of a release, unless it has one of this name with this content; one with another content is
   * replaced. Throws `InvalidInput` when there is no such release.
   */
  putAsset(repository: ForgeRepository, wanted: WantedAsset, signal?: AbortSignal): Promise<ForgeAsset>;
}

/** A repository at a forge. */
export type ForgeRepository = Pick<Repository, 'id' | 'organization' | 'project' | 'repository'>;

/** The branches of a pull request. Both are of the same repository. */
export interface PullBranches {
  /** The branch with the change. */
  readonly head: string;
  /** The branch that is to get it. */
  readonly base: string;
}

/** A pull request that is to be open. */
export interface WantedPull extends PullBranches {
  readonly title: string;
  readonly body: string;
}

/** A pull request. */
export interface ForgePull {
  readonly number: number;
  readonly url: string;
  readonly state: 'open' | 'closed' | 'merged';
  /** False when another account opened it: it was left as it is. */
  readonly isOurs: boolean;
  /** False when it existed. */
  readonly isNew: boolean;
}

/** An issue or pull request. */
export interface Discussion {
  readonly kind: 'issue' | 'pull';
  readonly number: number;
}

/** A comment of our account. */
export interface WantedComment {
  /** Identifies it among our comments on one issue or pull request: `plan`. */
  readonly marker: string;
  readonly body: string;
}

/** A comment on a forge. */
export interface ForgeComment {
  readonly url: string;
  /** False when it existed. */
  readonly isNew: boolean;
}

/** A label. */
export interface Label {
  readonly name: string;
  /** Six hex digits: `d73a4a`. */
  readonly color: string;
  readonly description: string;
}

/** Labels to add and remove. */
export interface LabelChange {
  readonly add: readonly string[];
  readonly remove: readonly string[];
}

/** The state of a check of a commit. */
export interface WantedCheck {
  /** Full oid. */
  readonly commit: string;
  /** `longhaul/release` */
  readonly name: string;
  readonly state: CheckState;
  /** One line. */
  readonly description: string;
  /** A page with details. @default none */
  readonly url?: string;
}

/** `error`: it could not be checked. */
export type CheckState = 'pending' | 'success' | 'failure' | 'error';

/** A release that is to be there. */
export interface WantedRelease {
  /** A tag that the repository has. */
  readonly tag: string;
  readonly title: string;
  /** Markdown. */
  readonly notes: string;
  /** GitLab has no such mark. @default false */
  readonly isPrerelease?: boolean;
  /**
   * Whether the forge shows it as the latest release; a pre-release never is. GitLab and Gitea have no such mark.
   * @default the forge decides
   */
  readonly isLatest?: boolean;
}

/** A release. */
export interface ForgeRelease {
  readonly url: string;
  /** False when it existed. */
  readonly isNew: boolean;
}

/** An asset of a release. */
export interface WantedAsset {
  readonly tag: string;
  /** Letters, digits, `.`, `_` and `-`: forges change other names. */
  readonly name: string;
  readonly size: number;
  /** SHA-256 of the content, in hex. */
  readonly sha256: string;
  /** @default application/octet-stream */
  readonly contentType?: string;
  /** Opens the content. */
  readonly open: () => Promise<Readable>;
}

/** An asset on a forge. */
export interface ForgeAsset {
  readonly url: string;
  /** False when it was there already. */
  readonly isNew: boolean;
}
