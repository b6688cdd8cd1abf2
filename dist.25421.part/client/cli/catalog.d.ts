import type { CliContext } from './context.ts';
/** `longhaul repos list`: what the providers have, in mgit's own words. */
export declare function listRepositories(context: CliContext, patterns: readonly string[], { json }: {
    readonly json?: boolean;
}): Promise<number>;
/** `longhaul diff`: the change stream of one repository since a commit, JSONL on stdout. */
export declare function printDiff(context: CliContext, repository: string, { since }: {
    readonly since?: string;
}): Promise<number>;
/** `longhaul index list`: the receipts. */
export declare function listIndex(context: CliContext, { json }: {
    readonly json?: boolean;
}): Promise<number>;
/** `longhaul index stdin`: ingests a change stream of any producer. */
export declare function indexStdin(context: CliContext, options: {
    readonly provider: string;
    readonly file?: string;
    readonly json?: boolean;
}): Promise<number>;
