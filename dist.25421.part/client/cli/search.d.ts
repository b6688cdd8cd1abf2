import type { CliContext } from './context.ts';
/** `longhaul search`. */
export declare function searchCommand(context: CliContext, query: string, options: {
    repo?: string;
    lang?: string;
    path?: string;
    limit: number;
    json?: boolean;
}): Promise<number>;
