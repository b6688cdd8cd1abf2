import type { Connection } from '@temporalio/client';
/** The search attributes that flows set, all of type Keyword: what a workflow is about, and where it stands. */
export declare const SEARCH_ATTRIBUTES: readonly ['LonghaulRepository', 'LonghaulStage'];
/** What a server on an SQL database has room for, by type; a server on Elasticsearch has no such limits. */
export declare const SQL_KEYWORD_SLOTS = 10;
/** The Keyword search attributes of a namespace. */
export interface KeywordSlots {
    readonly used: number;
    /** Those of {@link SEARCH_ATTRIBUTES} that are not registered. */
    readonly missing: readonly string[];
}
/** Counts the registered Keyword attributes of a namespace. */
export declare function keywordSlots(connection: Connection, namespace: string): Promise<KeywordSlots>;
/**
 * Registers what is missing of {@link SEARCH_ATTRIBUTES}, as often as you like; on the embedded server or the user's own.
 * Throws {@link StackError} when the server has no room for them or does not let us.
 */
export declare function registerSearchAttributes(connection: Connection, namespace: string): Promise<void>;
