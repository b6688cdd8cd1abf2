import { mkdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { Differential, Mgit } from '../../../activities/mgit/index.ts';
import type { Snapshot } from '../../../domain/git/snapshot.ts';
import type { RepositoryAddress } from '../../../domain/git/repository.ts';
import { startForge } from '../../support/forge.ts';
import { applied, changesOf, openMgit, treeOf } from '../../support/mgit.ts';
import {
  commitTree,
  files,
  git,
  gitAsync,
  initRepository,
  notebookOf,
  scratchFolder,
} from '../../support/scratch-git.ts';

interface Subject {
  /** The repository on this machine in which commits are made. */
  readonly path: string;
  /** The differential since the last call; its changes are applied and compared with git's own listing. */
  step(options?: { target?: Snapshot; since?: Snapshot | null }): Promise<Differential>;
  readonly last: () => Snapshot | null;
  head(): Promise<unknown>;
  readonly mgit: Mgit;
  readonly repository: RepositoryAddress;
}

/** A bare repository, read in place or over HTTP. */
async function subject(kind: 'local' | 'web', ...options: string[]): Promise<Subject> {
  const folder = scratchFolder();
  const root = join(folder, 'forge');
  const path = join(root, 'acme', 'api.git');
  mkdirSync(path, { recursive: true });
  initRepository(path, '--bare', ...options);
  const forge = await startForge(root);
  onTestFinished(() => forge.close());
  const mgit = openMgit(join(folder, 'cache'));
  const repository = { id: `${kind}/acme/api`, cloneUrl: kind === 'local' ? path : `${forge.url}/acme/api.git` };
  let since: Snapshot | null = null;
  const held = new Map<string, Map<string, string>>();
  return {
    path,
    mgit,
    repository,
    last: () => since,
    head: async () => (await mgit.heads([repository])).get(repository.id),
    async step({ target, since: from = since } = {}) {
      const differential = await mgit.diff(repository, from, target ? { target } : {});
      const before = held.get(differential.from?.commit ?? '') ?? new Map<string, string>();
      const after = applied(before, await changesOf(differential), differential.from);
      expect(after).toEqual(treeOf(path, differential.to.commit));
      held.set(differential.to.commit, after);
      since = differential.to;
      return differential;
    },
  };
}

describe.each(['local', 'web'] as const)('%s', (kind) => {
  test('a first differential, a later one, and an empty one', async () => {
    const { path, step, head } = await subject(kind);
    const first = commitTree(path, files({ 'a.ts': '1\n', 'b.ts': '2\n' }));
    expect(await step()).toMatchObject({
      full: 'first-sync',
      from: null,
      files: 2,
      to: { commit: first, branch: 'main' },
    });
    const second = commitTree(path, files({ 'a.ts': '1\n', 'b.ts': '3\n', 'c.ts': '4\n' }));
    const forward = await step();
    expect(forward).toMatchObject({ full: null, from: { commit: first }, files: 2, to: { commit: second } });
    expect(forward.to).toEqual({
      commit: second,
      tree: git(path, 'rev-parse', `${second}^{tree}`),
      branch: 'main',
      timestamp: new Date(git(path, 'log', '-1', '--format=%cI', second)).toISOString(),
    });
    expect(await head()).toEqual({ commit: second, branch: 'main' });
    expect(await step()).toMatchObject({ full: null, files: 0, to: { commit: second } });
  });

  test('a merge is compared with the previous position, not with its parents', async () => {
    const { path, step } = await subject(kind);
    const base = commitTree(path, files({ 'a.ts': '1\n' }));
    await step();
    git(path, 'branch', 'side', base);
    const side = commitTree(path, files({ 'a.ts': '1\n', 'side.ts': 's\n' }), { branch: 'side' });
    const main = commitTree(path, files({ 'a.ts': '2\n', 'side.ts': 's\n' }));
    const merge = git(path, 'commit-tree', `${main}^{tree}`, '-p', main, '-p', side, '-m', 'merge');
    git(path, 'update-ref', 'refs/heads/main', merge);
    expect(await step()).toMatchObject({ full: null, files: 2, to: { commit: merge } });
  });

  test('a force-push, to something unrelated too, is a difference like any other', async () => {
    const { path, step } = await subject(kind);
    const first = commitTree(path, files({ 'a.ts': '1\n', 'b.ts': '2\n' }));
    await step();
    commitTree(path, files({ 'a.ts': '1\n', 'c.ts': '3\n' }), { orphan: true });
    expect(await step()).toMatchObject({ full: null, from: { commit: first }, files: 2 });
    git(path, 'update-ref', 'refs/heads/main', first);
    expect(await step()).toMatchObject({ full: null, files: 2, to: { commit: first } });
  });

  test('the default branch renamed, changed, detached', async () => {
    const { path, step } = await subject(kind);
    const commit = commitTree(path, files({ 'a.ts': '1\n' }));
    await step();
    git(path, 'branch', '-m', 'main', 'trunk');
    expect(await step()).toMatchObject({ full: null, files: 0, to: { commit, branch: 'trunk' } });
    commitTree(path, files({ 'other.ts': '2\n' }), { branch: 'release/1.0' });
    git(path, 'symbolic-ref', 'HEAD', 'refs/heads/release/1.0');
    expect(await step()).toMatchObject({ full: null, files: 2, to: { branch: 'release/1.0' } });
    git(path, 'update-ref', '--no-deref', 'HEAD', commit);
    expect(await step()).toMatchObject({ full: null, files: 2, to: { commit, branch: null } });
  });

  test('branches in addition to HEAD: the requested ones, loose and packed, without the one that HEAD points to', async () => {
    const { path, mgit, repository } = await subject(kind);
    const seen = async (...branches: string[]) => {
      const head = (await mgit.heads([{ ...repository, branches }])).get(repository.id);
      return head instanceof Error || head === undefined
        ? head
        : [head.commit, Object.fromEntries(head.branches ?? [])];
    };
    const main = commitTree(path, files({ 'a.ts': '1\n' }));
    const packed = commitTree(path, files({ 'a.ts': '2\n' }), { branch: 'release/1' });
    const old = commitTree(path, files({ 'a.ts': '3\n' }), { branch: 'release/2' });
    git(path, 'pack-refs', '--all');
    const loose = commitTree(path, files({ 'a.ts': '4\n' }), { branch: 'release/2' });
    expect(loose).not.toBe(old);
    commitTree(path, files({ 'a.ts': '5\n' }), { branch: 'other' });
    const release = { 'refs/heads/release/1': packed, 'refs/heads/release/2': loose };
    expect(await seen('release/*')).toEqual([main, release]);
    expect(await seen('release/1', 'main', 'nobody')).toEqual([main, { 'refs/heads/release/1': packed }]);
    git(path, 'symbolic-ref', 'HEAD', 'refs/heads/release/2');
    expect(await seen('release/*', 'main')).toEqual([
      loose,
      { 'refs/heads/main': main, 'refs/heads/release/1': packed },
    ]);
    git(path, 'branch', '-D', 'release/1');
    expect(await seen('release/*')).toEqual([loose, {}]);
  });

  test('a differential ends at the observed position of a branch', async () => {
    const { path, mgit, repository } = await subject(kind);
    const first = commitTree(path, files({ 'a.ts': '1\n', 'b.ts': '2\n' }));
    git(path, 'branch', 'develop');
    const second = commitTree(path, files({ 'a.ts': '1\n', 'b.ts': '3\n' }), { branch: 'develop' });
    const goal = (commit: string) => ({
      at: { commit, branch: 'develop' },
      tips: new Map([
        ['HEAD', first],
        ['refs/heads/develop', commit],
      ]),
    });
    const all = await mgit.diff(repository, null, goal(second));
    expect(all).toMatchObject({ full: 'first-sync', files: 2, to: { commit: second, branch: 'develop' } });
    expect(await mgit.diff(repository, all.to, goal(second))).toMatchObject({ full: null, files: 0 });
    const forced = commitTree(path, files({ 'c.ts': '4\n' }), { branch: 'develop', orphan: true });
    const delta = await mgit.diff(repository, all.to, goal(forced));
    expect(delta).toMatchObject({ full: null, files: 3, to: { commit: forced, branch: 'develop' } });
    expect(applied(treeOf(path, second), await changesOf(delta), delta.from)).toEqual(treeOf(path, forced));
  });

  test('a repository without a commit, filled, emptied, filled again', async () => {
    const { path, step, head } = await subject(kind);
    const nothing = '0'.repeat(40);
    expect(await step()).toMatchObject({ full: 'first-sync', files: 0, to: { commit: nothing, timestamp: null } });
    expect(await head()).toMatchObject({ commit: nothing });
    commitTree(path, files({ 'a.ts': '1\n' }));
    expect(await step()).toMatchObject({ full: null, files: 1 });
    git(path, 'update-ref', '-d', 'refs/heads/main');
    expect(await step()).toMatchObject({
      full: null,
      files: 1,
      to: { commit: nothing, tree: '4b825dc642cb6eb9a060e54bf8d69288fbee4904' },
    });
    expect(await step()).toMatchObject({ full: null, files: 0 });
    commitTree(path, files({ 'b.ts': '1\n' }));
    expect(await step()).toMatchObject({ full: null, files: 1 });
  });

  test('a commit with no file', async () => {
    const { path, step } = await subject(kind);
    commitTree(path, files({ 'a.ts': '1\n' }));
    await step();
    commitTree(path, new Map());
    expect(await step()).toMatchObject({ full: null, files: 1 });
    commitTree(path, files({ 'a.ts': '1\n' }));
    expect(await step()).toMatchObject({ full: null, files: 1 });
  });

  test('sha256', async () => {
    const { path, step, head } = await subject(kind, '--object-format=sha256');
    const first = commitTree(path, files({ 'a/a.ts': '1\n', '.gitattributes': '*.x binary\n' }));
    expect(first).toHaveLength(64);
    await step();
    const second = commitTree(path, files({ 'a/a.ts': '2\n', '.gitattributes': '*.x binary\n' }));
    expect(await step()).toMatchObject({ full: null, files: 1, to: { commit: second } });
    expect(await head()).toEqual({ commit: second, branch: 'main' });
    git(path, 'update-ref', '-d', 'refs/heads/main');
    expect(await step()).toMatchObject({ full: 'attributes-changed', files: 0 });
  });

  test('recreated in another format under the same name', async () => {
    const { path, step } = await subject(kind);
    commitTree(path, files({ 'a.ts': '1\n' }));
    await step();
    rmSync(path, { recursive: true });
    mkdirSync(path);
    initRepository(path, '--bare', '--object-format=sha256');
    commitTree(path, files({ 'b.ts': '1\n' }));
    expect(await step()).toMatchObject({ full: 'receipt-tree-gone', from: null, files: 1 });
  });

  test('a snapshot that no longer exists anywhere', async () => {
    const { path, step } = await subject(kind);
    commitTree(path, files({ 'a.ts': '1\n' }));
    const { to } = await step();
    const foreign = { ...to, commit: '1'.repeat(40), tree: '2'.repeat(40) };
    commitTree(path, files({ 'a.ts': '2\n' }));
    expect(await step({ since: foreign })).toMatchObject({ full: 'receipt-tree-gone', from: null, files: 1 });
    expect(await step({ since: { ...foreign, commit: 'not a commit' } })).toMatchObject({ full: 'receipt-tree-gone' });
  });

  test('to exactly a snapshot, although HEAD has moved on', async () => {
    const { path, step, last } = await subject(kind);
    commitTree(path, files({ 'a.ts': '1\n' }));
    await step();
    const start = last();
    commitTree(path, files({ 'a.ts': '2\n' }));
    const { to: target } = await step();
    commitTree(path, files({ 'a.ts': '3\n', 'b.ts': '1\n' }));
    await step();
    expect(await step({ target, since: start })).toMatchObject({ full: null, files: 1, to: target });
    expect(await step({ target, since: null })).toMatchObject({ full: 'first-sync', to: target });
    const gone = { ...target, commit: '3'.repeat(40) };
    expect(await step({ target: gone })).toMatchObject({ full: 'interrupted-run', from: null, files: 2 });
  });
});

describe('discarded history', () => {
  test('in place, everything is listed when the old commit was collected as garbage', async () => {
    const { path, step } = await subject('local');
    commitTree(path, files({ 'a.ts': '1\n', 'b.ts': '2\n' }));
    await step();
    commitTree(path, files({ 'b.ts': '3\n' }), { orphan: true });
    collectGarbage(path);
    expect(await step()).toMatchObject({ full: 'receipt-tree-gone', from: null, files: 1 });
  });

  test('over the network the mirror still has the old commit', async () => {
    const { path, step } = await subject('web');
    const first = commitTree(path, files({ 'a.ts': '1\n', 'b.ts': '2\n' }));
    await step();
    commitTree(path, files({ 'b.ts': '3\n' }), { orphan: true });
    collectGarbage(path);
    expect(await step()).toMatchObject({ full: null, from: { commit: first }, files: 2 });
  });
});

test('old contents can be read to count them again', async () => {
  const folder = scratchFolder();
  const forge = await startForge(join(folder, 'forge'));
  onTestFinished(() => forge.close());
  const path = join(forge.root, 'acme', 'api.git');
  mkdirSync(path, { recursive: true });
  initRepository(path, '--bare');
  const notebook = notebookOf(1_200_000);
  commitTree(path, files({ 'a.ts': 'old\n', 'b.ts': 'x'.repeat(2_000_000), 'c.ipynb': notebook }));
  const mgit = openMgit(join(folder, 'cache'));
  const repository = { id: 'web/acme/api', cloneUrl: `${forge.url}/acme/api.git` };
  const { to } = await mgit.diff(repository, null);
  const [a, b, c] = ['a.ts', 'b.ts', 'c.ipynb'].map((name) => git(path, 'rev-parse', `main:${name}`));
  commitTree(path, files({ 'a.ts': 'new\n' }));
  renameSync(join(folder, 'cache'), join(folder, 'lost'));
  const differential = await mgit.diff(repository, to);
  expect(differential).toMatchObject({ full: null, files: 3 });
  const read: [string, string | undefined][] = [];
  const asked = [
    [a, 'a.ts'],
    [b, 'b.ts'],
    [a, 'a.ts'],
    [c, 'c.ipynb'],
    [c, 'c.json'],
  ].map(([oid = '', name = '']) => ({ oid, path: name }));
  for await (const { oid, content } of differential.readOld(asked)) {
    read.push([oid, content ? Buffer.from(content).toString() : undefined]);
  }
  expect(read).toEqual([
    [a, 'old\n'],
    [b, undefined],
    [a, 'old\n'],
    [c, notebook],
    [c, undefined],
  ]);
  const gone: unknown[] = [];
  for await (const old of differential.readOld([{ oid: '4'.repeat(40), path: 'a.ts' }])) gone.push(old);
  expect(gone).toEqual([{ oid: '4'.repeat(40), content: null }]);
  await gitAsync(path, 'fsck');
});

function collectGarbage(path: string): void {
  git(path, 'reflog', 'expire', '--expire=now', '--all');
  git(path, 'gc', '--quiet', '--prune=now');
}
