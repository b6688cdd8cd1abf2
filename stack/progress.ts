/** A progress message of the stack. */
export interface StackProgress {
  /** Its subject: `temporal`, `weaviate`, `postgres`, `model`, `worker`, `stack`. */
  readonly about: string;
  readonly message: string;
  /** True when the next message about the same subject replaces it (bytes so far, seconds so far). */
  readonly passing: boolean;
}

/** Receives progress; must not throw. */
export type OnProgress = (progress: StackProgress) => void;
