import { existsSync } from 'node:fs';
import { readdir, readFile, rename, rm, stat, utimes } from 'node:fs/promises';
import { join, relative } from 'node:path';
import pLimit from 'p-limit';
import { isShared, withLock } from '../../platform/file-lock.ts';
import { removeTemporaries, temporaryPath } from '../../platform/temporary.ts';
import { writeWhole } from '../../platform/whole-file.ts';

/** Something removed from the cache to keep it within its limit. */
export interface Evicted {
  /** The repository of a removed mirror; null for contents that `longhaul diff` had spooled, and pages of listings. */
  readonly repository: string | null;
  readonly bytes: number;
}

/** An entry of the cache that can be removed. */
interface Item {
  /** Null for spooled content and pages of listings. */
  readonly repository: string | null;
  readonly path: string;
  readonly bytes: number;
  /** Milliseconds. */
  readonly usedAt: number;
  /** Milliseconds for which it stays after its last use, even above the limit. */
  readonly staysMs: number;
}

/** This process's record of the size of a cache. */
interface Known {
  total: number;
  /** Bytes of each mirror, as included in the total. */
  mirrors: Map<string, number>;
  countedAt: number;
  /** Set while the cache is being tidied. */
  isBeingTidied: boolean;
}

/** Other processes add to the cache too: recount after this long. */
const COUNT_AGAIN_MS = 600_000;
/** Frees space for more than one fetch. */
const FILL_AGAIN = 0.9;
/** Readers of `longhaul diff` must still find the contents that it names: they stay for a day. */
const CONTENT_STAYS_MS = 86_400_000;

const LOOKS_AT_ONCE = 16;

const caches = new Map<string, Known>();

/** The folder with the mirrors of a cache. */
export function mirrorsFolder(cacheDir: string): string {
  return join(cacheDir, 'mirrors');
}

/** The folder with the spooled contents of a cache. */
export function contentsFolder(cacheDir: string): string {
  return join(cacheDir, 'spool');
}

/** The folder with stored pages of forge listings. */
export function pagesFolder(cacheDir: string): string {
  return join(cacheDir, 'pages');
}

/**
 * Records that a mirror was used now, and its size if that may have changed. Counting a cache of hundreds of gigabytes
 * then only reads one small file per mirror.
 */
export async function noteUse(cacheDir: string, mirror: string): Promise<void> {
  if (!existsSync(mirror)) return forgetUse(cacheDir, mirror);
  const now = new Date();
  const noted = await stat(usedFile(mirror)).catch(() => null);
  const packs = await stat(join(mirror, 'objects', 'pack')).catch(() => null);
  if (noted !== null && (packs === null || packs.mtimeMs < noted.mtimeMs)) {
    await utimes(usedFile(mirror), now, now).catch(() => undefined);
    return;
  }
  const bytes = await measure(mirror, now);
  const known = caches.get(cacheDir);
  if (known === undefined) return;
  known.total += bytes - (known.mirrors.get(mirror) ?? 0);
  known.mirrors.set(mirror, bytes);
}

/**
 * Size of the mirrors, spooled contents and pages of a cache in bytes, as far as this process knows; null when it has
 * not counted them.
 */
export function cachedBytes(cacheDir: string): number | null {
  const known = caches.get(cacheDir);
  return known === undefined || known.countedAt === 0 ? null : known.total;
}

/** Records that content or a page of this size was written. */
export function noteContent(cacheDir: string, bytes: number): void {
  const known = caches.get(cacheDir);
  if (known !== undefined) known.total += bytes;
}

/** Removes the record of a mirror. */
export async function forgetUse(cacheDir: string, mirror: string): Promise<void> {
  await rm(usedFile(mirror), { force: true });
  const known = caches.get(cacheDir);
  if (known === undefined) return;
  known.total -= known.mirrors.get(mirror) ?? 0;
  known.mirrors.delete(mirror);
}

/**
 * When mirrors, spooled contents and pages of listings exceed `maxBytes`, removes the least recently used ones until
 * nine tenths of the limit are left. A mirror in use and contents of the last day stay. A mirror is removed by one
 * rename: if the process is killed afterwards, the next call deletes the rest.
 */
export async function tidyCache(cacheDir: string, maxBytes: number): Promise<Evicted[]> {
  const known = caches.get(cacheDir) ?? { total: 0, mirrors: new Map(), countedAt: 0, isBeingTidied: false };
  caches.set(cacheDir, known);
  if (known.isBeingTidied) return [];
  if (known.total <= maxBytes && Date.now() - known.countedAt < COUNT_AGAIN_MS) return [];
  known.isBeingTidied = true;
  try {
    const items = [
      ...(await findMirrors(cacheDir)),
      ...(await findFiles(contentsFolder(cacheDir), CONTENT_STAYS_MS)),
      ...(await findFiles(pagesFolder(cacheDir), 0)),
    ];
    known.total = items.reduce((total, { bytes }) => total + bytes, 0);
    known.mirrors = new Map(
      items.flatMap(({ repository, path, bytes }) => (repository === null ? [] : [[path, bytes]])),
    );
    known.countedAt = Date.now();
    return known.total <= maxBytes ? [] : await makeRoom(cacheDir, items, known, maxBytes * FILL_AGAIN);
  } finally {
    known.isBeingTidied = false;
  }
}

async function makeRoom(cacheDir: string, items: readonly Item[], known: Known, target: number): Promise<Evicted[]> {
  const evicted: Evicted[] = [];
  for (const item of items.toSorted((a, b) => a.usedAt - b.usedAt)) {
    if (known.total <= target) break;
    const { repository, bytes } = item;
    if (repository === null) {
      if (!(await removeFile(item))) continue;
      known.total -= bytes;
    } else if (!(await removeMirror(cacheDir, item))) {
      continue;
    }
    evicted.push({ repository, bytes });
  }
  return evicted;
}

async function removeFile({ path, usedAt, staysMs }: Item): Promise<boolean> {
  const found = await stat(path).catch(() => null);
  if (found === null || found.mtimeMs > usedAt || Date.now() - found.mtimeMs < staysMs) return false;
  await rm(path, { force: true });
  return true;
}

/**
 * A user of a mirror first records its use and then takes the mirror's lock, so no process can start using the mirror
 * between our check and our rename.
 */
async function removeMirror(cacheDir: string, { path, usedAt }: Item): Promise<boolean> {
  if (await isShared(path)) return false;
  const trash = temporaryPath(path);
  const isMoved = await withLock(`${path}.lock`, async () => {
    const noted = await stat(usedFile(path)).catch(() => null);
    if ((noted !== null && noted.mtimeMs > usedAt) || (await isShared(path))) return false;
    await forgetUse(cacheDir, path);
    // another process may have removed it first
    if (!existsSync(path)) return false;
    await rename(path, trash);
    return true;
  });
  await rm(trash, { recursive: true, force: true });
  return isMoved;
}

async function findMirrors(cacheDir: string): Promise<Item[]> {
  const root = mirrorsFolder(cacheDir);
  const mirrors: string[] = [];
  for (const folders = [root]; folders.length > 0;) {
    const folder = folders.pop() ?? root;
    await removeTemporaries(folder);
    for (const entry of await readdir(folder, { withFileTypes: true }).catch(() => [])) {
      if (!entry.isDirectory() || entry.name.includes('.tmp-')) continue;
      (entry.name.endsWith('.git') ? mirrors : folders).push(join(folder, entry.name));
    }
  }
  const items = await pLimit(LOOKS_AT_ONCE).map(mirrors, (path) => mirrorItem(root, path));
  return items.filter((item) => item !== null);
}

/** Null when another process removed it meanwhile. */
async function mirrorItem(root: string, path: string): Promise<Item | null> {
  const repository = relative(root, path).slice(0, -'.git'.length).split('/').map(decodeURIComponent).join('/');
  const noted = await readFile(usedFile(path), 'latin1').catch(() => null);
  const used = await stat(usedFile(path)).catch(() => null);
  const bytes = Number(noted ?? Number.NaN);
  if (used !== null && Number.isSafeInteger(bytes))
    return { repository, path, bytes, usedAt: used.mtimeMs, staysMs: 0 };
  // made by an older version, or its first use was interrupted
  const made = await stat(path).catch(() => null);
  return made && { repository, path, bytes: await measure(path, made.mtime), usedAt: made.mtimeMs, staysMs: 0 };
}

async function findFiles(root: string, staysMs: number): Promise<Item[]> {
  const items: Item[] = [];
  for (const folders = [root]; folders.length > 0;) {
    const folder = folders.pop() ?? root;
    await removeTemporaries(folder);
    for (const entry of await readdir(folder, { withFileTypes: true }).catch(() => [])) {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) folders.push(path);
      // another process is writing it
      if (!entry.isFile() || entry.name.includes('.tmp-')) continue;
      const found = await stat(path).catch(() => null);
      if (found !== null) items.push({ repository: null, path, bytes: found.size, usedAt: found.mtimeMs, staysMs });
    }
  }
  return items;
}

/** A mirror has few files: packs, not objects. */
async function measure(mirror: string, usedAt: Date): Promise<number> {
  let bytes = 0;
  for (const entry of await readdir(mirror, { recursive: true, withFileTypes: true }).catch(() => [])) {
    if (entry.isFile()) bytes += (await stat(join(entry.parentPath, entry.name)).catch(() => null))?.size ?? 0;
  }
  await writeWhole(usedFile(mirror), String(bytes), { durable: false });
  await utimes(usedFile(mirror), usedAt, usedAt).catch(() => undefined);
  return bytes;
}

/** A file that contains the mirror's size; its modification time is the last use. */
function usedFile(mirror: string): string {
  return `${mirror}.used`;
}
