import { mkdirSync } from 'node:fs';
import { buffer } from 'node:stream/consumers';
import { Readable } from 'node:stream';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, onTestFinished, test } from 'vitest';
import { checkOut, unpackCommit, type UnpackedCommit } from '../../../activities/git/checkout.ts';
import { createGit } from '../../../activities/git/git.ts';
import type { Mgit } from '../../../activities/mgit/index.ts';
import { startForge } from '../../support/forge.ts';
import { openMgit } from '../../support/mgit.ts';
import { recordGit } from '../../support/recorded-git.ts';
import { commitTree, files, git, initRepository, SCRATCH_ENV, scratchFolder } from '../../support/scratch-git.ts';

const ID = 'web/acme/api';

/** `src/ü.ts` as the bytes of a path. */
const U_UMLAUT = Buffer.from('src/ü.ts').toString('latin1');

/** A tree with everything that a checkout must get right. */
const TREE = new Map([
  ...files({ 'src/a b.ts': 'one\n', [U_UMLAUT]: 'two\n', '.gitattributes': '*.bin filter=evil\n', 'x.bin': 'raw\r\n' }),
  ['run.sh', { mode: '100755', content: '#!/bin/sh\n' }],
  ['link', { mode: '120000', content: 'src/a b.ts' }],
  ['module', { mode: '160000', content: 'a'.repeat(40) }],
] as const);

async function unpack(
  mgit: Mgit,
  cloneUrl: string,
  commit: string,
  folder: string,
): Promise<UnpackedCommit & { changed: readonly string[] }> {
  const { pack, tree, changed } = await mgit.withCommitPack({ id: ID, cloneUrl }, commit, async (found) => ({
    ...found,
    // a reader may come late
    pack: await delay(50).then(() => buffer(Readable.from(found.pack))),
  }));
  const unpacked = await unpackCommit(
    createGit(join(folder, 'cache'), SCRATCH_ENV),
    join(folder, 'unpacked.git'),
    commit,
    () => Promise.resolve(Readable.from([pack])),
    { about: ID },
  );
  expect(git(unpacked.path, 'rev-parse', `${commit}^{tree}`)).toBe(tree);
  return { ...unpacked, changed };
}

/** The oracle: the installed git finds exactly the commit's tree in the folder, and no damage. */
function expectExactly(folder: string, repository: string, commit: string): void {
  expect(git(folder, 'rev-parse', 'HEAD')).toBe(commit);
  expect(git(folder, 'status', '--porcelain', '--ignored')).toBe('');
  expect(git(folder, 'ls-files', '--stage')).toBe(
    git(repository, 'ls-tree', '-r', '--format=%(objectmode) %(objectname) 0%x09%(path)', commit),
  );
  expect(git(folder, 'fsck', '--strict', '--no-dangling')).toBe('');
}

describe('a packed commit', () => {
  test.each(['a repository on disk', 'a server that filters blobs', 'a server without filters'])(
    'of %s becomes a work tree of exactly that commit, as git sees it',
    async (kind) => {
      const folder = scratchFolder();
      const isLocal = kind === 'a repository on disk';
      const forge = await startForge(join(folder, 'forge'), {});
      onTestFinished(() => forge.close());
      const path = join(forge.root, 'acme', 'api.git');
      mkdirSync(path, { recursive: true });
      initRepository(path, '--bare');
      git(path, 'config', 'uploadpack.allowFilter', String(kind === 'a server that filters blobs'));
      commitTree(path, files({ 'src/a b.ts': 'zero\n', 'gone.ts': 'gone\n', 'same.ts': 'same\n' }));
      const commit = commitTree(path, new Map([...TREE, ...files({ 'same.ts': 'same\n' })]));
      const mgit = openMgit(join(folder, 'cache'));
      const unpacked = await unpack(mgit, isLocal ? path : `${forge.url}/acme/api.git`, commit, folder);
      const runner = createGit(join(folder, 'cache'), SCRATCH_ENV);
      const work = join(folder, 'work');
      await checkOut(runner, unpacked, work, { about: ID });
      expectExactly(work, path, commit);
      expect(unpacked.changed.toSorted()).toEqual(
        ['.gitattributes', 'gone.ts', 'link', 'module', 'run.sh', 'src/a b.ts', 'src/ü.ts', 'x.bin'].toSorted(),
      );
      // checkouts do not share anything
      git(work, 'commit', '--allow-empty', '-m', 'mine');
      const second = join(folder, 'second');
      await checkOut(runner, unpacked, second, { about: ID });
      expectExactly(second, path, commit);
    },
  );

  test('of which the mirror has no content takes one more fetch, however many contents there are', async () => {
    const folder = scratchFolder();
    const forge = await startForge(join(folder, 'forge'), {});
    onTestFinished(() => forge.close());
    const requests: number[] = [];
    for (const contents of [1, 200]) {
      const path = join(forge.root, 'acme', `with-${contents}.git`);
      initRepository(path, '--bare');
      git(path, 'config', 'uploadpack.allowFilter', 'true');
      const tree = Object.fromEntries(Array.from({ length: contents }, (_, at) => [`${at}.ts`, `${contents} ${at}\n`]));
      const commit = commitTree(path, files(tree));
      const place = join(folder, String(contents));
      const recorded = recordGit(place);
      const mgit = openMgit(join(place, 'cache'), [], { env: { PATH: `${recorded.bin}:${process.env['PATH']}` } });
      const before = forge.requests.length;
      const { changed } = await unpack(mgit, `${forge.url}/acme/with-${contents}.git`, commit, place);
      expect(changed).toHaveLength(contents);
      const fetches = recorded.starts().filter((argv) => argv.includes('fetch'));
      // the commit with its trees, then all contents
      expect(fetches.map((argv) => argv.includes('--stdin'))).toEqual([true, true]);
      requests.push(forge.requests.slice(before).filter((request) => request.startsWith('POST ')).length);
    }
    expect(requests[1]).toBe(requests[0]);
  });

  test('may be a merge, the first commit, or the end of a shallow clone', async () => {
    const folder = scratchFolder();
    const path = initRepository(join(folder, 'repository'));
    const first = commitTree(path, files({ a: '1' }));
    const side = commitTree(path, files({ a: '1', b: '2' }), { branch: 'side' });
    commitTree(path, files({ a: '2' }));
    const merge = git(path, 'commit-tree', '-p', 'main', '-p', side, '-m', 'merge', 'side^{tree}');
    git(path, 'update-ref', 'refs/heads/main', merge);
    const shallow = join(folder, 'shallow');
    git(folder, 'clone', '--quiet', '--depth=1', `file://${path}`, shallow);
    const cases = [
      { repository: path, commit: first, changed: ['a'] },
      { repository: path, commit: merge, changed: ['a', 'b'] },
      { repository: shallow, commit: merge, changed: ['a', 'b'] },
    ];
    for (const [at, { repository, commit, changed }] of cases.entries()) {
      const place = join(folder, String(at));
      const unpacked = await unpack(openMgit(join(place, 'cache')), repository, commit, place);
      const runner = createGit(join(place, 'cache'), SCRATCH_ENV);
      await checkOut(runner, unpacked, join(place, 'work'), { about: ID });
      expectExactly(join(place, 'work'), path, commit);
      expect(unpacked.changed).toEqual(changed);
    }
  });

  test('that the repository does not have is refused', async () => {
    const folder = scratchFolder();
    const path = initRepository(join(folder, 'repository'));
    commitTree(path, files({ a: '1' }));
    const mgit = openMgit(join(folder, 'cache'));
    await expect(
      mgit.withCommitPack({ id: ID, cloneUrl: path }, 'b'.repeat(40), () => Promise.resolve()),
    ).rejects.toMatchObject({ type: 'InvalidInput' });
  });
});
