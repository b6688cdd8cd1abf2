import {
  appendFileSync,
  chmodSync,
  existsSync,
  mkdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { createGit } from '../../../activities/git/git.ts';
import { findInQuarantine } from '../../../activities/workspace/quarantine/quarantine-folder.ts';
import { quarantineRepository } from '../../../activities/workspace/quarantine/quarantine-repository.ts';
import { restoreRepository } from '../../../activities/workspace/quarantine/restore-repository.ts';
import { isKeepable, unsavedWork } from '../../../activities/workspace/unsaved-work.ts';
import { messageOf } from '../../../platform/error-code.ts';
import { git, scratchFolder, SCRATCH_ENV } from '../../support/scratch-git.ts';
import { everythingIn } from '../../support/workspace/everything-in.ts';
import { quarantineSite } from '../../support/workspace/quarantine-site.ts';
import { committedRepository } from '../../support/workspace/run-workspace.ts';

/** A clone with a second branch that the remote has. */
function cloned(): { readonly scratch: string; readonly clone: string } {
  const scratch = scratchFolder();
  const origin = committedRepository(join(scratch, 'origin'), { a: 'a\n', '.gitignore': 'ignored\n' });
  git(origin, 'branch', 'topic');
  const clone = join(scratch, 'clone');
  git(scratch, 'clone', '--quiet', origin, clone);
  git(clone, 'branch', '--quiet', 'topic', 'origin/topic');
  return { scratch, clone };
}

/** Makes a clone in an ignored folder of a clone. */
function nested(clone: string): string {
  const path = join(clone, 'ignored', 'deep', 'nested');
  git(clone, 'clone', '--quiet', git(clone, 'remote', 'get-url', 'origin'), path);
  return path;
}

const commit = (clone: string): string => git(clone, 'commit', '--quiet', '--allow-empty', '--message', 'mine');

const CASES: readonly [what: string, change: (clone: string) => void, why: RegExp | null][] = [
  ['nothing', () => undefined, null],
  ['an ignored file', (clone) => writeFileSync(join(clone, 'ignored'), ''), null],
  ['a changed file', (clone) => appendFileSync(join(clone, 'a'), 'b'), /not committed/],
  ['a new file', (clone) => writeFileSync(join(clone, 'new'), ''), /not committed/],
  ['a file in the index', (clone) => (writeFileSync(join(clone, 'n'), ''), git(clone, 'add', 'n')), /not committed/],
  ['a commit', commit, /commits that no remote has/],
  [
    'a commit on another branch',
    (clone) => (git(clone, 'checkout', '--quiet', 'topic'), commit(clone), git(clone, 'checkout', '--quiet', 'main')),
    /commits that no remote has/,
  ],
  [
    'a commit of a detached HEAD',
    (clone) => (git(clone, 'checkout', '-q', '--detach'), commit(clone)),
    /no remote has/,
  ],
  [
    'a commit that only a tag has',
    (clone) => (commit(clone), git(clone, 'tag', 'mine'), git(clone, 'reset', '--quiet', '--hard', 'origin/main')),
    /commits that no remote has/,
  ],
  ['a stash', (clone) => (appendFileSync(join(clone, 'a'), 'b'), git(clone, 'stash', '--quiet')), /^it has a stash$/],
  [
    'a stash of which no log is left',
    (clone) => {
      appendFileSync(join(clone, 'a'), 'b');
      git(clone, 'stash', '--quiet');
      git(clone, 'reflog', 'expire', '--expire=now', '--all');
      expect(git(clone, 'log', '-g', 'refs/stash')).toBe('');
    },
    /^it has a stash$/,
  ],
  [
    'a merge that waits',
    (clone) => writeFileSync(join(clone, '.git', 'MERGE_HEAD'), `${git(clone, 'rev-parse', 'HEAD')}\n`),
    /end of: merge/,
  ],
  ['a git that works in it', (clone) => writeFileSync(join(clone, '.git', 'index.lock'), ''), /a git works in it/],
  [
    'another work tree',
    (clone) => git(clone, 'worktree', 'add', '--quiet', '../tree', '-b', 'other'),
    /other work trees belong to it/,
  ],
  [
    'a change that git was told not to look for',
    (clone) => (git(clone, 'update-index', '--assume-unchanged', 'a'), appendFileSync(join(clone, 'a'), 'b')),
    /does not look for changes of a /,
  ],
  [
    'a submodule with a repository of its own',
    (clone) => {
      git(clone, '-c', 'protocol.file.allow=always', 'submodule', '--quiet', 'add', '../origin', 'sub');
    },
    /submodules have repositories in it/,
  ],
  [
    'a mode that git was told not to look at',
    (clone) => (git(clone, 'config', 'core.fileMode', 'false'), chmodSync(join(clone, 'a'), 0o755)),
    /not committed/,
  ],
  [
    'a change of the same size that has the old time, where git was told to look at nothing else',
    (clone) => {
      const old = (): void => utimesSync(join(clone, 'a'), 1_000_000_000, 1_000_000_000);
      old();
      for (const [key, value] of [
        ['checkStat', 'minimal'],
        ['trustctime', 'false'],
      ] as const)
        git(clone, 'config', `core.${key}`, value);
      git(clone, 'update-index', '--refresh');
      writeFileSync(join(clone, '.git', 'new'), 'b\n');
      renameSync(join(clone, '.git', 'new'), join(clone, 'a'));
      old();
      // what git would say
      expect(git(clone, 'status', '--porcelain')).toBe('');
    },
    /not committed/,
  ],
  [
    'a new file that differs in capitals, where git was told that the disk has none',
    (clone) => (git(clone, 'config', 'core.ignoreCase', 'true'), writeFileSync(join(clone, 'A'), 'a\n')),
    /not committed/,
  ],
  ['a repository in an ignored folder that has nothing of its own', (clone) => nested(clone), null],
  [
    'a repository in an ignored folder that has a commit',
    (clone) => commit(nested(clone)),
    /^there is the repository ignored\/deep\/nested in it: it has commits that no remote has$/,
  ],
  [
    'a repository in an ignored folder of a repository in an ignored folder',
    (clone) => commit(nested(nested(clone))),
    /^there is the repository ignored\/deep\/nested in it: there is the repository ignored\/deep\/nested in it: it has commits/,
  ],
  [
    'a work tree of another repository in an ignored folder',
    (clone) => (
      nested(clone),
      git(clone, '-C', '../origin', 'worktree', 'add', '--quiet', '../clone/ignored/tree', '-b', 't')
    ),
    /^there is the repository ignored\/tree in it: it is no repository with a folder \.git of its own$/,
  ],
  [
    'a repository without files in an ignored folder',
    (clone) => git(clone, 'clone', '--quiet', '--bare', '../origin', 'ignored/bare.git'),
    /^there is the repository ignored\/bare\.git in it: it has no files$/,
  ],
  [
    'a repository without files that it tracks, and all remotes have',
    (clone) => {
      git(clone, 'init', '--quiet', '--bare', 'fixture.git');
      writeFileSync(join(clone, 'fixture.git', 'refs', 'kept'), '');
      writeFileSync(join(clone, 'fixture.git', 'objects', 'kept'), '');
      git(clone, 'add', 'fixture.git');
      git(clone, 'commit', '--quiet', '--message', 'fixture');
      git(clone, 'update-ref', 'refs/remotes/origin/main', 'HEAD');
    },
    null,
  ],
  [
    'a link in an ignored folder to a repository elsewhere',
    (clone) => (mkdirSync(join(clone, 'ignored')), symlinkSync(dirname(clone), join(clone, 'ignored', 'out'))),
    null,
  ],
  ['no remote', (clone) => git(clone, 'remote', 'remove', 'origin'), /commits that no remote has/],
  ['no .git', (clone) => rmSync(join(clone, '.git'), { recursive: true }), /no repository with a folder \.git/],
  ['a broken HEAD', (clone) => writeFileSync(join(clone, '.git', 'HEAD'), 'x'), /git cannot read it|not committed/],
];

test.each(CASES)('a clone with %s', async (_what, change, why) => {
  const { scratch, clone } = cloned();
  change(clone);
  const work = await unsavedWork(createGit(join(scratch, 'cache'), SCRATCH_ENV), clone, { excludes: null });
  expect(work.join('; ')).toMatch(why ?? /^$/);
});

test.each(CASES)('what can be kept of a clone with %s is restored', async (_what, change) => {
  const { scratch, clone } = cloned();
  change(clone);
  const site = quarantineSite(scratch);
  const work = await unsavedWork(site.git, clone, { excludes: null });
  const [id, why] = await quarantineRepository(site, { root: scratch, path: 'clone' }, 'ada').then(
    (kept) => [kept, ''] as const,
    (error: unknown) => [null, messageOf(error)] as const,
  );
  expect(why).toMatch(work.every(isKeepable) ? /^$/ : /cannot be kept in quarantine/);
  expect(id === null).toBe(work.length === 0 || why !== '');
  if (id === null) return;
  const before = everythingIn(clone);
  rmSync(clone, { recursive: true });
  await restoreRepository(site, await findInQuarantine(site.dataDir, id));
  // a stash may have got the log that it had not
  const stashes = 'stash list --format=%H %gs';
  const after = everythingIn(clone);
  expect({ ...after, [stashes]: '' }).toEqual({ ...before, [stashes]: '' });
  expect(after[stashes]).toContain(before[stashes] ?? 'nothing');
});

test('no program that its configuration names is run', async () => {
  const { scratch, clone } = cloned();
  const ran = join(scratch, 'ran');
  const hooks = join(scratch, 'hooks');
  mkdirSync(hooks);
  for (const [key, value] of [
    ['core.fsmonitor', `touch ${ran}`],
    ['filter.evil.clean', `touch ${ran}`],
    ['filter.evil.process', `touch ${ran}`],
    ['core.sshCommand', `touch ${ran}`],
    ['remote.origin.promisor', 'true'],
    ['remote.origin.url', 'ssh://git@evil.test/x'],
  ] as const) {
    git(clone, 'config', key, value);
  }
  writeFileSync(join(clone, '.git', 'info', 'attributes'), '* filter=evil\n');
  appendFileSync(join(clone, 'a'), 'b');
  const work = await unsavedWork(createGit(join(scratch, 'cache'), SCRATCH_ENV), clone, { excludes: null });
  expect(work).toEqual(['it has changes or files that are not committed']);
  expect(existsSync(ran)).toBe(false);
});
