import { writeFileSync } from 'node:fs';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { Mgit, NewBranch } from '../../../activities/mgit/index.ts';
import { type Forge, startForge } from '../../support/forge.ts';
import { failureOf, openMgit } from '../../support/mgit.ts';
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

  test('is pushed without a pack when the remote has the commit, and refused when it does not', async () => {
    const { mgit, remote, clone } = place();
    const address = { id: ID, cloneUrl: remote };
    const tag = { name: 'v1.0.0', commit: git(remote, 'rev-parse', 'main'), message: 'v1.0.0', time: 1 };
    const { object, isNew } = await mgit.pushTag(address, tag, null);
    expect([isNew, git(remote, 'rev-parse', 'refs/tags/v1.0.0')]).toEqual([true, object]);
    const other = { ...tag, name: 'v2', commit: commitTree(clone, files({ b: '2' })) };
    await expect(mgit.pushTag(address, other, null)).rejects.toMatchObject({ type: 'PushRefused' });
    await expect(mgit.pushTag(address, { ...tag, name: '-d' }, null)).rejects.toMatchObject({ type: 'InvalidInput' });
  });

  test('is removed only if it is still this very object', async () => {
    const { mgit, remote } = place();
    const address = { id: ID, cloneUrl: remote };
    const commit = git(remote, 'rev-parse', 'main');
    const { object } = await mgit.pushTag(address, { name: 'v1', commit, message: 'v1', time: 1 }, null);
    git(remote, 'tag', '--force', 'v1', commit);
    expect(await mgit.removeTag(address, { name: 'v1', object })).toBe('differs');
    expect(git(remote, 'rev-parse', 'refs/tags/v1')).toBe(commit);
    git(remote, 'update-ref', 'refs/tags/v1', object);
    expect(await mgit.removeTag(address, { name: 'v1', object })).toBe('removed');
    expect(git(remote, 'tag')).toBe('');
    expect(await mgit.removeTag(address, { name: 'v1', object })).toBe('absent');
  });
});

interface BranchPlace {
  readonly mgit: Mgit;
  /** mgit on another machine. */
  readonly elsewhere: Mgit;
  readonly remote: string;
  readonly cloneUrl: string;
  /** The commit of the tag `v1`, which is on no branch. */
  readonly from: string;
  readonly forge: Forge;
}

/** A remote whose branch has been rewritten since a release, in a folder and over HTTP. */
async function branchPlace(over: 'a folder' | 'HTTP'): Promise<BranchPlace> {
  const folder = scratchFolder();
  const forge = await startForge(join(folder, 'forge'));
  onTestFinished(() => forge.close());
  const remote = initRepository(join(forge.root, 'acme', 'api.git'), '--bare');
  git(remote, 'config', 'http.receivepack', 'true');
  commitTree(remote, files({ 'a/b': '0', kept: '0' }));
  const from = commitTree(remote, files({ 'a/b': '1', kept: '1', large: 'x'.repeat(100_000) }));
  git(remote, 'tag', '-a', '-m', 'v1', 'v1', from);
  const cloneUrl = over === 'HTTP' ? `${forge.url}/acme/api.git` : remote;
  const mgit = openMgit(join(folder, 'cache'));
  // the mirror knows only the released commit; the branch is elsewhere since
  await mgit.diff({ id: ID, cloneUrl }, null);
  commitTree(remote, files({ other: '2' }), { orphan: true });
  return { mgit, elsewhere: openMgit(join(folder, 'cache-2')), remote, cloneUrl, from, forge };
}

function hotfix(from: string): NewBranch {
  const written = [
    { path: '.longhaul/generations/v1.0.1.yaml', content: 'version: v1.0.1\n' },
    { path: 'a/b', content: Buffer.from([0, 10, 255]) },
    { path: 'odd " ü', content: '', isExecutable: true },
  ];
  return { name: 'hotfix/v1.0.1', from, commit: { message: 'chore: begin\n', time: 1_700_000_000, files: written } };
}

const RECEIVES = /^POST .*git-receive-pack$/;

describe.each(['a folder', 'HTTP'] as const)('a branch, on a remote in or over %s', (over) => {
  test('begins at a commit with files on top; another machine makes the same commit', async () => {
    const { mgit, elsewhere, remote, cloneUrl, from } = await branchPlace(over);
    const { commit, head, isNew } = await mgit.pushBranch({ id: ID, cloneUrl }, hotfix(from));
    expect([head, isNew]).toEqual([commit, true]);
    expect(await elsewhere.pushBranch({ id: ID, cloneUrl }, hotfix(from))).toEqual({ commit, head, isNew: false });
    expect(git(remote, 'cat-file', '-p', 'hotfix/v1.0.1').split('\n').slice(1)).toEqual([
      `parent ${from}`,
      'author Longhaul <longhaul@localhost> 1700000000 +0000',
      'committer Longhaul <longhaul@localhost> 1700000000 +0000',
      '',
      'chore: begin',
    ]);
    expect(git(remote, 'diff-tree', '-r', '-z', '--name-status', from, commit)).toBe(
      'A\0.longhaul/generations/v1.0.1.yaml\0M\0a/b\0A\0odd " ü\0',
    );
    expect(git(remote, 'ls-tree', '-r', commit)).toMatch(/^100755 blob e69de29/m);
    expect(git(remote, 'cat-file', '-s', `${commit}:a/b`)).toBe('3');
    expect(git(remote, 'fsck', '--strict', '--no-dangling')).toBe('');
  });

  test('whose commit has no time has that of the commit before it: whenever it is made, it is the same one', async () => {
    const { mgit, elsewhere, remote, cloneUrl, from } = await branchPlace(over);
    const branch = { name: 'hotfix/v1.0.1', from, commit: { message: 'm', files: [{ path: 'a', content: '' }] } };
    const { commit } = await mgit.pushBranch({ id: ID, cloneUrl }, branch);
    expect(git(remote, 'show', '--no-patch', '--format=%at %ct', commit)).toBe(
      git(remote, 'show', '--no-patch', '--format=%ct %ct', from),
    );
    expect(await elsewhere.pushBranch({ id: ID, cloneUrl }, branch)).toMatchObject({ commit, isNew: false });
  });

  test('of this name that was made by others stays; one that has grown from ours is ours', async () => {
    const { mgit, elsewhere, remote, cloneUrl, from } = await branchPlace(over);
    const address = { id: ID, cloneUrl };
    const { commit } = await mgit.pushBranch(address, hotfix(from));
    const grown = commitTree(remote, files({ more: '1' }), { branch: 'hotfix/v1.0.1' });
    expect(await elsewhere.pushBranch(address, hotfix(from))).toEqual({ commit, head: grown, isNew: false });
    git(remote, 'branch', '--force', 'hotfix/v1.0.1', 'main');
    for (const mine of [hotfix(from), { name: 'hotfix/v1.0.1', from }]) {
      await expect(mgit.pushBranch(address, mine)).rejects.toMatchObject({ type: 'BranchConflict' });
    }
    expect(git(remote, 'rev-parse', 'hotfix/v1.0.1')).toBe(git(remote, 'rev-parse', 'main'));
    expect(await mgit.pushBranch(address, { name: 'release/1', from })).toEqual({
      commit: from,
      head: from,
      isNew: true,
    });
    await expect(mgit.pushBranch(address, { name: 'x', from: 'f'.repeat(40) })).rejects.toMatchObject({
      type: 'InvalidInput',
    });
  });
});

describe('a push over HTTP', () => {
  test('whose answer is lost is found', async () => {
    const { mgit, remote, cloneUrl, from, forge } = await branchPlace('HTTP');
    const address = { id: ID, cloneUrl };
    forge.refuseGit = (request) => (RECEIVES.test(request) ? 'lost' : null);
    const { commit } = await mgit.pushBranch(address, hotfix(from));
    expect(git(remote, 'rev-parse', 'hotfix/v1.0.1')).toBe(commit);
    const tag = { name: 'v1.0.1', commit: from, message: 'v1.0.1', time: 1 };
    const { object } = await mgit.pushTag(address, tag, null);
    expect(git(remote, 'rev-parse', 'refs/tags/v1.0.1')).toBe(object);
    expect(await mgit.removeTag(address, { name: 'v1.0.1', object })).toBe('removed');
    expect(git(remote, 'tag')).toBe('v1');
    expect(forge.requests.some((request) => RECEIVES.test(request))).toBe(true);
  });

  test('does not replace what another process pushes in between', async () => {
    const { mgit, remote, cloneUrl, from, forge } = await branchPlace('HTTP');
    forge.refuseGit = (request) => {
      if (RECEIVES.test(request)) git(remote, 'branch', '--force', 'hotfix/v1.0.1', 'main');
      return null;
    };
    const pushed = mgit.pushBranch({ id: ID, cloneUrl }, hotfix(from));
    await expect(pushed).rejects.toMatchObject({ type: 'BranchConflict' });
    expect(git(remote, 'rev-parse', 'hotfix/v1.0.1')).toBe(git(remote, 'rev-parse', 'main'));
  });

  test.each([
    [403, 'PermissionMissing'],
    [502, 'GitFailed'],
  ])('that is answered %i is a %s', async (status, type) => {
    const { mgit, cloneUrl, from, forge } = await branchPlace('HTTP');
    forge.refuseGit = (request) => (request.includes('git-receive-pack') ? { status, message: 'no' } : null);
    await expect(mgit.pushBranch({ id: ID, cloneUrl }, hotfix(from))).rejects.toMatchObject({ type });
  });

  test('that a hook of the server declines is refused with its words', async () => {
    const { mgit, remote, cloneUrl, from } = await branchPlace('HTTP');
    writeFileSync(join(remote, 'hooks', 'pre-receive'), '#!/bin/sh\necho protected by a rule >&2; exit 1\n', {
      mode: 0o755,
    });
    const said = await failureOf(mgit.pushBranch({ id: ID, cloneUrl }, hotfix(from)));
    expect(said).toMatch(
      /^PushRefused: disk\/acme\/api does not take the branch hotfix\/v1.0.1: .*protected by a rule/,
    );
  });
});

test.each(['-x', 'a..b', 'a b', '', 'refs/heads/\n', 'a.lock'])('a branch cannot be named %j', async (name) => {
  const { mgit, cloneUrl, from } = await branchPlace('a folder');
  await expect(mgit.pushBranch({ id: ID, cloneUrl }, { name, from })).rejects.toMatchObject({ type: 'InvalidInput' });
});

test.each(['/etc/passwd', '../x', 'a/../b', '.git/config', 'a/.GIT/hooks/x', 'GIT~1/x', 'a//b', 'a\nb'])(
  'a file of a commit cannot have the path %j',
  async (path) => {
    const { mgit, cloneUrl, from } = await branchPlace('a folder');
    const commit = { message: 'm', time: 1, files: [{ path, content: '' }] };
    const pushed = mgit.pushBranch({ id: ID, cloneUrl }, { name: 'x', from, commit });
    await expect(pushed).rejects.toMatchObject({ type: 'InvalidInput' });
  },
);

test('pushes use the token that writes, and reading the other one', async () => {
  const folder = scratchFolder();
  const forge = await startForge(join(folder, 'forge'), { token: 'ghp_writes' });
  onTestFinished(() => forge.close());
  const remote = initRepository(join(forge.root, 'acme', 'api.git'), '--bare');
  git(remote, 'config', 'http.receivepack', 'true');
  const from = commitTree(remote, files({ a: '1' }));
  const provider = { name: 'work', type: 'github', url: forge.url, archived: false, forks: false } as const;
  const config = { ...provider, tokenEnv: 'R', writeTokenEnv: 'W' };
  const mgit = openMgit(join(folder, 'cache'), [config], { env: { R: 'ghp_reads', W: 'ghp_writes' } });
  const address = { id: 'work/acme/api', cloneUrl: `${forge.url}/acme/api.git` };
  await expect(mgit.diff(address, null)).rejects.toMatchObject({ type: 'AuthenticationFailed' });
  expect(await mgit.pushBranch(address, { name: 'x', from })).toMatchObject({ isNew: true });
  const withoutIt = openMgit(join(folder, 'cache-2'), [config], { env: { R: 'ghp_reads' } });
  const said = await failureOf(withoutIt.pushBranch(address, { name: 'y', from }));
  expect(said).toMatch(/^AuthenticationFailed: .*variable W of provider work is not set/);
});
