/**
 * Every failure that a flow can end with, by its Temporal `ApplicationFailure.type`: how often it is worth trying (1: not
 * again; null: for as long as the flow allows, because only waiting helps), the exit code of the command line, and what the
 * operator should do. One table, so that workers, the command line and the documentation never disagree.
 */
export declare const FAILURES: {
    readonly InvalidInput: {
        readonly tries: 1;
        readonly exitCode: 2;
        readonly remedy: 'Correct the input that the message names and start again.';
    };
    readonly InvalidConfiguration: {
        readonly tries: 1;
        readonly exitCode: 2;
        readonly remedy: 'Correct the file and key that the message names.';
    };
    readonly AuthenticationFailed: {
        readonly tries: 1;
        readonly exitCode: 5;
        readonly remedy: 'Give the provider a token that is valid and may read these repositories (tokenEnv in longhaul.yaml).';
    };
    readonly RepositoryNotFound: {
        readonly tries: 1;
        readonly exitCode: 6;
        readonly remedy: 'Check the id with `longhaul repos list`; if the repository is gone, remove it with `longhaul index remove`.';
    };
    readonly RateLimited: {
        readonly tries: null;
        readonly exitCode: 4;
        readonly remedy: 'Nothing: the flow waits as long as the forge asks and goes on.';
    };
    readonly DiscoveryFailed: {
        readonly tries: 5;
        readonly exitCode: 4;
        readonly remedy: 'Check that the provider can be reached from the worker.';
    };
    readonly GitFailed: {
        readonly tries: 4;
        readonly exitCode: 4;
        readonly remedy: 'Check that the remote can be reached and read by the worker.';
    };
    readonly SchemaMismatch: {
        readonly tries: 1;
        readonly exitCode: 3;
        readonly remedy: 'The collection in Weaviate was made by something else: use another indexName, or remove that collection.';
    };
    readonly IndexIncomplete: {
        readonly tries: 4;
        readonly exitCode: 1;
        readonly remedy: 'Run the sync again: the old receipt was kept, and the next run repairs the difference.';
    };
    readonly ServerUnavailable: {
        readonly tries: null;
        readonly exitCode: 4;
        readonly remedy: 'Run `longhaul doctor`.';
    };
    readonly StackFailed: {
        readonly tries: 1;
        readonly exitCode: 3;
        readonly remedy: 'Run `longhaul doctor`.';
    };
    readonly SomeRepositoriesFailed: {
        readonly tries: 1;
        readonly exitCode: 1;
        readonly remedy: 'Mend what each line names and run the same command again: only what failed is done again.';
    };
};
/** The name of a failure, as Temporal shows it in `ApplicationFailure.type`. */
export type FailureType = keyof typeof FAILURES;
/** True when `type` is one of {@link FAILURES}. */
export declare function isFailureType(type: unknown): type is FailureType;
/** How often an error that nobody anticipated is tried. */
export declare const TRIES_WHEN_UNEXPECTED = 5;
/** The types that Temporal's retry policies must not retry. */
export declare const NON_RETRYABLE: readonly FailureType[];
/**
 * An anticipated failure, outside Temporal. Adapters throw it with a sentence that names what is wrong and where; the
 * worker turns it into an `ApplicationFailure` of the same type, the command line into a message and an exit code.
 */
export declare class LonghaulError extends Error {
    readonly type: FailureType;
    /** Milliseconds to wait before the next try, when the other side said so (`retry-after`). */
    readonly retryAfterMs: number | undefined;
    constructor(type: FailureType, message: string, options?: {
        cause?: unknown;
        retryAfterMs?: number;
    });
}
