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
} from './forge-writer.ts';

/**
 * The requests of one kind of forge, from which {@link createForgeWriter} makes operations that can be repeated. Lists are
 * complete. A method that writes sends each of its requests once, or throws; `uploadAsset` continues where an earlier
 * attempt ended.
 */
export interface ForgeRequests {
  /** The provider's name in `longhaul.yaml`. */
  readonly provider: string;
  /** The name of the account of the token. */
  account(signal: Signal): Promise<string>;
  /** Pull requests from a branch of this repository, not of a fork, the latest first. */
  pulls(repository: ForgeRepository, branches: PullBranches, signal: Signal): Promise<readonly FoundPull[]>;
  /** Opens one. */
  createPull(repository: ForgeRepository, wanted: WantedPull, signal: Signal): Promise<FoundPull>;
  /** Changes title and text. */
  updatePull(
    repository: ForgeRepository,
    number: number,
    text: Pick<WantedPull, 'title' | 'body'>,
    signal: Signal,
  ): Promise<void>;
  /** All comments, the first one first. */
  comments(repository: ForgeRepository, on: Discussion, signal: Signal): Promise<readonly FoundComment[]>;
  /** Writes one. */
  createComment(repository: ForgeRepository, on: Discussion, body: string, signal: Signal): Promise<FoundComment>;
  /** Replaces the text of one. */
  updateComment(repository: ForgeRepository, on: Discussion, id: number, body: string, signal: Signal): Promise<void>;
  /** The labels that the repository defines. */
  labels(repository: ForgeRepository, signal: Signal): Promise<readonly string[]>;
  /** Defines one. */
  createLabel(repository: ForgeRepository, label: Label, signal: Signal): Promise<void>;
  /** The names of its labels. */
  labelsOf(repository: ForgeRepository, on: Discussion, signal: Signal): Promise<readonly string[]>;
  /** Adds labels that are defined. */
  addLabels(repository: ForgeRepository, on: Discussion, names: readonly string[], signal: Signal): Promise<void>;
  /** Removes one that it has. */
  removeLabel(repository: ForgeRepository, on: Discussion, name: string, signal: Signal): Promise<void>;
  /** The states of a commit's checks, the latest of a name first. */
  checks(repository: ForgeRepository, commit: string, signal: Signal): Promise<readonly FoundCheck[]>;
  /** Adds a state, which becomes the latest of its name. */
  createCheck(repository: ForgeRepository, wanted: WantedCheck, signal: Signal): Promise<void>;
  /** Whether the repository has a tag of this name. */
  hasTag(repository: ForgeRepository, tag: string, signal: Signal): Promise<boolean>;
  /** The release of a tag; null when there is none. */
  release(repository: ForgeRepository, tag: string, signal: Signal): Promise<ListedRelease | null>;
  /** Creates one, and nothing else where the tag exists. */
  createRelease(repository: ForgeRepository, wanted: WantedRelease, signal: Signal): Promise<ListedRelease>;
  /** Replaces title and notes. */
  updateRelease(
    repository: ForgeRepository,
    found: ListedRelease,
    wanted: WantedRelease,
    signal: Signal,
  ): Promise<void>;
  /** All assets, also interrupted uploads. */
  assets(repository: ForgeRepository, release: ListedRelease, signal: Signal): Promise<readonly FoundAsset[]>;
  /** SHA-256 of an asset's content, for forges whose lists do not have it; null when it cannot be known. */
  digestOf(repository: ForgeRepository, asset: FoundAsset, signal: Signal): Promise<string | null>;
  /** Uploads one. */
  uploadAsset(
    repository: ForgeRepository,
    release: ListedRelease,
    wanted: WantedAsset,
    signal: Signal,
  ): Promise<FoundAsset>;
  /** Deletes one. */
  deleteAsset(repository: ForgeRepository, release: ListedRelease, asset: FoundAsset, signal: Signal): Promise<void>;
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
export interface ListedRelease {
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
