/** The answer of a tool. */
export interface Answer<Structured> {
  /** For people and models; already sanitized. */
  readonly text: string;
  /** Conforms to the tool's output schema. */
  readonly structured: Structured;
}

/** The abbreviated form of a commit id. */
export function short(commit: string): string {
  return commit.slice(0, 12);
}
