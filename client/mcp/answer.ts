/** What a tool answers. */
export interface Answer<Structured> {
  /** For people and models; already sanitized. */
  readonly text: string;
  /** As the tool's output schema says. */
  readonly structured: Structured;
}

/** The first digits of a commit, as people write it. */
export function short(commit: string): string {
  return commit.slice(0, 12);
}
