import { chmod, mkdir, readFile, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { waitForLock } from '../platform/file-lock.ts';
import { sha256OfFile } from '../platform/sha256.ts';
import type { OnProgress } from './progress.ts';
import { hasCode } from '../platform/error-code.ts';

/** Options for fetching servers. */
export interface FetchOptions {
  readonly cacheDir: string;
  readonly env: NodeJS.ProcessEnv;
  readonly onProgress: OnProgress;
  /** Aborts the download or build. */
  readonly signal?: AbortSignal | undefined;
}

/** A server that is fetched once into the cache. */
export interface CachedServer {
  readonly name: string;
  readonly version: string;
  /** Name of the executable in the folder of the cache entry. */
  readonly program: string;
  /** Puts the executable into the empty `folder`. It is run again from the start after an interruption. */
  make(folder: string): Promise<void>;
}

/** The full path of the cached executable, fetched first if missing; one process at a time fetches. */
export async function cachedServer(server: CachedServer, options: FetchOptions): Promise<string> {
  const found = await findCached(server, options.cacheDir);
  if (found !== null) return found;
  const root = join(options.cacheDir, 'servers');
  const entry = `${server.name}-${server.version}`;
  await mkdir(root, { recursive: true });
  const lock = await waitForLock(join(root, `.${entry}.lock`), {
    signal: options.signal,
    onHeld: ({ process: other }, waitedMs) => {
      if (waitedMs > 0) return;
      const message = `waiting for process ${other?.pid ?? '(unknown)'}, which is fetching it`;
      options.onProgress({ about: server.name, message, passing: false });
    },
  });
  try {
    const other = await findCached(server, options.cacheDir);
    return other ?? (await makeEntry(server, root, entry));
  } finally {
    await lock.release();
  }
}

async function makeEntry(server: CachedServer, root: string, entry: string): Promise<string> {
  for (const name of await readdir(root)) {
    if (name.startsWith(`.${entry}.making-`)) await rm(join(root, name), { recursive: true, force: true });
  }
  const making = join(root, `.${entry}.making-${process.pid}`);
  const folder = join(root, entry);
  await mkdir(making);
  try {
    await server.make(making);
    const program = join(making, server.program);
    await chmod(program, 0o755);
    const manifest = { bytes: (await stat(program)).size, sha256: await sha256OfFile(program) };
    await writeFile(join(making, 'manifest.json'), `${JSON.stringify(manifest)}\n`);
    await rm(folder, { recursive: true, force: true });
    await rename(making, folder);
  } finally {
    await rm(making, { recursive: true, force: true });
  }
  return join(folder, server.program);
}

/** The full path of the executable when its cache entry is complete; otherwise null. */
export async function findCached(
  server: Pick<CachedServer, 'name' | 'version' | 'program'>,
  cacheDir: string,
): Promise<string | null> {
  const folder = join(cacheDir, 'servers', `${server.name}-${server.version}`);
  const program = join(folder, server.program);
  try {
    const manifest = JSON.parse(await readFile(join(folder, 'manifest.json'), 'utf8')) as { bytes: number };
    return (await stat(program)).size === manifest.bytes ? program : null;
  } catch (error) {
    if (hasCode(error, 'ENOENT') || error instanceof SyntaxError) return null;
    throw error;
  }
}
