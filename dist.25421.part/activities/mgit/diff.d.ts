import type { FilePath } from '../../domain/catalog/change.ts';
import type { Git, ObjectFormat, ObjectStore } from './git.ts';
/** One line of `git diff --raw`. */
export interface Entry {
    /** Added, deleted, modified, type changed, renamed without a change of content. */
    readonly status: 'A' | 'D' | 'M' | 'T' | 'R';
    readonly oldMode: string;
    readonly mode: string;
    readonly oldOid: string;
    readonly oid: string;
    readonly file: FilePath;
    /** The path before a rename. */
    readonly oldFile: FilePath | null;
}
/** What a commit says of itself. */
export interface CommitInfo {
    readonly tree: string;
    /** Committer date, ISO 8601. */
    readonly timestamp: string;
}
/** A commit and how its files differ from another's. */
export interface Comparison extends CommitInfo {
    readonly entries: readonly Entry[];
}
interface About {
    readonly about: string;
    readonly signal?: AbortSignal | undefined;
}
/** The tree without files. */
export declare function emptyTree(format: ObjectFormat): string;
/** The name that git gives to no object. */
export declare function nullOid(format: ObjectFormat): string;
/** True for git's name of no object, in either format. */
export declare function isNullOid(oid: string): boolean;
/** The format that a full object name belongs to; null for anything else. */
export declare function formatOf(oid: string): ObjectFormat | null;
/** Compares two commits that the store has, with one process. Throws `GitFailed` when it does not have one of them. */
export declare function compareCommits(git: Git, store: ObjectStore, from: string, to: string, options: About): Promise<Comparison>;
/** Compares two trees or commits. */
export declare function compareTrees(git: Git, store: ObjectStore, from: string, to: string, options: About): Promise<readonly Entry[]>;
/** Every file of a commit, as if it were added. */
export declare function listCommit(git: Git, store: ObjectStore, commit: string, options: About): Promise<Comparison>;
/** Tree and date of a commit. Throws `GitFailed` when the store does not have it. */
export declare function readCommit(git: Git, store: ObjectStore, commit: string, options: About): Promise<CommitInfo>;
/** True when the store has the commit and the tree of it. */
export declare function hasCommit(git: Git, store: ObjectStore, commit: string, options: About): Promise<boolean>;
/** Reads `git diff --raw -z`. */
export declare function parseRaw(printed: Buffer): Entry[];
export {};
