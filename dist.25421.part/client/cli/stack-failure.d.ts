/** Does `work`, and gives what the stack throws its name among the failures: `StackFailed`. */
export declare function namingStackFailures<T>(work: () => Promise<T>): Promise<T>;
