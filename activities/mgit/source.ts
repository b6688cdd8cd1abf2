import type { Remote } from '../git/clone-url.ts';
import type { ObjectStore } from '../git/git.ts';

/** Where the objects of one repository are read. While it is open, nobody takes them from the cache. */
export interface Source {
  readonly store: ObjectStore;
  /** Opens it once more, also after it was closed: what was taken from the cache meanwhile is made again, without any object. */
  open(): Promise<void>;
  /** Ends what one opening began. */
  close(): Promise<void>;
  /** True while it is known to hold no blob. */
  readonly isBlank: boolean;
  /** Fetches the commits that refs were seen at (`HEAD`, full names of branches), with one request: those that are not the last ones fetched. */
  fetchTips(tips: ReadonlyMap<string, string>): Promise<void>;
  /** Fetches a commit that no branch may hold any more. False when it cannot be had. */
  fetchCommit(commit: string): Promise<boolean>;
  /** Fetches blobs with one request. False when one of them cannot be had. */
  fetchBlobs(oids: readonly string[]): Promise<boolean>;
  /** Forgets what is on this disk of a repository elsewhere. */
  discard(): Promise<void>;
}

/** A repository and the way to it. */
export interface Access {
  readonly id: string;
  readonly remote: Remote;
  /** Lines of git configuration that let git in; asked for when git goes over the network. */
  readonly credentials: () => Promise<readonly (readonly [string, string])[]>;
  /** Runs what speaks to the other side when its turn has come. */
  readonly turn: <Result>(work: () => Promise<Result>) => Promise<Result>;
  /** Ends git and requests. */
  readonly signal?: AbortSignal | undefined;
}
