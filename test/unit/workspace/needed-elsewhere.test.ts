import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createGit } from '../../../activities/git/git.ts';
import { neededElsewhere } from '../../../activities/workspace/teardown/needed-elsewhere.ts';
import { folderOfWorkspace, register } from '../../../activities/workspace/workspace-registration.ts';
import { holdFolder } from '../../../platform/held-folder.ts';
import { git, scratchFolder, SCRATCH_ENV } from '../../support/scratch-git.ts';
import { committedRepository } from '../../support/workspace/run-workspace.ts';

test.each(['repositories: [', 'repositories: []\n'])(
  'what is on the disk of another workspace is needed, whatever its manifest says: %j',
  async (manifest) => {
    const scratch = scratchFolder();
    const [root, other, dataDir] = ['root', 'other', 'data'].map((name) => join(scratch, name)) as [
      string,
      string,
      string,
    ];
    for (const name of ['api', 'core', 'web']) committedRepository(join(root, name), { a: 'a\n' });
    mkdirSync(other);
    git(scratch, 'clone', '--quiet', '--shared', join(root, 'api'), join(other, 'copy'));
    git(join(other, 'copy'), 'remote', 'remove', 'origin');
    git(join(root, 'core'), 'worktree', 'add', '--quiet', '-b', 'topic', join(other, 'tree'));
    writeFileSync(join(other, 'longhaul.workspace.yaml'), manifest);
    const folder = folderOfWorkspace(dataDir, other);
    mkdirSync(folder, { recursive: true });
    const held = await holdFolder(other, '');
    await register(folder, { root: other, identity: await held.identity(), madeGraft: false });
    await held.close();
    const options = { git: createGit(join(scratch, 'cache'), SCRATCH_ENV), env: SCRATCH_ENV };
    const needed = await neededElsewhere(dataDir, root, ['api', 'core', 'web'], options);
    expect([...needed.keys()].toSorted()).toEqual(['api', 'core']);
  },
);
