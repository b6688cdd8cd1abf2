import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Mgit } from '../../../activities/mgit/index.ts';
import { openMgit } from '../../support/mgit.ts';
import { commitTree, files, git, initRepository, scratchFolder } from '../../support/scratch-git.ts';

const ID = 'disk/acme/api';

interface Place {
  readonly mgit: Mgit;
  readonly remote: string;
  readonly clone: string;
  push(commit: string, hasBranches?: boolean): Promise<{ object: string; isNew: boolean }>;
}

/** A bare remote with one commit, and a clone of it in which people work. */
function place(): Place {
  const folder = scratchFolder();
  const remote = initRepository(join(folder, 'api.git'), '--bare');
  commitTree(remote, files({ a: '1' }));
  const clone = join(folder, 'clone');
  git(folder, 'clone', '--quiet', remote, clone);
  const mgit = openMgit(join(folder, 'cache'));
  return {
    mgit,
    remote,
    clone,
    async push(commit, hasBranches = true) {
      const address = { id: ID, cloneUrl: clone };
      const pushed = hasBranches
        ? git(clone, 'for-each-ref', '--format=%(objectname)', 'refs/remotes').split('\n')
        : [];
      const pack = await mgit.withCommitPack(address, commit, (found) => buffer(Readable.from(found.pack)), { pushed });
      const tag = { name: 'v1.0.0-rc.1', commit, message: 'v1.0.0-rc.1: FEAT-1', time: 1_700_000_000 };
      return mgit.pushTag({ id: ID, cloneUrl: remote }, tag, () => Promise.resolve(Readable.from([pack])));
    },
  };
}

describe('a tag', () => {
  test('is pushed with a commit that the remote does not have, and a repetition finds it', async () => {
    const { remote, clone, push } = place();
    const commit = commitTree(clone, files({ a: '1', b: '2' }));
    const { object, isNew } = await push(commit);
    expect(isNew).toBe(true);
    expect(await push(commit)).toEqual({ object, isNew: false });
    // as the remote's git sees it: an annotated tag of that commit, and no branch has moved
    expect(git(remote, 'cat-file', '-p', 'refs/tags/v1.0.0-rc.1')).toBe(
      `object ${commit}\ntype commit\ntag v1.0.0-rc.1\ntagger Longhaul <longhaul@localhost> 1700000000 +0000\n\nv1.0.0-rc.1: FEAT-1`,
    );
    expect(git(remote, 'rev-parse', 'refs/tags/v1.0.0-rc.1')).toBe(object);
    expect(git(remote, 'for-each-ref', '--format=%(refname)')).toBe('refs/heads/main\nrefs/tags/v1.0.0-rc.1');
    expect(git(remote, 'rev-list', '--count', 'v1.0.0-rc.1')).toBe('2');
    expect(git(remote, 'fsck', '--strict', '--no-dangling')).toBe('');
  });

  test('that the remote has for something else is a conflict, and stays', async () => {
    const { remote, clone, push } = place();
    const commit = commitTree(clone, files({ b: '2' }));
    git(remote, 'tag', 'v1.0.0-rc.1', 'main');
    const before = git(remote, 'rev-parse', 'refs/tags/v1.0.0-rc.1');
    await expect(push(commit)).rejects.toMatchObject({ type: 'TagConflict' });
    expect(git(remote, 'rev-parse', 'refs/tags/v1.0.0-rc.1')).toBe(before);
  });

  test('is refused without the commits before it, which a clone packs too', async () => {
    const { remote, clone, push } = place();
    commitTree(clone, files({ b: '2' }));
    const second = commitTree(clone, files({ c: '3' }));
    await expect(push(second, false)).rejects.toMatchObject({ type: 'PushRefused' });
    expect(git(remote, 'for-each-ref', '--format=%(refname)', 'refs/tags')).toBe('');
    await push(second);
    expect(git(remote, 'rev-list', '--count', 'v1.0.0-rc.1')).toBe('3');
  });
});
