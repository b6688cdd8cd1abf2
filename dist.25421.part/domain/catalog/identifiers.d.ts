/**
 * The words of an identifier, lower-cased, in order: `parseHTTPResponse2` is parse, http, response, 2; `MAX_BATCH` is max,
 * batch. An identifier of one word is itself.
 */
export declare function splitIdentifier(identifier: string): string[];
/**
 * Puts a space wherever an identifier's words meet and leaves everything else as it is, so that a model that knows English
 * words reads `getUserName` as three of them.
 */
export declare function spaceIdentifiers(text: string): string;
/**
 * The search terms of a text, in order and with repetitions: for each identifier the stems of its words and, when there are
 * several, the stem of all of them written together (`getUserNames`: get, user, name, getusernam). Terms consist of letters
 * and digits only, so a tokenizer that splits on anything else keeps them whole.
 */
export declare function stems(text: string): string[];
/**
 * The search terms of a question: {@link stems} without repetitions and without the words that only make it a sentence. A
 * question of nothing but such words keeps them.
 */
export declare function queryStems(query: string): string[];
