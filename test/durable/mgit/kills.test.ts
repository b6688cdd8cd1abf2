import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { expect, test, vi } from 'vitest';
import { applied, changesOf, treeOf } from '../../support/mgit.ts';
import {
  killWithChildren,
  leftoversIn,
  mirrorsIn,
  setting,
  startFetch,
  startMgit,
  unfinishedIn,
} from '../../support/mirror-cache.ts';
import { commitTree, files, initRepository } from '../../support/scratch-git.ts';

test('a removal killed at many points: every mirror is complete or gone, and the next process removes the rest', async () => {
  const names = ['a', 'b', 'c', 'd'];
  const set = await setting(...names);
  for (const wait of [0, 2, 4, 7, 11, 16, 25, 60_000]) {
    for (const name of names) await changesOf(await set.mgit.diff(set.address(name), null));
    const tidier = startMgit(
      `process.stdout.write('begin'); await mgit.tidy(1_000); process.stdout.write('end');`,
      set.cache,
    );
    const ended = once(tidier, 'close');
    await once(tidier.stdout ?? tidier, 'data');
    await Promise.race([delay(wait), ended]);
    tidier.kill('SIGKILL');
    await ended;
    if (wait > 1_000) break;
    for (const name of names) {
      const changes = await changesOf(await set.mgit.diff(set.address(name), null));
      expect(applied(new Map(), changes, null)).toEqual(treeOf(set.repository(name), 'HEAD'));
    }
    expect(leftoversIn(set.cache)).toEqual([]);
  }
  expect(mirrorsIn(set.cache)).toEqual([]);
}, 300_000);

test('a fetch killed with its child git at many points: the next run gets everything and nothing is left', async () => {
  const set = await setting();
  const path = initRepository(set.repository('api'), '--bare');
  const contents = Array.from({ length: 400 }, (_, at) => [`f${at}.txt`, `${Math.sin(at)}`.repeat(2_000)] as const);
  const head = commitTree(path, files(Object.fromEntries(contents)));
  const { forge, cache, mgit } = set;
  for (const wait of [0, 30, 60, 120, 180, 240, 360, 480, 720, 960]) {
    const seen = forge.requests.length;
    const child = startFetch(set.address('api'), cache);
    const ended = once(child, 'close');
    await vi.waitUntil(() => forge.requests.length > seen || child.exitCode !== null, { timeout: 60_000, interval: 5 });
    await Promise.race([delay(wait), ended]);
    killWithChildren(child);
    await ended;
  }
  const differential = await mgit.diff(set.address('api'), null);
  expect(applied(new Map(), await changesOf(differential), null)).toEqual(treeOf(path, head));
  commitTree(path, files({ a: 'b\n' }));
  await changesOf(await mgit.diff(set.address('api'), differential.to));
  expect(unfinishedIn(cache)).toEqual([]);
}, 300_000);
