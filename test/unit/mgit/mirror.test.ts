import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { mirrorPath } from '../../../activities/mgit/mirror.ts';
import { temporaryPath } from '../../../platform/temporary.ts';
import { type Forge, type ForgeAccess, startForge } from '../../support/forge.ts';
import { applied, changesOf, failureOf, openMgit, treeOf } from '../../support/mgit.ts';
import { killWithChildren, startFetch, unfinishedIn } from '../../support/mirror-cache.ts';
import { commitTree, files, git, initRepository, SCRATCH_ENV, scratchFolder } from '../../support/scratch-git.ts';

const ID = 'web/acme/api';

async function forgeWith(
  access: ForgeAccess = {},
): Promise<{ forge: Forge; path: string; folder: string; cache: string }> {
  const folder = scratchFolder();
  const forge = await startForge(join(folder, 'forge'), access);
  onTestFinished(() => forge.close());
  const path = join(forge.root, 'acme', 'api.git');
  mkdirSync(path, { recursive: true });
  initRepository(path, '--bare');
  return { forge, path, folder, cache: join(folder, 'cache') };
}

const many = (count: number, version = 1): ReturnType<typeof files> =>
  files(
    Object.fromEntries(
      Array.from({ length: count }, (_, at) => [`src/f${at}.ts`, `export const v = ${at * version};\n`]),
    ),
  );

/** Every file below a folder. */
const allFiles = (folder: string): string[] => readdirSync(folder, { recursive: true, encoding: 'utf8' });
const uploads = (forge: Forge): number =>
  forge.requests.filter((request) => request.startsWith('POST') && request.endsWith('git-upload-pack')).length;

describe('the mirror', () => {
  test('has only requested blobs, and gets all missing ones with one request', async () => {
    const { forge, path, cache } = await forgeWith();
    commitTree(path, many(50, 7));
    commitTree(
      path,
      new Map([
        ...many(200),
        ...files({ 'yarn.lock': 'never fetched\n', 'node_modules/a.js': 'never fetched either\n' }),
      ]),
    );
    const mgit = openMgit(cache);
    const repository = { id: ID, cloneUrl: `${forge.url}/acme/api.git` };
    const differential = await mgit.diff(repository, null);
    const mirror = mirrorPath(cache, ID);
    const blobs = (): number =>
      git(mirror, 'cat-file', '--batch-all-objects', '--batch-check=%(objecttype)')
        .split('\n')
        .filter((type) => type === 'blob').length;
    expect(blobs()).toBe(0);
    const before = uploads(forge);
    const changes = await changesOf(differential);
    expect(changes.filter((change) => change.op !== 'delete' && change.content !== null)).toHaveLength(200);
    expect(blobs()).toBe(200);
    expect(uploads(forge) - before).toBeLessThanOrEqual(2);

    commitTree(path, new Map([...many(200), ...files({ 'src/f1.ts': 'changed\n' })]));
    const start = uploads(forge);
    const next = await mgit.diff(repository, differential.to);
    expect(await changesOf(next)).toMatchObject(
      [
        { op: 'modify', path: 'src/f1.ts' },
        { op: 'delete', path: 'node_modules/a.js' },
        { op: 'delete', path: 'yarn.lock' },
      ].sort((a, b) => (a.path < b.path ? -1 : 1)),
    );
    expect(blobs()).toBe(201);
    expect(uploads(forge) - start).toBeLessThanOrEqual(6);
    expect(git(mirror, 'for-each-ref', '--format=%(refname)')).toBe('refs/longhaul/head');
  });

  test('gets HEAD and branches with one request, and those that moved with the next', async () => {
    const { forge, path, cache } = await forgeWith();
    const main = commitTree(path, many(5));
    const develop = commitTree(path, many(5, 2), { branch: 'develop' });
    const release = commitTree(path, many(5, 3), { branch: 'a/b' });
    const mgit = openMgit(cache);
    const repository = { id: ID, cloneUrl: `${forge.url}/acme/api.git` };
    const tips = (moved: string): Map<string, string> =>
      new Map([
        ['HEAD', main],
        ['refs/heads/develop', moved],
        ['refs/heads/a/b', release],
      ]);
    const diff = (commit: string, branch: string, moved = develop) =>
      mgit.diff(repository, null, { at: { commit, branch }, tips: tips(moved) });
    await diff(main, 'main');
    await diff(develop, 'develop');
    await diff(release, 'a/b');
    expect(uploads(forge)).toBe(1);
    const moved = commitTree(path, many(5, 4), { branch: 'develop', orphan: true });
    expect(await diff(moved, 'develop', moved)).toMatchObject({ to: { commit: moved, branch: 'develop' } });
    // local objects are offered first
    expect(uploads(forge)).toBe(3);
    const kept = join(mirrorPath(cache, ID), 'refs', 'longhaul', 'heads');
    expect(readdirSync(kept).every((name) => /^[0-9a-f]{32}$/.test(name))).toBe(true);
    expect(readdirSync(kept)).toHaveLength(2);
    await mgit.diff(repository, null, {
      at: { commit: moved, branch: 'develop' },
      tips: new Map([...tips(moved)].slice(0, 2)),
    });
    expect(readdirSync(kept)).toHaveLength(1);
  });

  test('is not asked when HEAD has not moved', async () => {
    const { forge, path, cache } = await forgeWith();
    commitTree(path, many(3));
    const mgit = openMgit(cache);
    const repository = { id: ID, cloneUrl: `${forge.url}/acme/api.git` };
    const { to } = await mgit.diff(repository, null);
    rmSync(mirrorPath(cache, ID), { recursive: true });
    await mgit.diff(repository, to);
    expect(existsSync(mirrorPath(cache, ID))).toBe(false);
  });

  test.each([
    ['its objects are gone', (mirror: string) => rmSync(join(mirror, 'objects'), { recursive: true })],
    ['its packs are gone', (mirror: string) => rmSync(join(mirror, 'objects', 'pack'), { recursive: true })],
    ['its packs were cut off', (mirror: string) => cutPacks(mirror)],
    ['its configuration is empty', (mirror: string) => writeFileSync(join(mirror, 'config'), '')],
    ['its HEAD is gone', (mirror: string) => rmSync(join(mirror, 'HEAD'))],
    ['its ref is rubbish', (mirror: string) => writeFileSync(join(mirror, 'refs', 'longhaul', 'head'), 'rubbish')],
    ['it has a lock of a killed git', (mirror: string) => writeFileSync(join(mirror, 'shallow.lock'), '')],
    ['it has temporary packs', (mirror: string) => writeFileSync(join(mirror, 'objects', 'pack', 'tmp_pack_x'), 'x')],
    ['half of another was made', (mirror: string) => mkdirSync(join(leftOf(mirror), 'objects'), { recursive: true })],
  ])('is repaired when %s', async (_, damage) => {
    const { forge, path, cache } = await forgeWith();
    commitTree(path, many(5));
    const repository = { id: ID, cloneUrl: `${forge.url}/acme/api.git` };
    const first = await openMgit(cache).diff(repository, null);
    const held = applied(new Map(), await changesOf(first), null);
    damage(mirrorPath(cache, ID));
    const head = commitTree(path, many(6, 2));
    const next = await openMgit(cache).diff(repository, first.to);
    expect(next.full).toBeNull();
    expect(applied(held, await changesOf(next), next.from)).toEqual(treeOf(path, head));
    expect(
      allFiles(join(cache, 'mirrors')).filter((name) => /tmp[-_]|\.lock/.test(name.replace('shallow.lock', ''))),
    ).toEqual([]);
  });

  test('is deleted when a blob in it cannot be read, so that the next attempt succeeds', async () => {
    const { forge, path, cache } = await forgeWith();
    commitTree(path, many(5));
    const repository = { id: ID, cloneUrl: `${forge.url}/acme/api.git` };
    await changesOf(await openMgit(cache).diff(repository, null));
    cutPacks(mirrorPath(cache, ID));
    const attempt = async (): Promise<number> => (await changesOf(await openMgit(cache).diff(repository, null))).length;
    await vi.waitFor(async () => expect(await attempt()).toBe(5), { timeout: 20_000, interval: 1 });
  });

  test('two concurrent users fetch one after another and get the same', async () => {
    const { forge, path, cache } = await forgeWith();
    commitTree(path, many(100));
    const repository = { id: ID, cloneUrl: `${forge.url}/acme/api.git` };
    const mgits = [openMgit(cache), openMgit(cache), openMgit(cache)];
    const found = await Promise.all(mgits.map(async (mgit) => changesOf(await mgit.diff(repository, null))));
    expect(found[1]).toEqual(found[0]);
    expect(found[2]).toEqual(found[0]);
  });

  test('many packs become one', async () => {
    const { forge, path, cache } = await forgeWith();
    const repository = { id: ID, cloneUrl: `${forge.url}/acme/api.git` };
    const mgit = openMgit(cache);
    commitTree(path, many(2));
    let { to } = await mgit.diff(repository, null);
    const packs = join(mirrorPath(cache, ID), 'objects', 'pack');
    const [pack = ''] = readdirSync(packs).filter((name) => name.endsWith('.pack'));
    for (let copy = 0; copy < 55; copy++) {
      const name = `pack-${copy.toString(16).padStart(40, '0')}`;
      for (const end of ['.pack', '.idx', '.promisor']) {
        writeFileSync(join(packs, name + end), readFileSync(join(packs, pack.replace('.pack', end))));
      }
    }
    commitTree(path, many(2, 5));
    const next = await mgit.diff(repository, to);
    expect(await changesOf(next)).toHaveLength(1);
    expect(readdirSync(packs).filter((name) => name.endsWith('.pack')).length).toBeLessThan(5);
    ({ to } = next);
    commitTree(path, many(2));
    expect(await changesOf(await mgit.diff(repository, to))).toHaveLength(1);
  });
});

test('killed with its child git in the middle of a fetch: the next run gets everything and nothing is left', async () => {
  const { forge, path, cache } = await forgeWith();
  const contents = Array.from({ length: 100 }, (_, at) => [`f${at}.txt`, `${Math.sin(at)}`.repeat(2_000)] as const);
  const head = commitTree(path, files(Object.fromEntries(contents)));
  const repository = { id: ID, cloneUrl: `${forge.url}/acme/api.git` };
  // the second pack is not sent before the kill
  forge.refuseGit = (request) =>
    request.endsWith('git-upload-pack') && request.startsWith('POST') && uploads(forge) > 1
      ? { delayMs: 60_000 }
      : null;
  const child = startFetch(repository, cache);
  const ended = once(child, 'close');
  await expect.poll(() => uploads(forge)).toBe(2);
  killWithChildren(child);
  expect(await ended).toEqual([null, 'SIGKILL']);
  forge.refuseGit = null;
  const mgit = openMgit(cache);
  const differential = await mgit.diff(repository, null);
  expect(applied(new Map(), await changesOf(differential), null)).toEqual(treeOf(path, head));
  commitTree(path, files({ a: 'b\n' }));
  await changesOf(await mgit.diff(repository, differential.to));
  expect(unfinishedIn(cache)).toEqual([]);
});

describe('an abort', () => {
  test('ends a fetch that hangs, and its children, at once', async () => {
    const server = createServer(() => undefined);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    onTestFinished(() => {
      server.closeAllConnections();
      server.close();
    });
    const folder = scratchFolder();
    const { port } = server.address() as AddressInfo;
    const controller = new AbortController();
    const diff = openMgit(join(folder, 'cache')).diff({ id: ID, cloneUrl: `http://127.0.0.1:${port}/a/b.git` }, null, {
      signal: controller.signal,
    });
    const [socket] = (await once(server, 'connection')) as [{ destroyed: boolean }];
    controller.abort(new Error('stop'));
    await expect(diff).rejects.toThrow('stop');
    await vi.waitFor(() => expect(socket.destroyed).toBe(true), { timeout: 5_000 });
  });
});

describe('attacks by a repository on git', () => {
  test.each([
    ['core.fsmonitor', 'core.fsmonitor'],
    ['a packing hook', 'uploadpack.packObjectsHook'],
    ['an ssh command', 'core.sshCommand'],
    ['an external diff', 'diff.external'],
    ['a pager', 'core.pager'],
    ['an alternate refs command', 'core.alternateRefsCommand'],
    ['a filter', 'filter.evil.smudge'],
    ['a diff driver', 'diff.evil.textconv'],
  ])('%s of a local repository does not run', async (_, key) => {
    const folder = scratchFolder();
    const path = initRepository(join(folder, 'api'));
    const witness = join(folder, 'witness');
    const evil = join(folder, 'evil.sh');
    writeFileSync(evil, `#!/bin/sh\ntouch ${witness}\nexec "$@"\n`);
    chmodSync(evil, 0o755);
    git(path, 'config', key, evil);
    for (const hook of ['post-checkout', 'pre-auto-gc', 'reference-transaction', 'post-index-change']) {
      writeFileSync(join(path, '.git', 'hooks', hook), `#!/bin/sh\ntouch ${witness}\n`, { mode: 0o755 });
    }
    rmSync(witness, { force: true });
    commitTree(path, files({ 'a.evil': '1\n', '.gitattributes': '*.evil filter=evil diff=evil\n' }));
    rmSync(witness, { force: true });
    const mgit = openMgit(join(folder, 'cache'));
    const repository = { id: 'local/acme/api', cloneUrl: path };
    const { to } = await mgit.diff(repository, null);
    commitTree(path, files({ 'a.evil': '2\n', '.gitattributes': '*.evil filter=evil diff=evil\n' }));
    rmSync(witness, { force: true });
    expect(await changesOf(await mgit.diff(repository, to))).toHaveLength(1);
    // a symlinked ref is not read directly: git is used
    writeFileSync(join(path, '.git', 'HEAD'), 'ref: refs/heads/.invalid\n');
    await mgit.heads([repository]);
    expect(existsSync(witness)).toBe(false);
  });

  test('a recursive tree is not listed forever', async () => {
    const folder = scratchFolder();
    const path = initRepository(join(folder, 'bomb'));
    const ten = (entry: string): string => Array.from({ length: 10 }, (_, at) => `${entry}\tf${at}\n`).join('');
    const make = (entries: string): string =>
      execFileSync('git', ['mktree'], { cwd: path, env: SCRATCH_ENV, input: entries, encoding: 'utf8' }).trim();
    writeFileSync(join(path, 'file'), 'x\n');
    let tree = make(ten(`100644 blob ${git(path, 'hash-object', '-w', 'file')}`));
    for (let depth = 0; depth < 9; depth++) tree = make(ten(`040000 tree ${tree}`));
    git(path, 'update-ref', 'refs/heads/main', git(path, 'commit-tree', '-m', 'bomb', tree));
    const mgit = openMgit(join(folder, 'cache'));
    expect(await failureOf(mgit.diff({ id: ID, cloneUrl: path }, null))).toMatch(/^GitFailed: .*too many files/);
  });

  test.each([
    'ext::sh -c touch% /tmp/pwned',
    '--upload-pack=touch /tmp/pwned',
    'fd::17',
    'git://example.com/a',
    'ftp://example.com/a',
    'relative/path',
    '../up',
    'https://user:secret@example.com/a.git',
    'https://ghp_secret@example.com/a.git',
    'ssh://-oProxyCommand=x/a',
    '-oProxyCommand=x@host:path',
    'http://example.com/a\nb',
    '',
  ])('the address %j is refused before git sees it', async (cloneUrl) => {
    const mgit = openMgit(join(scratchFolder(), 'cache'));
    const refusal = await failureOf(mgit.diff({ id: ID, cloneUrl }, null));
    expect(refusal).toMatch(/^InvalidInput: Git must not fetch from/);
    expect(refusal).not.toContain('secret');
    expect((await mgit.heads([{ id: ID, cloneUrl }])).get(ID)).toMatchObject({ type: 'InvalidInput' });
  });

  test('a HEAD that is a device or points elsewhere is not a repository', async () => {
    const folder = scratchFolder();
    const path = initRepository(join(folder, 'api'));
    writeFileSync(join(path, '.git', 'HEAD'), 'ref: refs/../../../../etc/passwd\n');
    const mgit = openMgit(join(folder, 'cache'));
    expect((await mgit.heads([{ id: ID, cloneUrl: path }])).get(ID)).toBeInstanceOf(Error);
    expect((await mgit.heads([{ id: ID, cloneUrl: '/dev' }])).get(ID)).toMatchObject({ type: 'RepositoryNotFound' });
  });
});

/** The name of an unfinished mirror of an ended process: no system uses such a large pid. */
function leftOf(mirror: string): string {
  return temporaryPath(mirror).replace(`-${process.pid}-`, '-99999999-');
}

function cutPacks(mirror: string): void {
  const packs = join(mirror, 'objects', 'pack');
  for (const name of readdirSync(packs).filter((file) => file.endsWith('.pack'))) {
    chmodSync(join(packs, name), 0o644);
    truncateSync(join(packs, name), 30);
  }
}
