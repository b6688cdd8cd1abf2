import { existsSync } from 'node:fs';
import { readdir, readFile, rename, rm, stat, utimes } from 'node:fs/promises';
import { join, relative } from 'node:path';
import pLimit from 'p-limit';
import { isShared, withLock } from '../../platform/file-lock.ts';
import { removeTemporaries, temporaryPath } from '../../platform/temporary.ts';
import { writeWhole } from '../../platform/whole-file.ts';

/** What was taken from the cache to keep it within its limit. */
export interface Evicted {
  /** The repository whose mirror it was; null for contents that `longhaul diff` had spooled. */
  readonly repository: string | null;
  readonly bytes: number;
}

/** Something in the cache that can be taken from it. */
interface Item {
  /** Null for a spooled content. */
  readonly repository: string | null;
  readonly path: string;
  readonly bytes: number;
  /** Milliseconds. */
  readonly usedAt: number;
}

/** What this process knows of the size of a cache. */
interface Known {
  total: number;
  /** Bytes of each mirror that were counted into the total. */
  mirrors: Map<string, number>;
  countedAt: number;
  /** Set while somebody makes room. */
  isBeingTidied: boolean;
}

/** Other processes add to the cache, too: after so long it is counted again. */
const COUNT_AGAIN_MS = 600_000;
/** Room is made for more than one fetch at a time. */
const FILL_AGAIN = 0.9;
/** Whoever reads what `longhaul diff` printed has to find the contents that it names: they stay for a day. */
const CONTENT_STAYS_MS = 86_400_000;

const LOOKS_AT_ONCE = 16;

const caches = new Map<string, Known>();

/** Where the mirrors of a cache are. */
export function mirrorsFolder(cacheDir: string): string {
  return join(cacheDir, 'mirrors');
}

/** Where the spooled contents of a cache are. */
export function contentsFolder(cacheDir: string): string {
  return join(cacheDir, 'spool');
}

/**
 * Writes down that a mirror was used now, and how large it is when that may have changed: so a cache of hundreds of gigabytes
 * is counted by reading one small file for each mirror.
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

/** Bytes that mirrors and spooled contents of a cache take, as far as this process knows; null when it has not counted them. */
export function cachedBytes(cacheDir: string): number | null {
  const known = caches.get(cacheDir);
  return known === undefined || known.countedAt === 0 ? null : known.total;
}

/** Writes down that a content of so many bytes was spooled. */
export function noteContent(cacheDir: string, bytes: number): void {
  const known = caches.get(cacheDir);
  if (known !== undefined) known.total += bytes;
}

/** Removes what was written down of a mirror. */
export async function forgetUse(cacheDir: string, mirror: string): Promise<void> {
  await rm(usedFile(mirror), { force: true });
  const known = caches.get(cacheDir);
  if (known === undefined) return;
  known.total -= known.mirrors.get(mirror) ?? 0;
  known.mirrors.delete(mirror);
}

/**
 * When mirrors and spooled contents take more than `maxBytes`, removes what was not used for longest until nine tenths of that
 * are left. A mirror that any process works with stays, and so does a content of the last day. A mirror goes in one step:
 * killed in the middle of it, the next call removes the rest.
 */
export async function tidyCache(cacheDir: string, maxBytes: number): Promise<Evicted[]> {
  const known = caches.get(cacheDir) ?? { total: 0, mirrors: new Map(), countedAt: 0, isBeingTidied: false };
  caches.set(cacheDir, known);
  if (known.isBeingTidied) return [];
  if (known.total <= maxBytes && Date.now() - known.countedAt < COUNT_AGAIN_MS) return [];
  known.isBeingTidied = true;
  try {
    const items = [...(await findMirrors(cacheDir)), ...(await findContents(cacheDir))];
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

async function makeRoom(cacheDir: string, items: readonly Item[], known: Known, wanted: number): Promise<Evicted[]> {
  const evicted: Evicted[] = [];
  for (const item of items.toSorted((a, b) => a.usedAt - b.usedAt)) {
    if (known.total <= wanted) break;
    const { repository, bytes } = item;
    if (repository === null) {
      if (!(await removeContent(item))) continue;
      known.total -= bytes;
    } else if (!(await removeMirror(cacheDir, item))) {
      continue;
    }
    evicted.push({ repository, bytes });
  }
  return evicted;
}

async function removeContent({ path }: Item): Promise<boolean> {
  const found = await stat(path).catch(() => null);
  if (found === null || Date.now() - found.mtimeMs < CONTENT_STAYS_MS) return false;
  await rm(path, { force: true });
  return true;
}

/** Whoever wants to use a mirror says so first and asks for its lock then: between our look and our move nobody can begin. */
async function removeMirror(cacheDir: string, { path, usedAt }: Item): Promise<boolean> {
  if (await isShared(path)) return false;
  const trash = temporaryPath(path);
  const isMoved = await withLock(`${path}.lock`, async () => {
    const noted = await stat(usedFile(path)).catch(() => null);
    if ((noted !== null && noted.mtimeMs > usedAt) || (await isShared(path))) return false;
    await forgetUse(cacheDir, path);
    // another process may have been faster
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

/** Null when somebody removed it meanwhile. */
async function mirrorItem(root: string, path: string): Promise<Item | null> {
  const repository = relative(root, path).slice(0, -'.git'.length).split('/').map(decodeURIComponent).join('/');
  const noted = await readFile(usedFile(path), 'latin1').catch(() => null);
  const used = await stat(usedFile(path)).catch(() => null);
  const bytes = Number(noted ?? Number.NaN);
  if (used !== null && Number.isSafeInteger(bytes)) return { repository, path, bytes, usedAt: used.mtimeMs };
  // one that an older version made, or whose first use was cut off
  const made = await stat(path).catch(() => null);
  return made && { repository, path, bytes: await measure(path, made.mtime), usedAt: made.mtimeMs };
}

async function findContents(cacheDir: string): Promise<Item[]> {
  const root = contentsFolder(cacheDir);
  const items: Item[] = [];
  for (const name of await readdir(root).catch(() => [])) {
    const folder = join(root, name);
    await removeTemporaries(folder);
    for (const file of await readdir(folder).catch(() => [])) {
      const path = join(folder, file);
      const found = await stat(path).catch(() => null);
      if (found !== null) items.push({ repository: null, path, bytes: found.size, usedAt: found.mtimeMs });
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

/** Its content is the mirror's size, its time the last use. */
function usedFile(mirror: string): string {
  return `${mirror}.used`;
}
