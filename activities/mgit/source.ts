import type { Remote } from '../git/clone-url.ts';
import type { ObjectStore } from '../git/git.ts';

/** Access to the objects of one repository. While it is open, its mirror is not evicted. */
export interface Source {
  readonly store: ObjectStore;
  /** Opens it once more, also after it was closed: an evicted mirror is recreated, without any objects. */
  open(): Promise<void>;
  /** Ends one opening. */
  close(): Promise<void>;
  /** True while it is known to contain no blobs. */
  readonly isBlank: boolean;
  /**
   * Fetches the commits of these refs (`HEAD`, full names of branches) with one request, except those that were fetched
   * last.
   */
  fetchTips(tips: ReadonlyMap<string, string>): Promise<void>;
  /** Fetches a commit that may no longer be on any branch. False when it is not available. */
  fetchCommit(commit: string): Promise<boolean>;
  /** Fetches blobs with one request. False when one of them is not available, or the server gives none by name. */
  fetchBlobs(oids: readonly string[]): Promise<boolean>;
  /** Fetches everything that branches reach, with all blobs, now and with every later fetch: after `fetchBlobs` failed. */
  fetchWhole(): Promise<void>;
  /** Deletes the local copy of a remote repository. */
  discard(): Promise<void>;
}

/** A repository and how to reach it. */
export interface Access {
  readonly id: string;
  readonly remote: Remote;
  /** Git configuration with credentials; requested when git uses the network. */
  readonly credentials: () => Promise<readonly (readonly [string, string])[]>;
  /** Runs a request to the remote when a slot is free. */
  readonly turn: <Result>(work: () => Promise<Result>) => Promise<Result>;
  /** Ends git and requests. */
  readonly signal?: AbortSignal | undefined;
}
