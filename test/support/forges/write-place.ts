import type { ForgeWriter, ForgeRepository } from '../../../activities/forges/forge-writer.ts';
import type { FaultProxy } from './fault-proxy.ts';

/** Accounts of a place: `writer` may write, `reader` may read only, `outsider` may not see the private repository. */
export type Who = 'writer' | 'reader' | 'outsider' | 'nobody';

/** One kind of forge with a repository `acme/api`, and what an observer sees there without Longhaul. */
export interface WritePlace {
  readonly proxy: FaultProxy;
  readonly repository: ForgeRepository;
  /** A commit of the default branch `main`. */
  readonly commit: string;
  /** Opens the forge through the proxy, as another process. `nobody` has a token that the forge does not know. */
  open(who?: Who, limits?: { readonly contentPerMinute?: number }): ForgeWriter;
  /** The token of an account. */
  token(who: Who): string;
  addBranch(name: string): Promise<void>;
  addTag(name: string): Promise<void>;
  /** Opens an issue as another account. Returns its number. */
  addIssue(): Promise<number>;
  /** Comments as another account. */
  say(issue: number, body: string): Promise<void>;
  /** Opens a pull request into `main` as another account, from a branch of the repository or of a fork. */
  addPull(head: string, isFork: boolean): Promise<number>;
  closePull(number: number): Promise<void>;
  pulls(): Promise<readonly SeenPull[]>;
  comments(on: number, isPull?: boolean): Promise<readonly { readonly author: string; readonly body: string }[]>;
  labels(): Promise<readonly string[]>;
  labelsOf(issue: number): Promise<readonly string[]>;
  /** The latest first. */
  checks(): Promise<readonly { readonly name: string; readonly state: string; readonly description: string }[]>;
  tags(): Promise<readonly string[]>;
  releases(): Promise<readonly SeenRelease[]>;
  /** The tag of the release that the forge shows as the latest, where it has such a mark. */
  latest?: () => string | null;
  /** Requests and answers outside the forge's description. */
  readonly violations: readonly string[];
  /** Leaves an upload behind that was interrupted, where the forge shows such. */
  interruptUpload?: (tag: string, name: string) => void;
}

/** A pull request as an observer sees it. */
export interface SeenPull {
  readonly number: number;
  readonly head: string;
  readonly title: string;
  readonly body: string;
  readonly state: string;
  readonly author: string;
}

/** A release as an observer sees it. */
export interface SeenRelease {
  readonly tag: string;
  readonly title: string;
  readonly notes: string;
  /** Names, with the content. */
  readonly assets: Readonly<Record<string, string>>;
}
