import { appendFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { findInQuarantine } from '../../../../activities/workspace/quarantine/quarantine-folder.ts';
import { quarantineRepository } from '../../../../activities/workspace/quarantine/quarantine-repository.ts';
import { restoreRepository } from '../../../../activities/workspace/quarantine/restore-repository.ts';
import { startForge } from '../../../support/forge.ts';
import { commitTree, files, git, gitAsync, initRepository, scratchFolder } from '../../../support/scratch-git.ts';
import { quarantineSite } from '../../../support/workspace/quarantine-site.ts';

/** A workspace with a clone of a repository on a server: the clone lacks the contents of the first commit. */
async function served() {
  const scratch = scratchFolder();
  const forge = await startForge(join(scratch, 'forge'), {});
  onTestFinished(() => forge.close());
  const path = join(forge.root, 'acme', 'api.git');
  mkdirSync(path, { recursive: true });
  initRepository(path, '--bare');
  git(path, 'config', 'uploadpack.allowFilter', 'true');
  commitTree(path, files({ a: 'zero\n', gone: 'gone\n' }));
  const commit = commitTree(path, files({ a: 'one\n', b: 'b\n' }));
  const site = quarantineSite(scratch);
  const [root, origin] = [join(scratch, 'root'), `${forge.url}/acme/api.git`];
  mkdirSync(root);
  const clone = join(root, 'api');
  await site.mgit.cloneInto(
    site.repositoryOf(origin),
    { commit, branch: 'feature', from: 'main', isFromDefault: true },
    clone,
  );
  return { scratch, forge, path, site, root, clone, commit };
}

test.each([true, false])(
  'a partial clone is kept, and restored from its remote (own commits: %s)',
  async (hasCommits) => {
    const { scratch, path, site, root, clone, commit } = await served();
    if (hasCommits) {
      writeFileSync(join(clone, 'c'), 'mine\n');
      git(clone, 'add', 'c');
      git(clone, 'commit', '--quiet', '--message', 'mine');
      git(clone, 'branch', 'older', commit);
    }
    writeFileSync(join(clone, 'b'), 'stashed\n');
    git(clone, 'stash', '--quiet');
    appendFileSync(join(clone, 'a'), 'changed\n');
    const asked = async (): Promise<string[]> => [
      git(clone, 'for-each-ref'),
      git(clone, 'stash', 'list', '--format=%H %gs'),
      git(clone, 'status', '--porcelain=v2', '--branch'),
      git(clone, 'ls-files', '--stage'),
      git(clone, 'show', '-m', '--format=%s', 'stash@{0}', '--', 'b'),
      // what only the server has is fetched when it is needed
      await gitAsync(clone, 'log', '-p', '--format=%s', '--', 'gone'),
    ];
    const id = (await quarantineRepository(site, { root, path: 'api' }, 'ada')) ?? '';
    const before = await asked();
    const entry = await findInQuarantine(site.dataDir, id);
    expect(entry).toMatchObject({ isComplete: false, prerequisites: [commit] });
    rmSync(clone, { recursive: true });
    rmSync(join(scratch, 'cache'), { recursive: true });
    // the remote goes on
    commitTree(path, files({ a: 'two\n' }));
    await restoreRepository(quarantineSite(scratch), entry);
    expect(await asked()).toEqual(before);
    expect(readFileSync(join(clone, 'a'), 'utf8')).toBe('one\nchanged\n');
    await gitAsync(clone, 'fsck', '--strict', '--no-dangling');
  },
);
