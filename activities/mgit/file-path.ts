import { isUtf8 } from 'node:buffer';
import type { FilePath } from '../../domain/git/change.ts';

/** A path from git: as text, and as bytes if it is not UTF-8. */
export function filePath(bytes: Buffer): FilePath {
  if (isUtf8(bytes)) return { path: bytes.toString('utf8') };
  return { path: readable(bytes), pathBytes: bytes.toString('base64') };
}

/** The bytes of a path, one character each: identifies a file of a commit. */
export function exactPath({ path, pathBytes }: FilePath): string {
  return Buffer.from(pathBytes ?? path, pathBytes === undefined ? 'utf8' : 'base64').toString('latin1');
}

function readable(bytes: Buffer): string {
  let text = '';
  for (let at = 0; at < bytes.length;) {
    const length = [1, 2, 3, 4].find((size) => at + size <= bytes.length && isUtf8(bytes.subarray(at, at + size))) ?? 0;
    text +=
      length === 0
        ? `\\x${bytes
            .subarray(at, at + 1)
            .toString('hex')
            .toUpperCase()}`
        : bytes.subarray(at, at + length).toString('utf8');
    at += Math.max(length, 1);
  }
  return text;
}
