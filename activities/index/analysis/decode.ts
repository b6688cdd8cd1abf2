import { isUtf8 } from 'node:buffer';

const UTF_8 = new TextDecoder('utf-8');
const WESTERN = new TextDecoder('windows-1252');

/**
 * The text of a file: UTF-8 without its byte order mark, or, if it is not UTF-8, windows-1252. The line structure is
 * the same either way.
 */
export function decodeText(content: Uint8Array): string {
  return (isUtf8(content) ? UTF_8 : WESTERN).decode(content);
}
