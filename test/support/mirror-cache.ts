import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { onTestFinished } from 'vitest';
import type { Mgit } from '../../activities/mgit/index.ts';
import type { Change } from '../../domain/git/change.ts';
import type { RepositoryAddress } from '../../domain/git/repository.ts';
import { type Forge, startForge } from './forge.ts';
import { changesOf, openMgit } from './mgit.ts';
import { commitTree, files, initRepository, SCRATCH_ENV, scratchFolder } from './scratch-git.ts';

/** Lines of text that git packs into this many bytes. */
export const noise = (bytes: number): string =>
  `${randomBytes(bytes).toString('base64').replaceAll(/.{76}/g, '$&\n')}\n`;
/** Bytes of each repository of {@link setting}. */
export const SIZE = 400_000;
/** Space for two mirrors. */
export const TWO = 2.6 * SIZE;
const MGIT = JSON.stringify(new URL('../../activities/mgit/index.ts', import.meta.url));

/** A forge, a cache, and mgit between them. */
export interface Setting {
  readonly forge: Forge;
  readonly cache: string;
  readonly folder: string;
  readonly mgit: Mgit;
  readonly address: (name: string) => { id: string; cloneUrl: string };
  readonly repository: (name: string) => string;
}

/** A forge with repositories of the same size and an empty cache. */
export async function setting(...names: readonly string[]): Promise<Setting> {
  const folder = scratchFolder();
  const forge = await startForge(join(folder, 'forge'));
  onTestFinished(() => forge.close());
  const cache = join(folder, 'cache');
  const repository = (name: string): string => join(forge.root, 'acme', `${name}.git`);
  for (const name of names) {
    initRepository(repository(name), '--bare');
    commitTree(repository(name), files(Object.fromEntries([0, 1, 2, 3].map((at) => [`${at}.txt`, noise(SIZE / 4)]))));
  }
  const address = (name: string) => ({ id: `web/acme/${name}`, cloneUrl: `${forge.url}/acme/${name}.git` });
  return { forge, cache, folder, mgit: openMgit(cache), address, repository };
}

/** Reads a whole repository, as a first sync does, in a later millisecond than the previous one. */
export async function sync({ mgit, address }: Setting, name: string): Promise<Change[]> {
  const changes = await changesOf(await mgit.diff(address(name), null));
  const used = Date.now();
  // the order of uses is that of their milliseconds
  while (Date.now() === used) await setImmediate();
  return changes;
}

/** Names of the complete mirrors of organization `acme`. */
export const mirrorsIn = (cache: string): string[] =>
  readdirSync(join(cache, 'mirrors', 'web', 'acme'))
    .filter((name) => name.endsWith('.git'))
    .sort();
/** Temporary files, locks and marks of use in a cache. */
export const leftoversIn = (cache: string): string[] =>
  readdirSync(join(cache, 'mirrors'), { recursive: true, encoding: 'utf8' }).filter((name) =>
    /\.tmp-|\.lock$|\.use-/.test(basename(name)),
  );

/** Temporary files and locks in a cache, also those of git. */
export const unfinishedIn = (cache: string): string[] =>
  readdirSync(join(cache, 'mirrors'), { recursive: true, encoding: 'utf8' }).filter((name) =>
    /tmp[-_]|\.lock/.test(name),
  );

/** Runs a program with an mgit over this cache, as `mgit`, in a process of its own. */
export function startMgit(code: string, cache: string): ChildProcess {
  const program = `import { createMgit } from ${MGIT};
    const mgit = createMgit({ providers: [], cacheDir: ${JSON.stringify(cache)}, maxFileBytes: 1e6 });
    ${code}`;
  const child = spawn(process.execPath, ['--input-type=module-typescript', '-e', program], {
    env: SCRATCH_ENV,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  return child;
}

/** Reads the whole repository with mgit in a process of its own, and prints `done`. */
export function startFetch(repository: RepositoryAddress, cache: string): ChildProcess {
  return startMgit(
    `const differential = await mgit.diff(${JSON.stringify(repository)}, null);
     for await (const change of differential.changes()) if (!change.path) throw new Error();
     process.stdout.write('done');`,
    cache,
  );
}

/** SIGKILL for a process and everything that it started, as an out-of-memory killer does it. */
export function killWithChildren(child: ChildProcess): void {
  const parents = new Map<number, number[]>();
  for (const name of readdirSync('/proc').filter((entry) => /^\d+$/.test(entry))) {
    try {
      const stat = readFileSync(`/proc/${name}/stat`, 'latin1');
      const parent = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
      parents.set(parent, [...(parents.get(parent) ?? []), Number(name)]);
    } catch {
      // ended meanwhile
    }
  }
  const kill = (pid: number): void => {
    for (const own of parents.get(pid) ?? []) kill(own);
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // ended meanwhile
    }
  };
  if (child.pid !== undefined) kill(child.pid);
}
