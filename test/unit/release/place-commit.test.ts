import { join } from 'node:path';
import { expect, test } from 'vitest';
import { chooseBaseline, placeCommit } from '../../../activities/release/pipelines/place-commit.ts';
import { openMgit } from '../../support/mgit.ts';
import { git, initRepository, scratchFolder } from '../../support/scratch-git.ts';

const REPOSITORY = 'disk/acme/api';
const PROTECTED = ['main', 'release/*'];

function open() {
  const folder = scratchFolder();
  const remote = initRepository(join(folder, 'root', 'acme', 'api.git'), '--bare');
  const clone = join(folder, 'clone');
  git(folder, 'clone', '--quiet', remote, clone);
  const mgit = openMgit(join(folder, 'cache'), [{ name: 'disk', type: 'local', root: join(folder, 'root') }]);
  const { signal } = new AbortController();
  return {
    remote,
    /** Commits, on top of `from`, and pushes to a branch of the remote if there is one. */
    commit(branch: string | null, from?: string): string {
      if (from !== undefined) git(clone, 'checkout', '--quiet', '--detach', from);
      git(clone, 'commit', '--quiet', '--allow-empty', '-m', `for ${branch ?? 'no branch'}`);
      if (branch !== null) git(clone, 'push', '--quiet', 'origin', `HEAD:refs/heads/${branch}`);
      return git(clone, 'rev-parse', 'HEAD');
    },
    place: async (commit: string, branch: string | null = null) =>
      (await placeCommit(mgit, { repository: REPOSITORY, commit, branch }, PROTECTED, signal)).protectedBy,
    baseline: (commit: string, commits: readonly string[], branch: string | null = null) =>
      chooseBaseline(mgit, { repository: REPOSITORY, commit, commits, branch }, signal),
  };
}

test('a commit is protected when a protected branch of the remote contains it, and the branch that is named is that one', async () => {
  const { commit, place } = open();
  const first = commit('main');
  const head = commit('main');
  const local = commit(null);
  const feature = commit('feature', head);
  const release = commit('release/9', first);
  expect(await place(head)).toBe('main');
  expect(await place(first)).toBe('main');
  expect(await place(head, 'main')).toBe('main');
  expect(await place(release)).toBe('release/9');
  expect(await place(release, 'release/9')).toBe('release/9');
  // the remote decides, whatever the caller says
  for (const other of [local, feature, '1'.repeat(40)]) {
    expect(await place(other)).toBeNull();
    expect(await place(other, 'main')).toBeNull();
  }
  expect(await place(release, 'main')).toBeNull();
  expect(await place(head, 'feature')).toBeNull();
  expect(await place(head, 'release/none')).toBeNull();
});

test('a repository without commits has no place for any', async () => {
  const { place, baseline } = open();
  expect(await place('1'.repeat(40))).toBeNull();
  expect(await baseline('1'.repeat(40), [])).toEqual({ branch: null, commit: null, hasCommit: false });
});

test('findings are compared with the newest commit that the branch has', async () => {
  const { commit, baseline, remote } = open();
  const first = commit('main');
  const second = commit('main');
  const third = commit('main');
  const feature = commit('feature', first);
  const known = [first, second, feature, '1'.repeat(40)];
  expect(await baseline(third, known)).toEqual({ branch: 'main', commit: second, hasCommit: true });
  expect(await baseline(feature, known)).toEqual({ branch: 'main', commit: second, hasCommit: false });
  expect(await baseline(feature, known, 'feature')).toEqual({ branch: 'feature', commit: feature, hasCommit: true });
  expect(await baseline(feature, known, 'gone')).toEqual({ branch: null, commit: null, hasCommit: false });
  git(remote, 'symbolic-ref', 'HEAD', 'refs/heads/feature');
  expect(await baseline(third, known)).toEqual({ branch: 'feature', commit: feature, hasCommit: false });
});
