import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import fs from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { createPageCache } from '../../../activities/mgit/page-cache.ts';
import { waitForLock } from '../../../platform/file-lock.ts';
import { cachedBytes } from '../../../activities/mgit/cache-limit.ts';
import { mirrorPath } from '../../../activities/mgit/mirror.ts';
import type { Change } from '../../../domain/git/change.ts';
import { applied, changesOf, openMgit, treeOf } from '../../support/mgit.ts';
import { leftoversIn, mirrorsIn, noise, setting, SIZE, startMgit, sync, TWO } from '../../support/mirror-cache.ts';
import { commitTree, files, scratchFolder } from '../../support/scratch-git.ts';

test('of three mirrors with space for two, the least recently used is removed, and recreated when needed', async () => {
  const set = await setting('a', 'b', 'c');
  for (const name of ['a', 'b', 'c']) await sync(set, name);
  expect(await set.mgit.tidy(4 * SIZE)).toEqual([]);
  // b is the oldest now, although a was created before it
  await sync(set, 'a');
  const evicted = await set.mgit.tidy(TWO);
  expect(evicted).toEqual([{ repository: 'web/acme/b', bytes: expect.any(Number) as number }]);
  expect(evicted[0]?.bytes).toBeGreaterThan(SIZE * 0.7);
  expect(evicted[0]?.bytes).toBeLessThan(SIZE * 1.2);
  expect(mirrorsIn(set.cache)).toEqual(['a.git', 'c.git']);
  expect(leftoversIn(set.cache)).toEqual([]);
  expect(await set.mgit.tidy(TWO)).toEqual([]);

  expect(applied(new Map(), await sync(set, 'b'), null)).toEqual(treeOf(set.repository('b'), 'HEAD'));
  expect(await set.mgit.tidy(TWO)).toMatchObject([{ repository: 'web/acme/c' }]);
  expect(mirrorsIn(set.cache)).toEqual(['a.git', 'b.git']);
});

test('a growing mirror counts with its new size, a deleted one does not count', async () => {
  const set = await setting('a', 'b');
  await sync(set, 'a');
  await sync(set, 'b');
  expect(await set.mgit.tidy(TWO)).toEqual([]);
  commitTree(set.repository('b'), files({ 'more.txt': noise(SIZE) }));
  await sync(set, 'b');
  await set.mgit.forget('web/acme/a');
  expect(await set.mgit.tidy(TWO)).toEqual([]);
  commitTree(set.repository('b'), files({ 'still-more.txt': noise(SIZE) }));
  await sync(set, 'b');
  expect(await set.mgit.tidy(TWO)).toMatchObject([{ repository: 'web/acme/b' }]);
});

test('a mirror that is being read stays, even if it is the oldest and the limit is exceeded', async () => {
  const set = await setting('a', 'b');
  const reading = (await set.mgit.diff(set.address('a'), null)).changes()[Symbol.asyncIterator]();
  const first = await reading.next();
  await sync(set, 'b');
  expect(await set.mgit.tidy(1_000)).toMatchObject([{ repository: 'web/acme/b' }]);
  const changes = [first.value as Change];
  for (let next = await reading.next(); !next.done; next = await reading.next()) changes.push(next.value);
  expect(applied(new Map(), changes, null)).toEqual(treeOf(set.repository('a'), 'HEAD'));
  expect(await set.mgit.tidy(1_000)).toMatchObject([{ repository: 'web/acme/a' }]);
  expect(mirrorsIn(set.cache)).toEqual([]);
});

test('a reader that stops early releases its mirror', async () => {
  const set = await setting('a');
  for await (const change of (await set.mgit.diff(set.address('a'), null)).changes()) {
    expect(change.path).toBe('0.txt');
    break;
  }
  expect(leftoversIn(set.cache)).toEqual([]);
  expect(await set.mgit.tidy(1_000)).toHaveLength(1);
});

test('another process keeps its mirror for as long as it lives', async () => {
  const set = await setting('a', 'b');
  const reader = startMgit(
    `const differential = await mgit.diff(${JSON.stringify(set.address('a'))}, null);
     for await (const change of differential.changes()) {
       process.stdout.write(change.path);
       await new Promise((resolve) => setTimeout(resolve, 600_000));
     }`,
    set.cache,
  );
  await once(reader.stdout ?? reader, 'data');
  await sync(set, 'b');
  expect(await set.mgit.tidy(1_000)).toMatchObject([{ repository: 'web/acme/b' }]);
  expect(mirrorsIn(set.cache)).toEqual(['a.git']);
  reader.kill('SIGKILL');
  await once(reader, 'close');
  expect(await set.mgit.tidy(1_000)).toMatchObject([{ repository: 'web/acme/a' }]);
  expect(leftoversIn(set.cache)).toEqual([]);
});

test('a mirror that is removed between comparing and reading is recreated', async () => {
  const set = await setting('a');
  const first = await set.mgit.diff(set.address('a'), null);
  await changesOf(first);
  const before = treeOf(set.repository('a'), 'HEAD');
  const old = [...before.values()].map((entry) => entry.split(' ')[1] ?? '');
  commitTree(set.repository('a'), files({ 'new.txt': noise(1_000), '0.txt': noise(1_000) }));

  const differential = await set.mgit.diff(set.address('a'), first.to);
  expect(await set.mgit.tidy(1_000)).toHaveLength(1);
  expect(applied(before, await changesOf(differential), first.to)).toEqual(treeOf(set.repository('a'), 'HEAD'));
  expect(await set.mgit.tidy(1_000)).toHaveLength(1);
  const held: (string | null)[] = [];
  const asked = old.map((oid) => ({ oid, path: '0.txt' }));
  for await (const { oid, content } of differential.readOld(asked)) held.push(content && oid);
  expect(held).toEqual(old);
});

test('a mirror whose removal was interrupted is removed by the next process that tidies', async () => {
  const set = await setting('a');
  await sync(set, 'a');
  const path = mirrorPath(set.cache, 'web/acme/a');
  const remover = startMgit(
    `const { rename } = await import('node:fs/promises');
     const { temporaryPath } = await import(${JSON.stringify(new URL('../../../platform/temporary.ts', import.meta.url))});
     await rename(${JSON.stringify(path)}, temporaryPath(${JSON.stringify(path)}));`,
    set.cache,
  );
  await once(remover, 'close');
  expect(leftoversIn(set.cache)).toHaveLength(1);
  await openMgit(set.cache).tidy(1_000);
  expect(leftoversIn(set.cache)).toEqual([]);
  expect(mirrorsIn(set.cache)).toEqual([]);
});

test('a mirror that another process removed first is not an error, and no longer counts', async () => {
  const set = await setting('a', 'b');
  for (const name of ['a', 'b']) await sync(set, name);
  const oldest = join(set.cache, 'mirrors', 'web', 'acme', 'a.git');
  const lock = await waitForLock(`${oldest}.lock`);
  const reads = countReads(`${oldest}.lock`);
  const tidied = set.mgit.tidy(SIZE * 1.4);
  // it has checked, and waits for the lock
  await expect.poll(reads).toBeGreaterThan(1);
  rmSync(oldest, { recursive: true });
  rmSync(`${oldest}.used`);
  await lock.release();
  expect(await tidied).toEqual([]);
  expect(mirrorsIn(set.cache)).toEqual(['b.git']);
}, 300_000);

test('three processes that sync and tidy the same cache all succeed', async () => {
  const names = ['a', 'b', 'c', 'd'];
  const set = await setting(...names);
  const processes = Array.from({ length: 3 }, () =>
    startMgit(
      `for (let round = 0; round < 3; round++) for (const name of ${JSON.stringify(names)}) {
         const differential = await mgit.diff({ id: 'web/acme/' + name, cloneUrl: '${set.forge.url}/acme/' + name + '.git' }, null);
         let bytes = 0;
         for await (const change of differential.changes()) bytes += change.content.length;
         if (bytes < ${SIZE * 0.9}) throw new Error('only ' + bytes);
         await mgit.tidy(${TWO / 2});
       }
       process.stdout.write('done');`,
      set.cache,
    ),
  );
  const said = await Promise.all(
    processes.map(async (child) => {
      let text = '';
      child.stdout?.on('data', (chunk: Buffer) => (text += chunk.toString()));
      await once(child, 'close');
      return text;
    }),
  );
  expect(said).toEqual(['done', 'done', 'done']);
  expect(leftoversIn(set.cache)).toEqual([]);
}, 300_000);

test('spooled contents of diff count, too, and are removed when they are a day old', async () => {
  const set = await setting('a');
  await sync(set, 'a');
  const [old, young, used] = await Promise.all(
    ['0', '1', '2'].map((digit) => set.mgit.spool.keep(digit.repeat(40), randomBytes(SIZE))),
  );
  const yesterday = new Date(Date.now() - 90_000_000);
  for (const path of [old, used]) utimesSync(path ?? '', yesterday, yesterday);
  await set.mgit.spool.keep('2'.repeat(40), randomBytes(SIZE));
  expect(await set.mgit.tidy(3.9 * SIZE)).toEqual([{ repository: null, bytes: SIZE }]);
  expect([old, young, used].map((path) => existsSync(path ?? ''))).toEqual([false, true, true]);
  expect(await set.mgit.tidy(1_000)).toMatchObject([{ repository: 'web/acme/a' }]);
  expect([young, used].map((path) => existsSync(path ?? ''))).toEqual([true, true]);
});

test('pages of listings count, too, and the least recently used are removed', async () => {
  const cache = scratchFolder();
  const pages = createPageCache(cache, 'work', 'token');
  const url = (name: string): string => `https://forge/orgs/${name}`;
  const write = (name: string): Promise<void> =>
    pages.write(url(name), { etag: name, link: null, body: 'x'.repeat(SIZE) });
  const folder = join(cache, 'pages', 'work', 'token');
  const mgit = openMgit(cache);
  for (const name of ['old', 'used', 'last']) await write(name);
  const long = new Date(Date.now() - 100_000_000);
  for (const name of readdirSync(folder)) utimesSync(join(folder, name), long, long);
  // from a dead process
  writeFileSync(join(folder, `a.json.tmp-${'0'.repeat(8)}-1-${'0'.repeat(8)}-0000-0000-0000-${'0'.repeat(12)}`), 'x');
  utimesSync(join(folder, readdirSync(folder).find((name) => name.includes('.tmp-')) ?? ''), long, long);
  expect(await mgit.tidy(3.9 * SIZE)).toEqual([]);
  expect(readdirSync(folder)).toHaveLength(3);

  // a page that a listing uses stays, even if it is old
  for (const name of ['used', 'last']) expect(await pages.read(url(name))).toMatchObject({ etag: name });
  await write('more');
  const evicted = await mgit.tidy(3.9 * SIZE);
  expect(evicted).toEqual([{ repository: null, bytes: expect.any(Number) as number }]);
  const left = await Promise.all(['old', 'used', 'last', 'more'].map((name) => pages.read(url(name))));
  expect(left.map((page) => page?.etag ?? null)).toEqual([null, 'used', 'last', 'more']);
});

test('mirrors of an older version, without stored sizes, are counted by their own time', async () => {
  const set = await setting('a', 'b');
  for (const name of ['a', 'b']) await sync(set, name);
  const { cache } = set;
  const long = new Date(Date.now() - 1_000_000);
  for (const name of ['a', 'b']) rmSync(`${mirrorPath(cache, `web/acme/${name}`)}.used`);
  utimesSync(mirrorPath(cache, 'web/acme/b'), long, long);
  expect(await set.mgit.tidy(1.5 * SIZE)).toMatchObject([{ repository: 'web/acme/b' }]);
});

test('a thousand mirrors are counted from stored sizes, without walking the folders', async () => {
  const cache = scratchFolder();
  for (let at = 0; at < 1_000; at++) {
    const path = mirrorPath(cache, `web/org${at % 50}/r${at}`);
    mkdirSync(path, { recursive: true });
    writeFileSync(`${path}.used`, '10000000');
  }
  const mgit = openMgit(cache);
  expect(await mgit.tidy(50_000_000_000)).toEqual([]);
  // the folders are empty; these sizes are stored
  expect(cachedBytes(cache)).toBe(10_000_000_000);
  // a cache within its limit is not counted again immediately, so additions of another process are not seen yet
  writeFileSync(`${mirrorPath(cache, 'web/org0/r0')}.used`, '90000000000');
  expect(await mgit.tidy(50_000_000_000)).toEqual([]);
  expect(cachedBytes(cache)).toBe(10_000_000_000);
});

test('files of an earlier process with the same pid, as in a restarted container, are removed; own files are not', async () => {
  const folder = scratchFolder();
  const temporary = JSON.stringify(new URL('../../../platform/temporary.ts', import.meta.url));
  const inContainer = async (code: string): Promise<void> => {
    const program = `import { writeFileSync } from 'node:fs';
      import { removeTemporaries, temporaryPath } from ${temporary};
      const folder = ${JSON.stringify(folder)};
      const leave = (name) => writeFileSync(temporaryPath(folder + '/' + name), name);
      ${code}`;
    const args = ['--pid', '--fork', '--kill-child', process.execPath, '--input-type=module-typescript', '-e', program];
    const child = spawn('unshare', args, { stdio: ['ignore', 'ignore', 'inherit'] });
    expect(await once(child, 'close')).toEqual([0, null]);
  };
  const left = (): string[] => readdirSync(folder).map((name) => name.split('.')[0] ?? '');
  await inContainer(`leave('first')`);
  expect(left()).toEqual(['first']);
  await inContainer(`leave('second'); await removeTemporaries(folder)`);
  expect(left()).toEqual(['second']);
});

/** How many times this process has opened a file from now on. */
function countReads(path: string): () => number {
  const opened = vi.spyOn(fs, 'open');
  syncBuiltinESMExports();
  onTestFinished(() => {
    opened.mockRestore();
    syncBuiltinESMExports();
  });
  return () => opened.mock.calls.filter(([name]) => name === path).length;
}
