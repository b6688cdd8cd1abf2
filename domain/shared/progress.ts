/** The progress of any flow: the answer of its query `progress`, also after it ended. */
export interface FlowProgress {
  /** What the flow is doing now, in a few words. */
  readonly stage: string;
  /** How many of `total` are done, counted in `unit`. `total` is 0 while it is unknown. */
  readonly done: number;
  readonly total: number;
  /** What is counted, as a plural noun: `repositories`. */
  readonly unit: string;
  /** Further facts, each a short text: `12 files`, `waiting for github.com until …`. */
  readonly lines: readonly string[];
  /** The question that waits for a person's answer; null when there is none. */
  readonly asks: Ask | null;
  /** Workflow id of the child that does the current stage, and has its own progress; missing when there is none. */
  readonly child?: string;
}

/** A question to a person, answered with the update `confirm`: `{"proceed": true}`. */
export interface Ask {
  /** A yes-or-no question. */
  readonly question: string;
  /** Facts for the decision, one per line. */
  readonly lines: readonly string[];
}

/** The server that asked a flow to wait. */
export interface Waiting {
  /** The server's name for people: `github.com`. */
  readonly for: string;
  /** ISO 8601. */
  readonly until: string;
}

/** The wait as text. */
export function waitingFor({ for: server, until }: Waiting): string {
  return `waiting for ${server} until ${until.slice(0, 19)}Z`;
}
