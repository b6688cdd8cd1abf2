/** Progress of a running flow, whatever it does: the answer of its query `progress`, also after it ended. */
export interface FlowProgress {
  /** What it is doing now, in a few words. */
  readonly stage: string;
  /** How much of `total` is done, in `unit`. `total` is 0 while it is not known. */
  readonly done: number;
  readonly total: number;
  /** What is counted, as a plural noun: `repositories`. */
  readonly unit: string;
  /** Further facts, each a short text: `12 files`, `waiting for github.com until …`. */
  readonly lines: readonly string[];
  /** The question that it asks a person now; null when it asks nothing. */
  readonly asks: Ask | null;
  /** Workflow id of the run that does the present stage and whose own progress says more; missing when there is none. */
  readonly child?: string;
}

/** A question to a person, answered with the update `confirm`: `{"proceed": true}`. */
export interface Ask {
  /** A question that yes or no answers. */
  readonly question: string;
  /** What a person should know before the answer, a line each. */
  readonly lines: readonly string[];
}

/** The server that asked a flow to wait. */
export interface Waiting {
  /** The server's name for people: `github.com`. */
  readonly for: string;
  /** ISO 8601. */
  readonly until: string;
}

/** The server that asked to wait, and until when, as text. */
export function waitingFor({ for: server, until }: Waiting): string {
  return `waiting for ${server} until ${until.slice(0, 19)}Z`;
}
