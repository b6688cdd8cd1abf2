import type {
  CheckState,
  Discussion,
  ForgeRepository,
  Label,
  PullBranches,
  WantedAsset,
  WantedCheck,
  WantedPull,
  WantedRelease,
} from './forge.ts';

/**
 * The requests of one kind of forge, from which {@link createForge} makes operations that can be repeated. Lists are
 * complete. A method that writes sends each of its requests once, or throws; `uploadAsset` continues where an earlier
 * attempt ended.
 */
export interface ForgeApi {
  /** The provider's name in `longhaul.yaml`. */
  readonly provider: string;
  account(signal: Signal): Promise<string>;
  /** Pull requests from a branch of this repository, not of a fork, the latest first. */
  pulls(repository: ForgeRepository, branches: PullBranches, signal: Signal): Promise<readonly FoundPull[]>;
  createPull(repository: ForgeRepository, wanted: WantedPull, signal: Signal): Promise<FoundPull>;
  updatePull(
    repository: ForgeRepository,
    number: number,
    text: Pick<WantedPull, 'title' | 'body'>,
    signal: Signal,
  ): Promise<void>;
  comments(repository: ForgeRepository, on: Discussion, signal: Signal): Promise<readonly FoundComment[]>;
  createComment(repository: ForgeRepository, on: Discussion, body: string, signal: Signal): Promise<FoundComment>;
  updateComment(repository: ForgeRepository, on: Discussion, id: number, body: string, signal: Signal): Promise<void>;
  /** The labels that the repository defines. */
  labels(repository: ForgeRepository, signal: Signal): Promise<readonly string[]>;
  createLabel(repository: ForgeRepository, label: Label, signal: Signal): Promise<void>;
  labelsOf(repository: ForgeRepository, on: Discussion, signal: Signal): Promise<readonly string[]>;
  addLabels(repository: ForgeRepository, on: Discussion, names: readonly string[], signal: Signal): Promise<void>;
  removeLabel(repository: ForgeRepository, on: Discussion, name: string, signal: Signal): Promise<void>;
  /** The states of a commit's checks, the latest of a name first. */
  checks(repository: ForgeRepository, commit: string, signal: Signal): Promise<readonly FoundCheck[]>;
  createCheck(repository: ForgeRepository, wanted: WantedCheck, signal: Signal): Promise<void>;
  hasTag(repository: ForgeRepository, tag: string, signal: Signal): Promise<boolean>;
  /** The release of a tag; null when there is none. */
  release(repository: ForgeRepository, tag: string, signal: Signal): Promise<FoundRelease | null>;
  createRelease(repository: ForgeRepository, wanted: WantedRelease, signal: Signal): Promise<FoundRelease>;
  updateRelease(repository: ForgeRepository, found: FoundRelease, wanted: WantedRelease, signal: Signal): Promise<void>;
  assets(repository: ForgeRepository, release: FoundRelease, signal: Signal): Promise<readonly FoundAsset[]>;
  /** SHA-256 of an asset's content, for forges whose lists do not have it; null when it cannot be known. */
  digestOf(repository: ForgeRepository, asset: FoundAsset, signal: Signal): Promise<string | null>;
  uploadAsset(
    repository: ForgeRepository,
    release: FoundRelease,
    wanted: WantedAsset,
    signal: Signal,
  ): Promise<FoundAsset>;
  deleteAsset(repository: ForgeRepository, release: FoundRelease, asset: FoundAsset, signal: Signal): Promise<void>;
}

/** Ends a request. */
export type Signal = AbortSignal | undefined;

/** A pull request as the forge describes it. */
export interface FoundPull {
  readonly number: number;
  readonly url: string;
  readonly state: 'open' | 'closed' | 'merged';
  readonly author: string;
  readonly title: string;
  readonly body: string;
}

/** A comment as the forge describes it. */
export interface FoundComment {
  readonly id: number;
  readonly url: string;
  readonly author: string;
  readonly body: string;
}

/** A check as the forge describes it. */
export interface FoundCheck {
  readonly name: string;
  readonly state: CheckState | 'other';
  readonly description: string;
  readonly url: string | null;
}

/** A release as the forge describes it. */
export interface FoundRelease {
  /** What the forge's addresses call it. */
  readonly key: string;
  readonly tag: string;
  readonly url: string;
  readonly title: string;
  readonly notes: string;
  /** Null when the forge has no such mark. */
  readonly isPrerelease: boolean | null;
}

/** An asset as the forge describes it. */
export interface FoundAsset {
  /** What the forge's addresses call it. */
  readonly key: string;
  readonly name: string;
  readonly size: number;
  /** SHA-256 in hex; null when the list does not have it. */
  readonly sha256: string | null;
  /** False when its upload was interrupted. */
  readonly isComplete: boolean;
  readonly url: string;
}
