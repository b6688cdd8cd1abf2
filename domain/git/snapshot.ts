/** The ref that every repository is indexed at. It follows HEAD's branch, so renaming that branch costs nothing. */
export const DEFAULT_REF = 'HEAD';

/** The commit and tree of a repository at one moment. */
export interface Snapshot {
  /** Commit oid, 40 or 64 hex digits; all zeros (git's null oid) for a repository without commits. */
  readonly commit: string;
  /** Tree oid; the empty tree for a repository without commits. */
  readonly tree: string;
  /** Short branch name; null when HEAD is detached. */
  readonly branch: string | null;
  /** Committer date, ISO 8601; null for a repository without commits. */
  readonly timestamp: string | null;
}
