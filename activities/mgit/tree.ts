import { LonghaulError } from '../../domain/shared/failures.ts';
import { filePath } from './file-path.ts';

/** Git's mode of a folder, as it is written in trees. */
export const FOLDER = '40000';

/** One entry of a git tree. */
export interface TreeEntry {
  /** One of 40000 (a folder), 100644, 100755, 120000 (a symbolic link), 160000 (a submodule). */
  readonly mode: string;
  /** In the format of `FilePath.path`. */
  readonly name: string;
  /** The bytes of the name, one character each. */
  readonly exactName: string;
  /** False when the name's bytes are not UTF-8. */
  readonly isText: boolean;
  readonly oid: string;
}

/** Parses a tree object whose oids have this many bytes. Throws `GitFailed` when it is not a tree. */
export function* parseTree(content: Uint8Array, oidLength: number): Generator<TreeEntry> {
  const bytes = Buffer.from(content.buffer, content.byteOffset, content.byteLength);
  for (let at = 0; at < bytes.length;) {
    const space = bytes.indexOf(0x20, at);
    const end = space < 0 ? -1 : bytes.indexOf(0, space + 1);
    const next = end + 1 + oidLength;
    const mode = bytes.toString('latin1', at, Math.max(space, at));
    if (end <= space + 1 || next > bytes.length || !/^[0-7]{1,7}$/.test(mode)) {
      throw new LonghaulError('GitFailed', 'A tree of the repository is damaged: check it with git fsck.');
    }
    const exact = bytes.subarray(space + 1, end);
    const { path: name, pathBytes } = filePath(exact);
    yield {
      mode: canonicalMode(Number.parseInt(mode, 8)),
      name,
      exactName: exact.toString('latin1'),
      isText: pathBytes === undefined,
      oid: bytes.toString('hex', end + 1, next),
    };
    at = next;
  }
}

const TYPE = 0o170_000;

/**
 * The mode as git reads it (`canon_mode`), which accepts leading zeros and other permissions: written by old programs.
 */
function canonicalMode(mode: number): string {
  switch (mode & TYPE) {
    case 0o100_000:
      return mode & 0o100 ? '100755' : '100644';
    case 0o120_000:
      return '120000';
    case 0o040_000:
      return FOLDER;
    default:
      return '160000';
  }
}
