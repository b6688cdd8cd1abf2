/** The withdrawal of a generation, when it was the last decision about it. */
export interface Withdrawal {
  readonly why: string | null;
  readonly at: Date;
  /** The commit that was released; null when the ledger does not know it. */
  readonly commit: string | null;
}

/** What was proven of a generation, and what would be released. */
export interface ProvenHead {
  /** When the last of its changes was proven; null for none. */
  readonly lastProof: Date | null;
  /** The head of the default branch. */
  readonly head: string;
}

/**
 * Why a train does not promote a generation that was withdrawn, with the command that does; null when it does. The proofs
 * of a withdrawn generation stay, so its gates may be open: the train waits until something was proven since, at another
 * commit than the one that was withdrawn.
 */
export function whyWithdrawn(
  version: string,
  withdrawal: Withdrawal | null,
  { lastProof, head }: ProvenHead,
): string | null {
  if (withdrawal === null) return null;
  const { why, at, commit } = withdrawal;
  if (head !== commit && lastProof !== null && lastProof > at) return null;
  const reason = why === null ? '' : ` (${why})`;
  return `${version} was withdrawn${reason}: longhaul generation promote ${version}`;
}
