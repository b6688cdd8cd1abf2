import { Parser, Query } from 'web-tree-sitter';
/** A language's parser and the query for its definitions (`@name` inside `@definition.*`). */
export interface Grammar {
    readonly parser: Parser;
    readonly definitions: Query;
}
/** The grammar of a language as linguist names it, loaded once a thread; null when there is none. */
export declare function grammarOf(language: string): Promise<Grammar | null>;
