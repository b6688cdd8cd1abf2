import { type SearchAnswer, type SearchQuery } from '../activities/index/search.ts';
import type { CliContext } from './cli/context.ts';
/** A search that stays open for more than one question. */
export interface SearchSession {
    /** Answers a question; `pattern` restricts it to the indexed repositories that match. */
    search(question: Omit<SearchQuery, 'repositories'> & {
        readonly pattern?: string;
    }): Promise<SearchAnswer>;
    close(): Promise<void>;
}
/** Connects to the index of a context. Throws `ServerUnavailable`. */
export declare function openSearch(context: CliContext): Promise<SearchSession>;
