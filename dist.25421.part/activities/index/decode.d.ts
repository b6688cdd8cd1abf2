/**
 * The text of a file: UTF-8 without its byte order mark, or, where it is not UTF-8, one character a byte, as western editors
 * wrote before. Lines stay lines either way.
 */
export declare function decodeText(content: Uint8Array): string;
