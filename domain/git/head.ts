/** The position of a repository's HEAD. */
export interface Head {
  /** Commit oid; git's null oid for a repository without commits. */
  readonly commit: string;
  readonly branch: string | null;
  /** The address that the server redirected git to: the repository was renamed. */
  readonly redirectedTo?: string;
  /** {@link Repository.uid} of the repository found there, if known at no extra cost. */
  readonly uid?: string;
  /** The commit's tree and time (ISO 8601), if known at no extra cost. */
  readonly tree?: string;
  /** When the commit was made (ISO 8601). */
  readonly committedAt?: string;
  /** Commits by full ref name, of the requested branches without the one that HEAD points to. */
  readonly branches?: ReadonlyMap<string, string>;
}
