import { appendFileSync, existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { startForge } from '../../support/forge.ts';
import { failureOf, openMgit } from '../../support/mgit.ts';
import { commitTree, files, git, gitAsync, initRepository, scratchFolder } from '../../support/scratch-git.ts';

const ID = 'web/acme/api';
const TREE = new Map([
  ...files({ 'src/a b.ts': 'one\n', '.gitattributes': '*.bin filter=evil\n', 'x.bin': 'raw\r\n' }),
  ['run.sh', { mode: '100755', content: '#!/bin/sh\n' }],
  ['link', { mode: '120000', content: 'src/a b.ts' }],
] as const);

/** A repository on a server, with two commits, and a warm mirror of it. */
async function served(allowFilter: boolean) {
  const folder = scratchFolder();
  const forge = await startForge(join(folder, 'forge'), {});
  onTestFinished(() => forge.close());
  const path = join(forge.root, 'acme', 'api.git');
  mkdirSync(path, { recursive: true });
  initRepository(path, '--bare');
  git(path, 'config', 'uploadpack.allowFilter', String(allowFilter));
  commitTree(path, files({ 'src/a b.ts': 'zero\n', 'gone.ts': 'gone\n' }));
  const commit = commitTree(path, TREE);
  const repository = { id: ID, cloneUrl: `${forge.url}/acme/api.git` };
  const cache = join(folder, 'cache');
  return { folder, forge, path, commit, repository, cache, mgit: openMgit(cache) };
}

const ON_MAIN = { branch: 'main', from: 'main', isFromDefault: true };

describe('a clone of a repository on a server', () => {
  test.each([true, false])('is one that git works in, without the cache (server filters: %s)', async (allowFilter) => {
    const { folder, path, commit, repository, cache, mgit } = await served(allowFilter);
    const work = join(folder, 'api');
    await mgit.cloneInto(repository, { commit, ...ON_MAIN }, work);
    rmSync(cache, { recursive: true });
    expect(await gitAsync(work, 'status', '--porcelain', '--branch', '--ignored')).toBe('## main...origin/main');
    expect(git(work, 'rev-parse', 'HEAD')).toBe(commit);
    expect(git(work, 'ls-files', '--stage')).toBe(
      git(path, 'ls-tree', '-r', '--format=%(objectmode) %(objectname) 0%x09%(path)', commit),
    );
    expect(await gitAsync(work, 'fsck', '--strict', '--no-dangling')).toBe('');
    expect(readFileSync(join(work, 'x.bin'), 'utf8')).toBe('raw\r\n');
    expect(lstatSync(join(work, 'link')).isSymbolicLink()).toBe(true);
    expect(git(work, 'remote', 'get-url', 'origin')).toBe(repository.cloneUrl);
    // the content of the commit before is at the server only
    expect(await gitAsync(work, 'log', '-p', '--format=%s', '--', 'gone.ts')).toContain('-gone');
    const next = commitTree(path, files({ 'new.ts': 'new\n' }));
    await gitAsync(work, 'pull', '--quiet', '--ff-only');
    expect(git(work, 'rev-parse', 'HEAD', 'origin/main', 'origin/HEAD').split('\n')).toEqual([next, next, next]);
    expect(readdirSync(work).toSorted()).toEqual(['.git', 'new.ts']);
    await gitAsync(work, 'repack', '-a', '-d', '-q');
    expect(await gitAsync(work, 'fsck', '--strict', '--no-dangling')).toBe('');
  });

  test('uses no network when the mirror is warm, and shares the packs with it', async () => {
    const { folder, forge, commit, repository, mgit, cache } = await served(true);
    await mgit.cloneInto(repository, { commit, ...ON_MAIN }, join(folder, 'one'));
    const asked = forge.requests.length;
    await mgit.cloneInto(
      repository,
      { commit, branch: 'task/é-"1"', from: null, isFromDefault: false },
      join(folder, 'two'),
    );
    expect(forge.requests.length).toBe(asked);
    const packs = join(folder, 'two', '.git', 'objects', 'pack');
    for (const name of readdirSync(packs)) expect([name, statSync(join(packs, name)).nlink]).toEqual([name, 3]);
    expect(git(join(folder, 'two'), 'symbolic-ref', 'HEAD')).toBe('refs/heads/task/é-"1"');
    expect(git(join(folder, 'two'), 'for-each-ref', '--format=%(refname)')).toBe(
      'refs/heads/task/é-"1"\nrefs/longhaul/cloned',
    );
    // what the user does with its packs does not reach the mirror
    await gitAsync(join(folder, 'one'), 'gc', '--quiet', '--prune=now');
    rmSync(join(folder, 'two'), { recursive: true });
    await mgit.cloneInto(repository, { commit, ...ON_MAIN }, join(folder, 'three'));
    expect(forge.requests.length).toBe(asked);
    expect(await gitAsync(join(folder, 'three'), 'fsck', '--strict', '--no-dangling')).toBe('');
    expect(existsSync(cache)).toBe(true);
  });

  test('is refused for a commit that is not there, or a name that is none, and makes nothing', async () => {
    const { folder, commit, repository, mgit } = await served(true);
    const work = join(folder, 'api');
    expect(await failureOf(mgit.cloneInto(repository, { commit: 'a'.repeat(40), ...ON_MAIN }, work))).toBe(
      `InvalidInput: The repository of ${ID} does not have the commit ${'a'.repeat(40)}.`,
    );
    const planted = { commit, branch: '../../hooks/x', from: null, isFromDefault: false };
    expect(await failureOf(mgit.cloneInto(repository, planted, work))).toBe(
      'InvalidInput: "../../hooks/x" is not a name of a branch.',
    );
    expect(existsSync(work)).toBe(false);
  });
});

describe('a clone of a repository on this disk', () => {
  test.each(['sha1', 'sha256'])('has all objects, also those that other repositories lend (%s)', async (format) => {
    const folder = scratchFolder();
    const lender = initRepository(join(folder, 'lender'), `--object-format=${format}`, '--bare');
    commitTree(lender, files({ 'a.ts': 'first\n' }));
    git(lender, 'repack', '-a', '-d', '-q');
    const path = join(folder, 'path');
    git(folder, 'clone', '--quiet', '--shared', '--bare', lender, path);
    const commit = commitTree(path, files({ 'a.ts': 'second\n', 'b.ts': 'b\n' }));
    const work = join(folder, 'work');
    await openMgit(join(folder, 'cache')).cloneInto({ id: ID, cloneUrl: path }, { commit, ...ON_MAIN }, work);
    rmSync(lender, { recursive: true });
    expect(git(work, 'fsck', '--strict', '--no-dangling')).toBe('');
    expect(git(work, 'log', '--format=%H').split('\n')).toHaveLength(2);
    expect(git(work, 'status', '--porcelain', '--branch')).toBe('## main...origin/main');
    appendFileSync(join(work, 'b.ts'), 'mine\n');
    git(work, 'commit', '--quiet', '--all', '--message', 'mine');
    expect(git(work, 'status', '--porcelain', '--branch')).toBe('## main...origin/main [ahead 1]');
    // the objects of the repository are as they were
    expect(git(path, 'cat-file', '-p', `${commit}:b.ts`)).toBe('b');
  });

  test('of a shallow one is as shallow', async () => {
    const folder = scratchFolder();
    const origin = initRepository(join(folder, 'origin'), '--bare');
    commitTree(origin, files({ 'a.ts': 'first\n' }));
    const commit = commitTree(origin, files({ 'a.ts': 'second\n' }));
    git(folder, 'clone', '--quiet', '--bare', '--depth=1', `file://${origin}`, 'shallow');
    const work = join(folder, 'work');
    const cloneUrl = join(folder, 'shallow');
    await openMgit(join(folder, 'cache')).cloneInto({ id: ID, cloneUrl }, { commit, ...ON_MAIN }, work);
    expect(git(work, 'log', '--format=%H')).toBe(commit);
    expect(git(work, 'fsck', '--strict', '--no-dangling')).toBe('');
  });
});
