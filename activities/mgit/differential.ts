import type { Declared } from '../../domain/git/attributes.ts';
import type { BlobRef, Change, FilePath, FullReason, OldFile, SkipReason } from '../../domain/git/change.ts';
import { DEFAULT_REF, type Snapshot } from '../../domain/git/snapshot.ts';
import { readLimit, withinLimit } from '../../domain/git/notebook.ts';
import { skipByContent } from '../../domain/git/skip.ts';
import { LonghaulError } from '../../domain/shared/failures.ts';
import { type GitObject, type ObjectReader, openObjectReader } from '../git/cat-file.ts';
import {
  compareCommits,
  compareTrees,
  emptyTree,
  type Entry,
  formatOf,
  hasCommit,
  isNullOid,
  listCommit,
} from './diff.ts';
import type { Git, ObjectFormat } from '../git/git.ts';
import { skipByConvention } from './linguist.ts';
import { resolveHead, unreadable, withSource } from './resolve-remote.ts';
import type { Access, Source } from './source.ts';
import {
  attributesAmong,
  type DeclaredFiles,
  findAttributes,
  isAttributesFile,
  readAttributes,
  requireAttributes,
} from './attributes.ts';
import { exactPath } from './file-path.ts';

/** The changes from one snapshot of a repository to another. */
export interface Differential {
  /** Where it starts; null when it starts from nothing. */
  readonly from: Snapshot | null;
  readonly to: Snapshot;
  /** Why it starts from nothing although a start was given; null otherwise. */
  readonly full: FullReason | null;
  /** Number of changes. */
  readonly files: number;
  /**
   * The changes, ordered by path. Contents are read on demand, no further ahead than pipes hold. Throws `GitFailed`
   * when an object is missing.
   */
  changes(): AsyncIterable<Change>;
  /** Blobs of the old side, in this order; null for one that is no longer available or too large. */
  readOld(files: readonly OldBlob[]): AsyncIterable<{ readonly oid: string; readonly content: Uint8Array | null }>;
}

/** A blob, and a path that it had. */
export type OldBlob = Pick<OldFile, 'oid' | 'path'>;

/** Tools for making differentials. */
export interface DifferentialTools {
  readonly git: Git;
  readonly cacheDir: string;
  /** Larger files are skipped and never loaded. */
  readonly maxFileBytes: number;
}

/** See `Mgit.diff`. */
export interface DifferentialOptions {
  /** The commit to go to. @default where HEAD is */
  readonly target?: Snapshot;
  /** Why every file is read. @default only what changed is read */
  readonly full?: FullReason;
  /** The observed position of the ref to go to. @default the current HEAD, which is requested */
  readonly at?: Goal;
  /** Commits to fetch with it when a fetch is needed: those of all indexed refs. @default none */
  readonly tips?: ReadonlyMap<string, string>;
}

/** The end of a differential. */
export interface Goal {
  readonly commit: string;
  readonly branch: string | null;
}

/** Determines the changes without reading contents. */
export async function differentiate(
  tools: DifferentialTools,
  access: Access,
  since: Snapshot | null,
  { target, full, at, tips }: DifferentialOptions,
): Promise<Differential> {
  const { git, cacheDir } = tools;
  if (target) {
    const found = await towards(tools, access, since, target, full ?? null);
    if (found) return found;
  }
  const reason = full ?? (target ? 'interrupted-run' : null);
  const head = at ?? (await resolveHead(git, access));
  if (since !== null && reason === null && head.commit === since.commit) return unchanged(since, head.branch);
  return withSource(git, cacheDir, access, formatFor(head, since), async (source) => {
    if (!isNullOid(head.commit)) await source.fetchTips(fetchable(tips ?? new Map([[DEFAULT_REF, head.commit]])));
    return between(tools, access, source, since, head, reason);
  });
}

/** Without the HEAD of a repository that has no commits. */
function fetchable(tips: ReadonlyMap<string, string>): ReadonlyMap<string, string> {
  return new Map([...tips].filter(([, commit]) => !isNullOid(commit)));
}

/** The differential to exactly `target`; null when its commit is no longer available. */
async function towards(
  tools: DifferentialTools,
  access: Access,
  since: Snapshot | null,
  target: Snapshot,
  full: FullReason | null,
): Promise<Differential | null> {
  if (since !== null && full === null && target.commit === since.commit) return unchanged(since, target.branch);
  if (formatOf(target.commit) === null) return null;
  return withSource(tools.git, tools.cacheDir, access, formatFor(target, since), async (source) => {
    const held =
      isNullOid(target.commit) ||
      (await hasCommit(tools.git, source.store, target.commit, aboutOf(access))) ||
      (await source.fetchCommit(target.commit));
    return held ? between(tools, access, source, since, target, full) : null;
  });
}

async function between(
  tools: DifferentialTools,
  access: Access,
  source: Source,
  since: Snapshot | null,
  goal: Goal,
  asked: FullReason | null,
): Promise<Differential> {
  let full = asked ?? (since === null ? 'first-sync' : null);
  if (since !== null && full === null) {
    const found = await compare(tools.git, access, source, since, goal);
    if (found === null) full = 'receipt-tree-gone';
    else if (found.entries.some(touchesAttributes)) full = 'attributes-changed';
    else return differential(tools, access, source, { ...found, from: snapshotOf(since), goal, full: null });
  }
  const { store } = source;
  const found = isNullOid(goal.commit)
    ? { tree: emptyTree(store.format), timestamp: null, entries: [] }
    : await listCommit(tools.git, store, goal.commit, aboutOf(access));
  return differential(tools, access, source, { ...found, from: null, goal, full });
}

interface Found {
  readonly tree: string;
  readonly timestamp: string | null;
  readonly entries: readonly Entry[];
}

/** Null when the content of `since` is no longer available. */
async function compare(git: Git, access: Access, source: Source, since: Snapshot, goal: Goal): Promise<Found | null> {
  const about = aboutOf(access);
  const { store } = source;
  const nothing = emptyTree(store.format);
  if (formatOf(since.commit) !== store.format) return null;
  if (isNullOid(since.commit)) {
    if (isNullOid(goal.commit)) return { tree: nothing, timestamp: null, entries: [] };
    return listCommit(git, store, goal.commit, about);
  }
  const attempt = async (): Promise<Found> =>
    isNullOid(goal.commit)
      ? { tree: nothing, timestamp: null, entries: await compareTrees(git, store, since.commit, nothing, about) }
      : compareCommits(git, store, since.commit, goal.commit, about);
  try {
    return await attempt();
  } catch (error) {
    access.signal?.throwIfAborted();
    if (await hasCommit(git, store, since.commit, about)) throw error;
    return (await source.fetchCommit(since.commit)) ? attempt() : null;
  }
}

function differential(
  tools: DifferentialTools,
  access: Access,
  source: Source,
  found: Found & { readonly from: Snapshot | null; readonly goal: Goal; readonly full: FullReason | null },
): Differential {
  const { entries, from, full, goal, tree, timestamp } = found;
  return {
    from,
    to: { commit: goal.commit, tree, branch: goal.branch, timestamp },
    full,
    files: entries.length,
    changes: () => readChanges(tools, access, source, { commit: goal.commit, tree, entries, isListing: full !== null }),
    readOld: (old) => readOld(tools, access, source, old),
  };
}

function unchanged(since: Snapshot, branch: string | null): Differential {
  const from = snapshotOf(since);
  return {
    from,
    to: { ...from, branch },
    full: null,
    files: 0,
    async *changes() {},
    async *readOld() {},
  };
}

async function* readChanges(
  tools: DifferentialTools,
  access: Access,
  source: Source,
  { commit, tree, entries, isListing }: Pick<Found, 'tree' | 'entries'> & { commit: string; isListing: boolean },
): AsyncGenerator<Change, void> {
  if (entries.length === 0) return;
  const { git, cacheDir, maxFileBytes } = tools;
  await source.open();
  try {
    const reader = await openObjectReader(git, source.store, aboutOf(access));
    try {
      await fetchAgain(access, source, reader, commit);
      const { store } = source;
      const found = isListing
        ? attributesAmong(entries)
        : await findAttributes({ git, store }, tree, pathsOf(entries), aboutOf(access));
      await fetchMissing(access, source, reader, found.values());
      await requireAttributes(reader, found, access.id);
      const attributes = await readAttributes({ git, store, cacheDir }, found, pathsOf(entries), aboutOf(access));
      const skips = entries.map(({ status, mode, file }) =>
        status === 'D' ? null : skipEntry(file, mode, attributes),
      );
      const requested = entries
        .filter(({ status }, at) => status !== 'D' && skips[at] === null)
        .map(({ oid, file }) => ({ oid, maxBytes: readLimit(file.path, maxFileBytes) }));
      await fetchMissing(
        access,
        source,
        reader,
        requested.map(({ oid }) => oid),
      );
      const contents = reader.read(requested);
      for (const [at, entry] of entries.entries()) {
        const skip = skips[at] ?? null;
        const object = entry.status === 'D' || skip !== null ? null : await nextObject(contents, access, source, entry);
        const fitting = object && { ...object, content: withinLimit(entry.file.path, object.content, maxFileBytes) };
        yield changeOf(entry, fitting, skip, attributes);
      }
    } finally {
      reader.close();
    }
  } finally {
    await source.close();
  }
}

/** Fetches the commit again if the mirror was evicted after the comparison. */
async function fetchAgain({ id, remote }: Access, source: Source, reader: ObjectReader, commit: string): Promise<void> {
  if (remote.path !== null || isNullOid(commit) || (await reader.missing([commit])).length === 0) return;
  if (await source.fetchCommit(commit)) return;
  throw new LonghaulError('GitFailed', `The remote of ${id} no longer has the commit ${commit}: try again.`);
}

async function nextObject(
  contents: AsyncIterator<GitObject, void>,
  access: Access,
  source: Source,
  { oid, file }: Entry,
): Promise<GitObject> {
  const { value } = await contents.next();
  if (value && value.type !== null) return value;
  await source.discard();
  const message = `${access.id} does not have the content ${oid} of ${file.path}: the repository is incomplete.`;
  throw await unreadable(access, message);
}

async function* readOld(
  { git, maxFileBytes }: DifferentialTools,
  access: Access,
  source: Source,
  old: readonly OldBlob[],
): AsyncGenerator<{ oid: string; content: Uint8Array | null }, void> {
  if (old.length === 0) return;
  await source.open();
  try {
    const reader = await openObjectReader(git, source.store, aboutOf(access));
    try {
      const missing = await reader.missing([...new Set(old.map(({ oid }) => oid))]);
      if (missing.length > 0) await source.fetchBlobs(missing);
      const contents = reader.read(old.map(({ oid, path }) => ({ oid, maxBytes: readLimit(path, maxFileBytes) })));
      const files = old.values();
      for await (const { oid, content } of contents) {
        yield { oid, content: withinLimit(files.next().value?.path ?? '', content, maxFileBytes) };
      }
    } finally {
      reader.close();
    }
  } finally {
    await source.close();
  }
}

/** Fetches missing objects with one request, instead of one by one while reading. */
async function fetchMissing(
  { id, remote }: Access,
  source: Source,
  reader: ObjectReader,
  oids: Iterable<string>,
): Promise<void> {
  if (remote.path !== null) return;
  const unique = [...new Set(oids)];
  const missing = source.isBlank ? unique : await reader.missing(unique);
  if (missing.length === 0 || (await source.fetchBlobs(missing))) return;
  await source.fetchWhole();
  if ((await reader.missing(missing)).length === 0) return;
  throw new LonghaulError('GitFailed', `The remote of ${id} does not provide the files of its own HEAD: try again.`);
}

function changeOf(
  entry: Entry,
  object: GitObject | null,
  declaredSkip: SkipReason | null,
  attributes: DeclaredFiles,
): Change {
  const { status, file, oid, mode } = entry;
  const old = status === 'A' ? {} : { old: oldFile(entry, attributes) };
  if (status === 'D') return { op: 'delete', ...file, ...old };
  const skip = declaredSkip ?? skipObject(file, object, attributes);
  const blob: BlobRef = { oid, mode };
  const content = skip === null ? (object?.content ?? null) : null;
  const op = status === 'A' ? 'add' : status === 'R' ? 'rename' : 'modify';
  return {
    op,
    ...file,
    blob,
    ...old,
    size: object?.size ?? 0,
    content,
    ...(skip === null ? {} : { skip }),
    ...declaredOf(file, attributes),
  };
}

function oldFile({ file, oldFile: moved, oldOid, oldMode }: Entry, attributes: DeclaredFiles): OldFile {
  const path = moved ?? file;
  const skip = skipEntry(path, oldMode, attributes);
  return { ...path, oid: oldOid, mode: oldMode, ...(skip === null ? {} : { skip }), ...declaredOf(path, attributes) };
}

function declaredOf(file: FilePath, attributes: DeclaredFiles): Pick<OldFile, 'handwritten' | 'language'> {
  const { generated, language } = declaredFor(file, attributes);
  return {
    ...(generated === false ? { handwritten: true } : {}),
    ...(language === undefined ? {} : { language }),
  };
}

function declaredFor(file: FilePath, attributes: DeclaredFiles): Declared {
  return attributes.get(exactPath(file)) ?? {};
}

function skipObject(file: FilePath, object: GitObject | null, attributes: DeclaredFiles): SkipReason | null {
  if (!object?.content) return 'too-large';
  return skipByContent(file.path, object.content, declaredFor(file, attributes));
}

function skipEntry(file: FilePath, mode: string, attributes: DeclaredFiles): SkipReason | null {
  if (mode === '160000') return 'submodule';
  if (mode === '120000') return 'symlink';
  return skipByConvention(file.path, declaredFor(file, attributes));
}

function touchesAttributes({ file, oldFile: moved }: Entry): boolean {
  return isAttributesFile(file.path) || (moved !== null && isAttributesFile(moved.path));
}

function* pathsOf(entries: readonly Entry[]): Generator<FilePath> {
  for (const { file, oldFile: moved } of entries) {
    yield file;
    if (moved) yield moved;
  }
}

/** A repository without commits does not show its object format: uses that of the former snapshot. */
function formatFor(goal: Goal, since: Snapshot | null): ObjectFormat {
  const known = isNullOid(goal.commit) ? (since?.commit ?? goal.commit) : goal.commit;
  return formatOf(known) ?? 'sha1';
}

function snapshotOf({ commit, tree, branch, timestamp }: Snapshot): Snapshot {
  return { commit, tree, branch, timestamp };
}

function aboutOf({ id, signal }: Access): { about: string; signal: AbortSignal | undefined } {
  return { about: id, signal };
}
