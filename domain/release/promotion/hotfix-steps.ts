/** Asks for the version and the contract of a hotfix. */
export interface PlanHotfix {
  readonly repository: string;
  /** The released version. */
  readonly base: string;
  readonly issue: string;
  readonly title: string;
  /** The commit of the released version. */
  readonly commit: string;
  /** Versions that the remote has tags of. */
  readonly versions: readonly string[];
  /** Digest of the contracts of the released version; of the default branch when that version has none. */
  readonly contracts: string;
  /** True for those of the default branch: the hotfix is to have their policies and pipelines. */
  readonly isTaken: boolean;
}

/** The version of a hotfix, and its contract as a file. */
export interface HotfixContract {
  readonly version: string;
  readonly branch: string;
  /** Path of the file: `.longhaul/generations/v2.3.1.yaml`. */
  readonly path: string;
  /** Its text. */
  readonly text: string;
  /** Digest of further files that the branch is to have, as a JSON list; null for none. */
  readonly files: string | null;
}

/** Asks to which open generations a promoted hotfix is to be offered. */
export interface PlanBackports {
  readonly repository: string;
  /** The version of the hotfix. */
  readonly version: string;
  /** Digest of its contracts. */
  readonly contracts: string;
  /** Digest of the contracts of the default branch. */
  readonly current: string;
}

/** A generation that is to get the changes of a hotfix, and its contract with them. */
export interface Backport {
  /** The version of the generation. */
  readonly version: string;
  /** Ids of the added changes. */
  readonly changes: readonly string[];
  /** Path of the contract: `.longhaul/generations/v2.4.0.yaml`. */
  readonly path: string;
  /** Its text. */
  readonly text: string;
}

/** Asks to open the generation of a hotfix whose branch is pushed. */
export interface OpenHotfix {
  readonly repository: string;
  readonly base: string;
  readonly issue: string;
  readonly version: string;
  readonly branch: string;
  /** The text of the contract. */
  readonly text: string;
  readonly by: string;
}

/** Names a hotfix: by its version, or by the release that it repairs and its change. */
export type HotfixKey = { readonly repository: string } & (
  | { readonly version: string }
  | { readonly base: string; readonly issue: string }
);

/** A hotfix as the ledger has it. */
export interface HotfixState {
  readonly base: string;
  readonly version: string;
  readonly branch: string;
  readonly issue: string;
  readonly isPromoted: boolean;
  /** The tags of its evolutions, the first one first. */
  readonly evolutions: readonly { readonly tag: string; readonly status: string }[];
}

/** Waits until a hotfix is in another state than this one. */
export interface AwaitHotfix {
  readonly repository: string;
  readonly seen: HotfixState;
}

/** The branch on which a hotfix is made. */
export function branchOfHotfix(version: string): string {
  return `hotfix/${version}`;
}
