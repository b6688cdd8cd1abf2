import { join } from 'node:path';
import { Readable } from 'node:stream';
import { expect, test } from 'vitest';
import { createBlobStore } from '../../../activities/blobs/blob-store.ts';
import { createFolderObjects } from '../../../activities/blobs/folder-objects.ts';
import { findNamedCommits } from '../../../activities/release/evolutions/named-commits.ts';
import { openMgit } from '../../support/mgit.ts';
import { git, initRepository, scratchFolder } from '../../support/scratch-git.ts';

const REPOSITORY = 'disk/acme/api';

test('each change has the newest commit of the push that names it', async () => {
  const folder = scratchFolder();
  const remote = initRepository(join(folder, 'root', 'acme', 'api.git'), '--bare');
  const clone = join(folder, 'clone');
  git(folder, 'clone', '--quiet', remote, clone);
  const blobs = createBlobStore(createFolderObjects(join(folder, 'blobs')), join(folder, 'making'));
  const mgit = openMgit(join(folder, 'cache'), [{ name: 'disk', type: 'local', root: join(folder, 'root') }]);
  const commit = (message: string): string => {
    git(clone, 'commit', '--quiet', '--allow-empty', '-m', message);
    return git(clone, 'rev-parse', 'HEAD');
  };
  const named = async (at: string, before: string | null): Promise<Record<string, string>> => {
    const repository = await mgit.find(REPOSITORY);
    const packed = await mgit.withCommitPack(repository, at, async ({ tree, pack }) => {
      const { digest } = await blobs.put(Readable.from(pack));
      return { commit: at, tree, pack: digest, changed: '' };
    });
    const changes = ['FEAT-1', 'FEAT-2', 'FEAT-3'];
    const asked = { repository: REPOSITORY, packed, before, changes };
    const found = await findNamedCommits({ mgit, blobs }, asked, new AbortController().signal);
    return Object.fromEntries(found.map(({ change, commit: of }) => [change, of]));
  };
  const old = commit('feat: pushed before [FEAT-3]');
  git(clone, 'push', '--quiet', 'origin', 'HEAD:refs/heads/main');
  // the default branch itself is new
  expect(await named(old, null)).toEqual({ 'FEAT-3': old });
  git(clone, 'checkout', '--quiet', '-b', 'feature');
  commit('feat: a first try [FEAT-1]');
  const first = commit('feat: the second [FEAT-1]');
  const second = commit('feat: another change [FEAT-2] [OTHER-1]');
  const head = commit('docs: names none [feat-1]');
  git(clone, 'push', '--quiet', 'origin', 'HEAD:refs/heads/feature');
  expect(await named(head, old)).toEqual({ 'FEAT-1': first, 'FEAT-2': second });
  expect(await named(head, first)).toEqual({ 'FEAT-2': second });
  // a new branch: what the default branch does not have
  expect(await named(head, null)).toEqual({ 'FEAT-1': first, 'FEAT-2': second });
  // the remote has lost the commit before a forced push: only the pushed commit is read
  expect(await named(second, '1'.repeat(40))).toEqual({ 'FEAT-2': second });
  expect(await named(head, '1'.repeat(40))).toEqual({});
  // one that was replaced: what the branch did not have
  git(clone, 'checkout', '--quiet', '-b', 'again', old);
  const replaced = commit('feat: again [FEAT-1]');
  git(clone, 'push', '--quiet', 'origin', 'HEAD:refs/heads/again');
  expect(await named(replaced, head)).toEqual({ 'FEAT-1': replaced });
  for (let count = 0; count < 250; count++) commit('docs: more');
  const last = git(clone, 'rev-parse', 'HEAD');
  git(clone, 'push', '--quiet', 'origin', 'HEAD:refs/heads/again');
  // at most the newest 250
  expect(await named(last, old)).toEqual({});
});
