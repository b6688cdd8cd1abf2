import { LonghaulError } from '../shared/failures.ts';
import { encodeBase64 } from './base64.ts';
import type { Change, FilePath, SkipReason } from './change.ts';

/** Where a line's content is. */
export type LineContent =
  | { readonly kind: 'bytes'; readonly bytes: Uint8Array }
  /** In the file at this absolute path. */
  | { readonly kind: 'file'; readonly path: string }
  /** Not in the line: the file is skipped, or the reader has to find the content. */
  | { readonly kind: 'none' };

/** One side of a change as given in a line; null for what the producer left out. */
export interface LineSide extends FilePath {
  readonly oid: string | null;
  readonly mode: string | null;
  readonly skip: SkipReason | null;
}

/** A line about a file. */
export interface FileLine {
  readonly kind: 'file';
  /** Line number in the stream, from 1. */
  readonly line: number;
  /** The producer's name for the repository, often a basename; null on a bare path. */
  readonly repo: string | null;
  /** The full id; null when the producer is not Longhaul. */
  readonly repoId: string | null;
  readonly op: Change['op'];
  readonly file: LineSide;
  /**
   * The file before the change: on `rename` always, with its former path; otherwise only when the line describes it.
   */
  readonly old: LineSide | null;
  /** Size in bytes; null when not given. */
  readonly size: number | null;
  readonly content: LineContent;
  /** SHA-256 of the content in hexadecimal, as the producer gave it; null when not given. */
  readonly contentHash: string | null;
  /** The language that the repository declares for the file; null when not given. */
  readonly language: string | null;
  /** True when the repository declares it as not generated. */
  readonly handwritten: boolean;
}

/** The line that ends a repository's stream. */
export interface ChangesetLine {
  readonly kind: 'changeset';
  readonly line: number;
  readonly repo: string | null;
  readonly repoId: string | null;
  /** What the producer gave; a repository without commits has no `commit`. */
  readonly commit: string | null;
  readonly parent: string | null;
  /** True when the producer gave `"parent": null`: the stream lists everything. */
  readonly fromNothing: boolean;
  readonly branch: string | null;
  readonly tree: string | null;
  readonly timestamp: string | null;
}

/** A parsed line of the stream. */
export type ChangeLine = FileLine | ChangesetLine;

const LONE_SURROGATE = /\p{Surrogate}/u;

type Fields = Readonly<Record<string, unknown>>;

/**
 * Parses one line from any producer: both spellings of every field, a bare path (`modify`), a missing `op`, mgit's null
 * content of a binary file, a changeset with or without its parent, tree and time. Null for an empty line. Throws
 * `InvalidInput` with the line number.
 */
export function parseChangeLine(text: string, line: number): ChangeLine | null {
  const trimmed = text.replace(/\r?\n?$/, '');
  if (trimmed.trim() === '') return null;
  if (!trimmed.startsWith('{')) return barePath(trimmed, line);
  const fields = parseObject(trimmed, line);
  const repo = optionalText(fields, 'repo', line);
  const repoId = optionalText(fields, 'repo_id', line);
  if ('new_changeset' in fields) return changesetLine(fields['new_changeset'], { repo, repoId, line });
  return fileLine(fields, { repo, repoId, line });
}

const OPERATIONS: readonly Change['op'][] = ['add', 'modify', 'delete', 'rename'];
const SKIP_REASONS: readonly SkipReason[] = [
  'vendored',
  'generated',
  'minified',
  'binary',
  'too-large',
  'lfs-pointer',
  'symlink',
  'submodule',
  'empty',
];

interface Origin {
  readonly repo: string | null;
  readonly repoId: string | null;
  readonly line: number;
}

function barePath(path: string, line: number): FileLine {
  const file = { path: checkPath(path, 'the path', line), oid: null, mode: null, skip: null };
  return {
    kind: 'file',
    line,
    repo: null,
    repoId: null,
    op: 'modify',
    file,
    old: null,
    size: null,
    content: { kind: 'none' },
    contentHash: null,
    language: null,
    handwritten: false,
  };
}

function changesetLine(value: unknown, origin: Origin): ChangesetLine {
  const { line } = origin;
  if (!isObject(value)) refuse(line, 'new_changeset is not an object');
  return {
    kind: 'changeset',
    ...origin,
    commit: oid(value, 'commit', line),
    parent: oid(value, 'parent', line),
    fromNothing: value['parent'] === null,
    branch: optionalText(value, 'branch', line),
    tree: oid(value, 'tree_hash', line),
    timestamp: optionalText(value, 'timestamp', line),
  };
}

function fileLine(fields: Fields, origin: Origin): FileLine {
  const { line } = origin;
  const op = optionalText(fields, 'op', line) ?? 'modify';
  if (!isOneOf(OPERATIONS, op)) refuse(line, `op is ${JSON.stringify(op)}; use one of ${OPERATIONS.join(', ')}`);
  const path = sidePath(fields, 'path', 'path_base64', line);
  if (path === null) refuse(line, 'path is missing');
  const content = op === 'delete' ? ({ kind: 'none' } as const) : contentOf(fields, line);
  const file: LineSide = {
    ...path,
    oid: oid(fields, 'blob', line),
    mode: mode(fields, 'mode', line),
    skip: op === 'delete' ? null : skipOf(fields, content, line),
  };
  const old = oldSide(fields, op, path, line);
  const size = wholeNumber(fields, 'size', line) ?? wholeNumber(fields, 'size_bytes', line);
  return {
    kind: 'file',
    ...origin,
    op,
    file,
    old,
    size: content.kind === 'bytes' ? content.bytes.length : size,
    content,
    contentHash: op === 'delete' ? null : contentHash(fields, line),
    language: op === 'delete' ? null : optionalText(fields, 'language', line),
    handwritten: op !== 'delete' && fields['handwritten'] === true,
  };
}

function oldSide(fields: Fields, op: Change['op'], path: FilePath, line: number): LineSide | null {
  const oldPath = sidePath(fields, 'old_path', 'old_path_base64', line);
  const side = {
    oid: oid(fields, 'old_blob', line),
    mode: mode(fields, 'old_mode', line),
    skip: skipReason(fields, 'old_skip_reason', line),
  };
  if (op === 'rename' && oldPath === null) refuse(line, 'a rename needs old_path');
  if (oldPath === null && side.oid === null && side.mode === null) return null;
  return { ...(oldPath ?? path), ...side };
}

function contentOf(fields: Fields, line: number): LineContent {
  const text = optionalText(fields, 'content', line);
  const base64 = optionalText(fields, 'content_base64', line);
  const ref = optionalText(fields, 'content_ref', line);
  if ([text, base64, ref].filter((value) => value !== null).length > 1) {
    refuse(line, 'give only one of content, content_base64, content_ref');
  }
  if (text !== null) return { kind: 'bytes', bytes: new TextEncoder().encode(text) };
  if (base64 !== null) return { kind: 'bytes', bytes: decodeBase64(base64, 'content_base64', line) };
  if (ref === null) return { kind: 'none' };
  if (!/^(\/|[A-Za-z]:[\\/])/.test(ref) || ref.includes('\0')) refuse(line, 'content_ref is not an absolute path');
  return { kind: 'file', path: ref };
}

/**
 * mgit's releases print `"content": null` and an unknown charset for a binary file; the specification uses
 * `skip_index`.
 */
function skipOf(fields: Fields, content: LineContent, line: number): SkipReason | null {
  const reason = skipReason(fields, 'skip_reason', line);
  const skip = fields['skip_index'];
  if (skip !== undefined && skip !== null && typeof skip !== 'boolean') refuse(line, 'skip_index is not true or false');
  if (skip === true) return reason ?? 'binary';
  if (content.kind === 'none' && fields['content'] === null) return fields['size_bytes'] === 0 ? 'empty' : 'binary';
  return reason;
}

function skipReason(fields: Fields, key: string, line: number): SkipReason | null {
  const reason = optionalText(fields, key, line);
  if (reason === null || isOneOf(SKIP_REASONS, reason)) return reason;
  return refuse(line, `${key} is ${JSON.stringify(reason)}; use one of ${SKIP_REASONS.join(', ')}`);
}

function sidePath(fields: Fields, key: string, bytesKey: string, line: number): FilePath | null {
  const path = optionalText(fields, key, line);
  const bytes = optionalText(fields, bytesKey, line);
  if (path === null) return bytes === null ? null : refuse(line, `${bytesKey} is given without ${key}`);
  if (bytes === null) return { path: checkPath(path, key, line) };
  const exact = decodeBase64(bytes, bytesKey, line);
  checkPath(new TextDecoder('latin1').decode(exact), bytesKey, line);
  return { path: checkPath(path, key, line), pathBytes: encodeBase64(exact) };
}

/** The path is only a name here, but a path that git cannot hold could never be found again. */
function checkPath(path: string, key: string, line: number): string {
  if (path === '' || path.includes('\0')) refuse(line, `${key} is empty or contains a NUL`);
  if (/^(\/|[A-Za-z]:[\\/])/.test(path)) refuse(line, `${key} is absolute: give the path within the repository`);
  if (path.split('/').some((part) => part === '..' || part === '.')) refuse(line, `${key} contains . or ..`);
  return path;
}

function oid(fields: Fields, key: string, line: number): string | null {
  const value = optionalText(fields, key, line);
  if (value === null || value === '') return null;
  return /^[0-9a-f]{4,64}$/i.test(value) ? value.toLowerCase() : refuse(line, `${key} is not a hexadecimal object id`);
}

/** mgit's releases give an empty string for files without content. */
function contentHash(fields: Fields, line: number): string | null {
  const value = optionalText(fields, 'content_hash', line);
  if (value === null || value === '') return null;
  return /^[0-9a-f]{64}$/i.test(value)
    ? value.toLowerCase()
    : refuse(line, 'content_hash is not a SHA-256 of 64 hexadecimal digits');
}

function mode(fields: Fields, key: string, line: number): string | null {
  const value = optionalText(fields, key, line);
  return value === null || /^[0-7]{6}$/.test(value)
    ? value
    : refuse(line, `${key} is not a file mode of six octal digits`);
}

function wholeNumber(fields: Fields, key: string, line: number): number | null {
  const value = fields[key];
  if (value === undefined || value === null) return null;
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0
    ? value
    : refuse(line, `${key} is not a number of bytes`);
}

function optionalText(fields: Fields, key: string, line: number): string | null {
  const value = fields[key];
  if (value === undefined || value === null) return null;
  if (typeof value !== 'string') return refuse(line, `${key} is not a string`);
  // half of a surrogate pair is not a character: UTF-8 would encode a different one
  return LONE_SURROGATE.test(value) ? refuse(line, `${key} contains half of a surrogate pair`) : value;
}

function parseObject(text: string, line: number): Fields {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    return refuse(line, `not JSON (${(error as Error).message.slice(0, 100)})`, error);
  }
  return isObject(value) ? value : refuse(line, 'not a JSON object');
}

function isObject(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isOneOf<T extends string>(allowed: readonly T[], value: string): value is T {
  return (allowed as readonly string[]).includes(value);
}

function refuse(line: number, what: string, cause?: unknown): never {
  throw new LonghaulError('InvalidInput', `Line ${line} of the change stream: ${what}.`, { cause });
}

function decodeBase64(text: string, key: string, line: number): Uint8Array {
  try {
    return Uint8Array.from(atob(text), (character) => character.codePointAt(0) ?? 0);
  } catch (error) {
    return refuse(line, `${key} is not base64`, error);
  }
}
