import { mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { trackedFiles } from '../../../../activities/workspace/manifests/tracked-files.ts';
import { repositoryWith, scratchRunner } from '../../../support/workspace/manifest-repository.ts';
import { git, initRepository, scratchFolder } from '../../../support/scratch-git.ts';

const FILES = {
  'package.json': '{}',
  'other.txt': 'x',
  'a/package.json': '{}',
  'a/b/package.json': '{}',
  'packages/long-enough-for-a-prefix-one/package.json': '{}',
  'packages/long-enough-for-a-prefix-two/package.json': '{}',
  'ü/package.json': '{}',
};

const isManifest = (name: string): boolean => name === 'package.json';

/** What git itself lists. */
function listed(folder: string): string[] {
  return git(folder, 'ls-files', '-z')
    .split('\0')
    .filter((path) => isManifest(path.slice(path.lastIndexOf('/') + 1)));
}

async function paths(folder: string): Promise<string[] | undefined> {
  return (await trackedFiles(folder, isManifest, { git: scratchRunner() }))?.map(({ path }) => path);
}

test.for(['2', '3', '4'])('an index of version %s has the files that git lists', async (version) => {
  const folder = repositoryWith(FILES);
  git(folder, 'update-index', `--index-version=${version}`);
  // an extended entry, which git writes in version 3 and 4 only
  if (version !== '2') {
    writeFileSync(join(folder, 'later.txt'), '');
    git(folder, 'add', '--intent-to-add', 'later.txt');
  }
  expect(await paths(folder)).toEqual(listed(folder));
  expect(await paths(folder)).toHaveLength(6);
});

test('a repository with SHA-256', async () => {
  const folder = initRepository(join(scratchFolder(), 'r'), '--object-format=sha256');
  for (const at of ['.', 'x']) {
    mkdirSync(join(folder, at), { recursive: true });
    writeFileSync(join(folder, at, 'package.json'), '{}');
  }
  git(folder, 'add', '--all');
  expect(await paths(folder)).toEqual(['package.json', 'x/package.json']);
});

test('a split index, a sparse one, and files that a sparse checkout leaves out', async () => {
  const folder = repositoryWith(FILES);
  git(folder, 'commit', '--quiet', '--message=files');
  git(folder, 'update-index', '--split-index');
  expect(await paths(folder)).toEqual(listed(folder));
  git(folder, 'update-index', '--no-split-index');
  git(folder, 'sparse-checkout', 'set', '--cone', '--no-sparse-index', 'a');
  const kept = ['a/b/package.json', 'a/package.json', 'package.json'];
  expect(await paths(folder)).toEqual(kept);
  git(folder, 'sparse-checkout', 'reapply', '--sparse-index');
  expect(git(folder, 'ls-files', '--sparse')).toContain('packages/\n');
  expect(await paths(folder)).toEqual(kept);
});

test('the worktree of another repository, and files in conflict', async () => {
  const folder = repositoryWith(FILES);
  git(folder, 'commit', '--quiet', '--message=files');
  const worktree = join(scratchFolder(), 'worktree');
  git(folder, 'worktree', 'add', '--quiet', '-b', 'other', worktree);
  writeFileSync(join(worktree, 'package.json'), '{"name": "theirs"}');
  git(worktree, 'commit', '--quiet', '--all', '--message=theirs');
  writeFileSync(join(folder, 'package.json'), '{"name": "ours"}');
  git(folder, 'commit', '--quiet', '--all', '--message=ours');
  expect(() => git(folder, 'merge', 'other')).toThrow('git merge');
  expect(git(folder, 'ls-files', '--unmerged').split('\n')).toHaveLength(3);
  expect(await paths(folder)).toEqual([...new Set(listed(folder))]);
  rmSync(join(worktree, 'a'), { recursive: true });
  git(worktree, 'rm', '-r', '--quiet', '--cached', 'a');
  expect(await paths(worktree)).toEqual(listed(worktree));
});

test('a path that is not valid UTF-8 is marked', async () => {
  const folder = repositoryWith({ 'package.json': '{}' });
  mkdirSync(Buffer.concat([Buffer.from(`${folder}/`), Buffer.from([0xff])]));
  writeFileSync(Buffer.concat([Buffer.from(`${folder}/`), Buffer.from([0xff]), Buffer.from('/package.json')]), '{}');
  git(folder, 'add', '--all');
  const files = await trackedFiles(folder, isManifest, { git: scratchRunner() });
  expect(files).toEqual([
    { path: 'package.json', isText: true },
    { path: '\ufffd/package.json', isText: false },
  ]);
});

test('an empty repository, a bare one, none, and a damaged index', async () => {
  expect(await paths(initRepository(join(scratchFolder(), 'empty')))).toEqual([]);
  expect(await paths(initRepository(join(scratchFolder(), 'bare.git'), '--bare'))).toEqual([]);
  expect(await trackedFiles(scratchFolder(), isManifest, { git: scratchRunner() })).toBeNull();
  const folder = repositoryWith(FILES);
  for (const damage of ['DIRC', 'DIRC\0\0\0\x02\0\0\0\x02' + 'x'.repeat(100), `DIRC\0\0\0\x07${'x'.repeat(50)}`, '']) {
    writeFileSync(join(folder, '.git/index'), damage);
    await expect(paths(folder), damage).rejects.toThrow('is damaged');
  }
  rmSync(join(folder, '.git/index'));
  symlinkSync(join(folder, '.git/index'), join(folder, '.git/index'));
  await expect(paths(folder)).rejects.toThrow('cannot be read');
});
