/** Where a repository's HEAD is. */
export interface Head {
  /** Commit oid; git's null oid for a repository without a commit. */
  readonly commit: string;
  readonly branch: string | null;
  /** Where the address led to instead, when the other side sent git on: the repository has another name now. */
  readonly redirectedTo?: string;
  /** {@link Repository.uid} of what is there now, where that costs nothing to know. */
  readonly uid?: string;
  /** The commit's tree and when it was made (ISO 8601), where these cost nothing to know. */
  readonly tree?: string;
  /** When the commit was made (ISO 8601). */
  readonly committedAt?: string;
  /** Commits of branches by the full names of their refs: of those that were asked for, without the one that HEAD names. */
  readonly branches?: ReadonlyMap<string, string>;
}
