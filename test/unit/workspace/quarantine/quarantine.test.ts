import { execFileSync } from 'node:child_process';
import {
  appendFileSync,
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { applyWorkspacePlan } from '../../../../activities/workspace/apply-plan.ts';
import { findInQuarantine, listQuarantine } from '../../../../activities/workspace/quarantine/quarantine-folder.ts';
import { quarantineRepository, unkeptWork } from '../../../../activities/workspace/quarantine/quarantine-repository.ts';
import { restoreRepository } from '../../../../activities/workspace/quarantine/restore-repository.ts';
import { readWorkState } from '../../../../activities/workspace/quarantine/work-state.ts';
import { git, scratchFolder } from '../../../support/scratch-git.ts';
import { quarantineSite } from '../../../support/workspace/quarantine-site.ts';
import { everythingIn } from '../../../support/workspace/everything-in.ts';
import { siteOf } from '../../../support/workspace/plan-site.ts';
import { plannedWorkspace } from '../../../support/workspace/planned-workspace.ts';
import { keepAndDie } from '../../../support/workspace/keep-process.ts';
import { committedRepository } from '../../../support/workspace/run-workspace.ts';

/** A workspace with a clone of an origin. */
function cloned(): { readonly scratch: string; readonly root: string; readonly clone: string } {
  const scratch = scratchFolder();
  const binary = Buffer.from(Array.from({ length: 300 }, (_each, at) => at % 256)).toString('latin1');
  const origin = committedRepository(join(scratch, 'origin'), {
    a: 'a\n',
    b: 'b\n',
    c: binary,
    '.gitignore': 'out/\n',
  });
  git(origin, 'branch', 'topic');
  const root = join(scratch, 'root');
  mkdirSync(root);
  const clone = join(root, 'api');
  git(scratch, 'clone', '--quiet', origin, clone);
  return { scratch, root, clone };
}

/** Does something as a user from whom modes keep things, to whom the folder belongs. */
async function asUser(folder: string, act: () => Promise<void>): Promise<void> {
  if (process.geteuid?.() !== 0) return act();
  execFileSync('chown', ['-R', '65534:65534', folder]);
  process.seteuid?.(65_534);
  try {
    return await act();
  } finally {
    process.seteuid?.(0);
  }
}

/** Work of every kind that can be kept. */
function work(clone: string): void {
  git(clone, 'config', 'user.name', 'ada');
  git(clone, 'config', 'user.email', 'ada@example.test');
  git(clone, 'config', 'alias.mine', 'status');
  git(clone, 'checkout', '--quiet', '-b', 'feature/login');
  writeFileSync(join(clone, 'd'), 'committed\n');
  git(clone, 'add', 'd');
  git(clone, 'commit', '--quiet', '--message', 'mine');
  git(clone, 'tag', '--annotate', 'mine', '--message', 'a tag');
  for (const text of ['first', 'second']) {
    writeFileSync(join(clone, 'b'), `${text}\n`);
    git(clone, 'stash', '--quiet');
  }
  writeFileSync(join(clone, 'a'), 'staged\n');
  git(clone, 'add', 'a');
  writeFileSync(join(clone, 'a'), 'changed\r\nwithout an end');
  rmSync(join(clone, 'b'));
  truncateSync(join(clone, 'c'), 100);
  writeFileSync(join(clone, 'ü b'), 'new\n');
  chmodSync(join(clone, 'd'), 0o755);
  mkdirSync(join(clone, 'out', 'deep'), { recursive: true });
  writeFileSync(join(clone, 'out', 'deep', 'built'), 'ignored\n');
  symlinkSync('/nowhere', join(clone, 'link'));
  writeFileSync(join(clone, '.git', 'info', 'exclude'), 'private\n');
  writeFileSync(join(clone, 'private'), 'secret\n');
  git(clone, 'init', '--quiet', 'inner');
  writeFileSync(join(clone, 'inner', 'x'), 'inside\n');
  git(clone, 'init', '--quiet', 'out/inner');
  writeFileSync(join(clone, 'out', 'inner', 'x'), 'inside\n');
}

test('everything that only this disk has is kept, and restored with the same commits and bytes', async () => {
  const { scratch, root, clone } = cloned();
  work(clone);
  const before = everythingIn(clone);
  const site = quarantineSite(scratch);
  const id = await quarantineRepository(site, { root, path: 'api' }, 'ada');
  expect(everythingIn(clone)).toEqual(before);
  const { entries, damaged } = await listQuarantine(site.dataDir);
  expect(damaged).toEqual([]);
  expect(entries).toMatchObject([
    {
      id,
      by: 'ada',
      root,
      path: 'api',
      isComplete: true,
      work: [
        'it has changes or files that are not committed',
        'there is the repository inner in it: it has changes or files that are not committed',
        'there is the repository out/inner in it: it has changes or files that are not committed',
        'it has a stash',
        'it has commits that no remote has',
      ],
    },
  ]);
  const kept = join(site.dataDir, 'quarantine', id ?? '');
  // git itself says that the bundle is whole, without the repository
  const other = join(scratch, 'other');
  git(scratch, 'clone', '--quiet', '--mirror', join(kept, 'repository.bundle'), other);
  for (const oid of git(clone, 'rev-list', '--all').split('\n')) git(other, 'cat-file', '-e', oid);
  expect(readFileSync(join(kept, 'changes.patch'), 'utf8')).toContain('GIT binary patch');
  expect(lstatSync(kept).mode & 0o777).toBe(0o700);

  // neither the repository nor its origin is needed
  rmSync(clone, { recursive: true });
  renameSync(join(scratch, 'origin'), join(scratch, 'elsewhere'));
  const [entry] = entries;
  if (entry === undefined) throw new Error('nothing is in quarantine');
  expect(await restoreRepository(site, entry)).toBe(clone);
  expect(everythingIn(clone)).toEqual(before);
  expect(readdirSync(root)).toEqual(['api']);
});

test('the same work is kept once; new work is not covered by what was kept before', async () => {
  const { scratch, root, clone } = cloned();
  const site = quarantineSite(scratch);
  expect(await quarantineRepository(site, { root, path: 'api' }, 'ada')).toBe(null);
  writeFileSync(join(clone, 'new'), 'mine\n');
  expect(await unkeptWork(site, root, clone)).toEqual(['it has changes or files that are not committed']);
  const id = await quarantineRepository(site, { root, path: 'api' }, 'ada');
  expect(await quarantineRepository(site, { root, path: 'api' }, 'bob')).toBe(id);
  expect(await unkeptWork(site, root, clone)).toEqual([]);
  // also where it was renamed to
  const aside = join(root, 'aside');
  renameSync(clone, aside);
  expect(await unkeptWork(site, root, aside)).toEqual([]);
  for (const change of [
    () => appendFileSync(join(aside, 'new'), 'more\n'),
    () => git(aside, 'add', 'new'),
    () => git(aside, 'commit', '--quiet', '--message', 'mine'),
    () => git(aside, 'tag', 'light'),
    () => (writeFileSync(join(aside, 'a'), 'x'), git(aside, 'stash', '--quiet')),
    () => (git(aside, 'init', '--quiet', 'out/inner'), writeFileSync(join(aside, 'out', 'inner', 'x'), '')),
  ]) {
    change();
    expect(await unkeptWork(site, root, aside)).not.toEqual([]);
    await quarantineRepository(site, { root, path: 'aside' }, 'ada');
    expect(await unkeptWork(site, root, aside)).toEqual([]);
  }
  expect((await listQuarantine(site.dataDir)).entries).toHaveLength(7);
});

test('ignored files that came or changed since are not covered by what was kept before', async () => {
  const { scratch, root, clone } = cloned();
  const site = quarantineSite(scratch);
  mkdirSync(join(clone, 'out'));
  writeFileSync(join(clone, 'out', '.env'), 'one\n');
  expect(await quarantineRepository(site, { root, path: 'api' }, 'ada')).toBe(null);
  writeFileSync(join(clone, 'new'), 'mine\n');
  await quarantineRepository(site, { root, path: 'api' }, 'ada');
  expect(await unkeptWork(site, root, clone)).toEqual([]);
  for (const name of ['.env', 'later']) {
    writeFileSync(join(clone, 'out', name), 'two\n');
    expect(await unkeptWork(site, root, clone)).toEqual(['it has changes or files that are not committed']);
    const id = (await quarantineRepository(site, { root, path: 'api' }, 'ada')) ?? '';
    expect(readFileSync(join(site.dataDir, 'quarantine', id, 'files', 'out', name), 'utf8')).toBe('two\n');
    expect(await unkeptWork(site, root, clone)).toEqual([]);
  }
});

test('the state of a work tree of another repository changes with its work', async () => {
  const { scratch, clone } = cloned();
  const tree = join(scratch, 'tree');
  git(clone, 'worktree', 'add', '--quiet', '--detach', tree);
  const { git: asked, options } = quarantineSite(scratch);
  const before = await readWorkState(asked, tree, options);
  expect(before.head).toBe(git(clone, 'rev-parse', 'HEAD'));
  expect(await readWorkState(asked, tree, options)).toEqual(before);
  git(tree, 'commit', '--quiet', '--allow-empty', '--message', 'mine');
  const after = await readWorkState(asked, tree, options);
  expect([after.refs, after.head]).toEqual([before.refs, git(tree, 'rev-parse', 'HEAD')]);
  expect(after.fingerprint).not.toBe(before.fingerprint);
});

test.each<[what: string, path: string, why: string]>([
  ['an ignored folder', 'out/locked', 'its folder out/locked may not be read, and what is in it is not known'],
  ['an ignored file', 'out/file', 'out/file may not be read, and cannot be kept: change its mode, or remove it.'],
])('%s that may not be read is named, and keeps a repository from being kept', async (_what, path, why) => {
  const { scratch, root, clone } = cloned();
  writeFileSync(join(clone, 'new'), 'mine\n');
  mkdirSync(join(clone, 'out', 'locked'), { recursive: true });
  writeFileSync(join(clone, 'out', 'file'), '');
  const site = quarantineSite(scratch);
  await asUser(scratch, async () => {
    chmodSync(join(clone, path), 0);
    const fingerprints = [readWorkState(site.git, clone, site.options), readWorkState(site.git, clone, site.options)];
    const [first, second] = await Promise.all(fingerprints);
    expect(first).toEqual(second);
    await expect(quarantineRepository(site, { root, path: 'api' }, 'ada')).rejects.toMatchObject({
      type: 'PlanPreconditionFailed',
      message: expect.stringContaining(why) as string,
    });
    expect(await unkeptWork(site, root, clone)).not.toEqual([]);
    chmodSync(join(clone, path), 0o700);
    expect(await quarantineRepository(site, { root, path: 'api' }, 'ada')).not.toBe(null);
  });
});

test('refs that were no files are restored as files', async () => {
  const { scratch, root, clone } = cloned();
  git(clone, 'commit', '--quiet', '--allow-empty', '--message', 'mine');
  const before = everythingIn(clone);
  const site = quarantineSite(scratch);
  const id = (await quarantineRepository(site, { root, path: 'api' }, 'ada')) ?? '';
  rmSync(clone, { recursive: true });
  const config = join(site.dataDir, 'quarantine', id, 'git', 'config');
  appendFileSync(config, '[extensions]\n\trefStorage = reftable\n');
  await restoreRepository(site, await findInQuarantine(site.dataDir, id));
  expect(everythingIn(clone)).toEqual(before);
});

test.each<[what: string, change: (clone: string) => void, why: RegExp]>([
  [
    'a merge that waits',
    (clone) => writeFileSync(join(clone, '.git', 'MERGE_HEAD'), `${git(clone, 'rev-parse', 'HEAD')}\n`),
    /cannot be kept in quarantine: git waits for the end of: merge/,
  ],
  ['another work tree', (clone) => git(clone, 'worktree', 'add', '-q', '../tree', '-b', 'o'), /other work trees/],
  [
    'a bare repository in it',
    (clone) => git(clone, 'init', '--quiet', '--bare', 'out/x'),
    /out\/x in it: it has no files/,
  ],
  ['a git that works in it', (clone) => writeFileSync(join(clone, '.git', 'index.lock'), ''), /a git works in it/],
])('a repository with %s is not kept: it could not be restored', async (_what, change, why) => {
  const { scratch, root, clone } = cloned();
  writeFileSync(join(clone, 'new'), '');
  change(clone);
  const site = quarantineSite(scratch);
  await expect(quarantineRepository(site, { root, path: 'api' }, 'ada')).rejects.toThrow(why);
  expect((await listQuarantine(site.dataDir)).entries).toEqual([]);
});

test('what is in the way of a restored repository stays, and a damaged entry is not restored', async () => {
  const { scratch, root, clone } = cloned();
  writeFileSync(join(clone, 'new'), 'mine\n');
  const site = quarantineSite(scratch);
  const id = (await quarantineRepository(site, { root, path: 'api' }, 'ada')) ?? '';
  const entry = await findInQuarantine(site.dataDir, id.slice(0, 4));
  await expect(restoreRepository(site, entry)).rejects.toThrow('There is something at');
  expect(readFileSync(join(clone, 'new'), 'utf8')).toBe('mine\n');
  rmSync(clone, { recursive: true });
  const kept = join(site.dataDir, 'quarantine', id);
  appendFileSync(join(kept, 'files', 'new'), 'x');
  await expect(restoreRepository(site, entry)).rejects.toThrow('is damaged');
  writeFileSync(join(kept, 'files', 'new'), 'mine\n');
  appendFileSync(join(kept, 'repository.bundle'), 'x');
  await expect(restoreRepository(site, entry)).rejects.toThrow('repository.bundle is damaged');
  expect(existsSync(clone)).toBe(false);
  expect(readdirSync(root)).toEqual([]);
  writeFileSync(join(kept, 'manifest.json'), '{}');
  expect(await listQuarantine(site.dataDir)).toEqual({ entries: [], damaged: [kept] });
});

test('a repository leaves with work that is in quarantine, and not with other work', async () => {
  const scratch = scratchFolder();
  const place = await plannedWorkspace(scratch);
  const site = quarantineSite(scratch);
  const old = join(place.root, 'old');
  writeFileSync(join(old, 'mine'), 'mine\n');
  const apply = (): Promise<unknown> => applyWorkspacePlan(place.bytes, siteOf(place));
  await expect(apply()).rejects.toThrow('it has changes that are not committed');
  const id = (await quarantineRepository(site, { root: place.root, path: 'old' }, 'ada')) ?? '';
  appendFileSync(join(old, 'mine'), 'more\n');
  await expect(apply()).rejects.toThrow('it has changes that are not committed');
  writeFileSync(join(old, 'mine'), 'mine\n');
  expect(await apply()).toMatchObject({ outcome: 'committed', kept: [] });
  expect(existsSync(old)).toBe(false);
  await restoreRepository(site, await findInQuarantine(site.dataDir, id));
  expect(readFileSync(join(old, 'mine'), 'utf8')).toBe('mine\n');
  expect(readdirSync(place.root).toSorted()).toEqual(['.graft', 'libs', 'longhaul.workspace.yaml', 'old', 'web']);
});

test('what a killed process was keeping does not count, and goes with the next one', async () => {
  const { scratch, root, clone } = cloned();
  work(clone);
  const { dataDir } = quarantineSite(scratch);
  const folder = join(dataDir, 'quarantine');
  const before = everythingIn(clone);
  for (const calls of [1, 5, 12]) {
    // it kills itself when it has flushed that many files
    expect(await keepAndDie(scratch, { root, path: 'api' }, calls)).toBe('SIGKILL');
    expect((await listQuarantine(dataDir)).entries).toEqual([]);
  }
  expect(readdirSync(folder).some((name) => name.includes('.tmp-'))).toBe(true);
  const id = (await quarantineRepository(quarantineSite(scratch), { root, path: 'api' }, 'ada')) ?? '';
  expect(readdirSync(folder)).toEqual([id]);
  expect(everythingIn(clone)).toEqual(before);
});

test('no program that the configuration of a repository names is run', async () => {
  const { scratch, root, clone } = cloned();
  const ran = join(scratch, 'ran');
  for (const [key, value] of [
    ['core.fsmonitor', `touch ${ran}`],
    ['core.pager', `touch ${ran}`],
    ['diff.external', `touch ${ran}`],
    ['diff.evil.command', `touch ${ran}`],
    ['diff.evil.textconv', `touch ${ran}`],
    ['filter.evil.clean', `touch ${ran}`],
    ['filter.evil.smudge', `touch ${ran}`],
    ['filter.evil.required', 'true'],
    ['log.showSignature', 'true'],
    ['gpg.program', `touch ${ran}`],
  ] as const) {
    git(clone, 'config', key, value);
  }
  writeFileSync(join(clone, '.git', 'info', 'attributes'), '* filter=evil diff=evil\n');
  mkdirSync(join(clone, '.git', 'hooks'), { recursive: true });
  for (const hook of ['post-checkout', 'reference-transaction', 'post-index-change']) {
    writeFileSync(join(clone, '.git', 'hooks', hook), `#!/bin/sh\ntouch ${ran}\n`, { mode: 0o755 });
  }
  appendFileSync(join(clone, 'a'), 'mine\n');
  const site = quarantineSite(scratch);
  const id = (await quarantineRepository(site, { root, path: 'api' }, 'ada')) ?? '';
  rmSync(clone, { recursive: true });
  await restoreRepository(site, await findInQuarantine(site.dataDir, id));
  expect(readFileSync(join(clone, 'a'), 'utf8')).toBe('a\nmine\n');
  expect(existsSync(ran)).toBe(false);
});
