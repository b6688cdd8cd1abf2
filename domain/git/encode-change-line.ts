import { encodeBase64 } from './base64.ts';
import type { Change, FilePath, OldFile } from './change.ts';
import { mimeType } from './mime.ts';
import { repositoryName } from './repository.ts';
import type { Snapshot } from './snapshot.ts';

/** Largest content, in bytes, that a line contains as text. */
const TEXT_LIMIT = 10_000;

/** Largest content, in bytes, that a line contains in base64; larger content is in a file that the line names. */
const BASE64_LIMIT = 100_000;

/** Fields of a line that only the caller knows. */
export interface LineExtras {
  /** Absolute path of a file with the content; required when {@link needsFile} is true. */
  readonly contentRef?: string;
  /** SHA-256 of the content in hexadecimal. */
  readonly contentHash?: string;
}

/** True when content of this size does not fit into a line. */
export function needsFile(size: number): boolean {
  return size > BASE64_LIMIT;
}

/**
 * Encodes one change for a JSON line. It has the fields of mgit's specification, those that its releases print and
 * those that elysiactl reads (`size` and `size_bytes`, `mime` and `mime_type`), and the git object ids of both sides. A
 * file that is not skipped has exactly one of `content`, `content_base64`, `content_ref`.
 */
export function encodeChange(repositoryId: string, change: Change, extras: LineExtras = {}): Record<string, unknown> {
  const line: Record<string, unknown> = {
    repo: repositoryName(repositoryId),
    repo_id: repositoryId,
    op: change.op,
    path: change.path,
  };
  if (change.pathBytes !== undefined) line['path_base64'] = change.pathBytes;
  if (change.old) Object.assign(line, encodeOld(change.old, change));
  if (change.op === 'delete') return line;
  Object.assign(line, { blob: change.blob.oid, mode: change.blob.mode });
  if (change.language !== undefined) line['language'] = change.language;
  if (change.handwritten) line['handwritten'] = true;
  if (change.content === null) {
    const mime = mimeType(change.path, false);
    const known = change.size > 0 || change.skip === 'empty';
    if (known) Object.assign(line, { size: change.size, size_bytes: change.size });
    return Object.assign(line, { mime, mime_type: mime, skip_index: true, skip_reason: change.skip });
  }
  return Object.assign(line, encodeContent(change.path, change.content, extras));
}

/**
 * Encodes the last line of a repository's stream: the state of the index after all lines before it. Its parent is where
 * the stream started; null when it lists everything.
 */
export function encodeChangeset(repositoryId: string, from: Snapshot | null, to: Snapshot): Record<string, unknown> {
  return {
    repo: repositoryName(repositoryId),
    repo_id: repositoryId,
    new_changeset: {
      commit: to.commit,
      parent: from?.commit ?? null,
      branch: to.branch,
      tree_hash: to.tree,
      timestamp: to.timestamp,
    },
  };
}

function encodeOld(old: OldFile, change: FilePath): Record<string, unknown> {
  const moved = old.path !== change.path || old.pathBytes !== change.pathBytes;
  return {
    ...(moved ? { old_path: old.path } : {}),
    ...(moved && old.pathBytes !== undefined ? { old_path_base64: old.pathBytes } : {}),
    old_blob: old.oid,
    old_mode: old.mode,
    ...(old.skip ? { old_skip_reason: old.skip } : {}),
  };
}

function encodeContent(path: string, content: Uint8Array, extras: LineExtras): Record<string, unknown> {
  const text = decodeUtf8(content);
  const mime = mimeType(path, text !== null);
  return {
    size: content.length,
    size_bytes: content.length,
    mime,
    mime_type: mime,
    charset: text === null ? null : 'utf-8',
    ...(extras.contentHash === undefined ? {} : { content_hash: extras.contentHash }),
    ...contentField(content, text, extras.contentRef),
  };
}

function contentField(
  content: Uint8Array,
  text: string | null,
  contentRef: string | undefined,
): Record<string, string> {
  if (text !== null && content.length <= TEXT_LIMIT) return { content: text };
  if (!needsFile(content.length)) return { content_base64: encodeBase64(content) };
  if (contentRef === undefined) throw new TypeError(`content of ${content.length} bytes needs a contentRef`);
  return { content_ref: contentRef };
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Decodes UTF-8; null when the bytes are not UTF-8. */
function decodeUtf8(bytes: Uint8Array): string | null {
  try {
    return utf8.decode(bytes);
  } catch {
    return null;
  }
}
