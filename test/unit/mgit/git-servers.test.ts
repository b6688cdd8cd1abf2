import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import type { Differential } from '../../../activities/mgit/index.ts';
import { startForge } from '../../support/forge.ts';
import { changesOf, openMgit } from '../../support/mgit.ts';
import { commitTree, files, git, initRepository, scratchFolder } from '../../support/scratch-git.ts';

const SERVERS = [true, false].flatMap((allowFilter) =>
  [true, false].flatMap((allowAnySHA1InWant) =>
    ([0, 1, 2] as const).map((protocol) => ({ allowFilter, allowAnySHA1InWant, protocol })),
  ),
);

test.for(SERVERS)(
  'a git server with %j: first sync, change, old contents, an earlier commit, a new cache',
  async (abilities) => {
    const folder = scratchFolder();
    const cache = join(folder, 'cache');
    const forge = await startForge(join(folder, 'forge'), { git: abilities });
    onTestFinished(() => forge.close());
    const path = initRepository(join(forge.root, 'acme', 'api.git'), '--bare');
    const uploads = (): number => forge.requests.filter((request) => /^POST .*git-upload-pack$/.test(request)).length;
    commitTree(path, files({ 'before.ts': 'before\n' }));
    const first = commitTree(path, files({ 'a.ts': 'first\n', 'src/b.ts': 'b\n' }));
    const mgit = openMgit(cache);
    const repository = { id: 'web/acme/api', cloneUrl: `${forge.url}/acme/api.git` };
    const contentsOf = async (differential: Differential): Promise<Record<string, string | null>> =>
      Object.fromEntries(
        (await changesOf(differential)).map((change) => [
          change.path,
          change.op === 'delete' || change.content === null ? null : Buffer.from(change.content).toString(),
        ]),
      );
    const one = await mgit.diff(repository, null);
    expect(await contentsOf(one)).toEqual({ 'a.ts': 'first\n', 'src/b.ts': 'b\n' });
    const second = commitTree(path, files({ 'a.ts': 'second\n', 'c.ts': 'c\n' }));
    const two = await mgit.diff(repository, one.to);
    expect(two).toMatchObject({ full: null, to: { commit: second } });
    expect(await contentsOf(two)).toEqual({ 'a.ts': 'second\n', 'c.ts': 'c\n', 'src/b.ts': null });
    const oid = git(path, 'rev-parse', `${first}:a.ts`);
    for await (const { content } of two.readOld([{ oid, path: 'a.ts' }]))
      expect(Buffer.from(content ?? []).toString()).toBe('first\n');
    const file = await mgit.readFile(repository, second, 'c.ts');
    expect(Buffer.from(file?.content ?? []).toString()).toBe('c\n');
    // nothing but the last commit is known to a new machine
    const other = openMgit(`${cache}-2`);
    expect(await contentsOf(await other.diff(repository, null))).toMatchObject({ 'a.ts': 'second\n', 'c.ts': 'c\n' });
    const fresh = await openMgit(`${cache}-3`).readFile(repository, second, 'a.ts');
    expect(Buffer.from(fresh?.content ?? []).toString()).toBe('second\n');
    // once it is known that the server gives nothing by name, no further request is refused
    const third = commitTree(path, files({ 'd.ts': 'd\n' }));
    const before = uploads();
    const three = await mgit.diff(repository, two.to);
    expect(await contentsOf(three)).toMatchObject({ 'd.ts': 'd\n' });
    expect(three.to.commit).toBe(third);
    expect(uploads() - before).toBeLessThanOrEqual(abilities.protocol === 2 ? 6 : 3);
  },
);
