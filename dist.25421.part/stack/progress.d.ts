/** One thing worth telling while the stack starts or runs. */
export interface StackProgress {
    /** What it is about: `temporal`, `weaviate`, `model`, `worker`, `stack`. */
    readonly about: string;
    readonly message: string;
    /** True for a state that the next message about the same thing replaces (bytes so far, seconds so far). */
    readonly passing: boolean;
}
/** Receives progress; must not throw. */
export type OnProgress = (progress: StackProgress) => void;
