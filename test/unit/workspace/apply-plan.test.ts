import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { applyWorkspacePlan, undoWorkspacePlan } from '../../../activities/workspace/apply-plan.ts';
import { createGit } from '../../../activities/git/git.ts';
import { unsavedWork } from '../../../activities/workspace/unsaved-work.ts';
import type { PlanProgress } from '../../../activities/workspace/plan-run.ts';
import { failureOf } from '../../support/mgit.ts';
import { git, scratchFolder } from '../../support/scratch-git.ts';
import { mountSmallDisk } from '../../support/small-disk.ts';
import { checkApplied } from '../../support/workspace/killed-plan.ts';
import { changedPlan, gitThatFirst, planFor, planPlace, siteOf, walk } from '../../support/workspace/plan-site.ts';
import { plannedWorkspace, type PlannedWorkspace } from '../../support/workspace/planned-workspace.ts';
import { committedRepository } from '../../support/workspace/run-workspace.ts';

/** What the data folder has of the workspace. */
const dataOf = ({ scratch }: PlannedWorkspace): string[] =>
  existsSync(join(scratch, 'data'))
    ? readdirSync(join(scratch, 'data'), { recursive: true, encoding: 'utf8' }).toSorted()
    : [];

test('a plan is applied, and applied again it does nothing', async () => {
  const place = await plannedWorkspace(scratchFolder());
  const { root, bytes, plan, origin } = place;
  expect(plan.operations.map(({ type, target }) => `${type} ${target}`)).toEqual([
    'detach_repo old',
    'attach_repo core',
    'attach_repo web',
  ]);
  const progress: PlanProgress[] = [];
  const site = { ...siteOf(place), onProgress: (each: PlanProgress) => progress.push(each) };
  const nothing = { added: [], removed: [], changed: [] };
  expect(await applyWorkspacePlan(bytes, site)).toEqual({
    plan: plan.id,
    outcome: 'committed',
    drift: nothing,
    kept: [],
    unverified: [],
  });
  expect(progress.at(-1)).toEqual({ done: 3, total: 3, running: [] });
  expect(readdirSync(root).toSorted()).toEqual(['.graft', 'libs', 'longhaul.workspace.yaml', 'web']);
  expect(readdirSync(join(root, '.graft')).toSorted()).toEqual(['.gitignore', 'state.json']);
  expect(readdirSync(join(root, 'libs'))).toEqual(['core']);
  expect(git(join(root, 'libs/core'), 'status', '--porcelain', '--branch')).toBe('## topic...origin/topic');
  expect(git(join(root, 'web'), 'status', '--porcelain', '--branch')).toBe('## new');
  expect(git(join(root, 'web'), 'remote', 'get-url', 'origin')).toBe(origin('web'));
  expect(git(join(root, 'web'), 'fsck', '--strict', '--no-dangling')).toBe('');
  expect(dataOf(place).filter((name) => name.includes('journal'))).toEqual([]);

  const applied = walk(root);
  expect(await applyWorkspacePlan(bytes, site)).toEqual({
    plan: plan.id,
    outcome: 'unchanged',
    drift: nothing,
    kept: [],
    unverified: [],
  });
  expect(await undoWorkspacePlan(site, plan.id)).toEqual({ plan: null, outcome: 'undone', left: [] });
  expect(walk(root)).toEqual(applied);
});

test('the run that committed a plan is told so again, also when the workspace has changed since', async () => {
  const place = await plannedWorkspace(scratchFolder());
  const { bytes, plan, root } = place;
  const site = { ...siteOf(place), run: 'first' };
  const answer = await applyWorkspacePlan(bytes, site);
  git(join(root, 'web'), 'checkout', '--quiet', '-b', 'mine');
  expect(await applyWorkspacePlan(bytes, site)).toEqual(answer);
  expect(await undoWorkspacePlan(site, plan.id)).toEqual({ plan: null, outcome: 'committed', left: [] });
  await expect(applyWorkspacePlan(bytes, { ...site, run: 'second' })).rejects.toMatchObject({
    type: 'PlanPreconditionFailed',
  });
  expect(await undoWorkspacePlan({ ...site, run: 'second' }, plan.id)).toMatchObject({ outcome: 'undone' });
  expect(git(join(root, 'web'), 'branch', '--show-current')).toBe('mine');
});

describe('a plan of which an operation fails leaves no trace', () => {
  test('when an origin is gone', async () => {
    const place = await plannedWorkspace(scratchFolder());
    const base = walk(place.root);
    rmSync(place.origin('web'), { recursive: true });
    expect(await failureOf(applyWorkspacePlan(place.bytes, { ...siteOf(place), parallel: 1 }))).toMatch(
      /^RepositoryNotFound: /,
    );
    expect(walk(place.root)).toEqual(base);
    expect(dataOf(place)).toEqual(['workspaces']);
  });

  test('also where only the reverse order can undo it', async () => {
    const scratch = scratchFolder();
    const place = planPlace(scratch);
    const origin = (name: string): string => join(scratch, 'origins', name);
    for (const name of ['old', 'core', 'web']) committedRepository(origin(name), { text: name });
    git(place.root, 'clone', '--quiet', origin('old'), 'libs');
    const wanted = [
      'repositories:',
      ...[`core, path: libs/core`, 'web'].map(
        (each) => `  - { name: ${each}, origin: "${origin(/\w+/.exec(each)?.[0] ?? '')}" }`,
      ),
    ];
    const old = `  - { name: old, path: libs, origin: "${origin('old')}" }`;
    const { bytes, plan } = await planFor(place, ['repositories:', old].join('\n'), wanted.join('\n'));
    expect(plan.operations.map(({ type, target }) => `${type} ${target}`)).toEqual([
      'detach_repo old',
      'attach_repo core',
      'attach_repo web',
    ]);
    const base = walk(place.root);
    // the last clone fails when there is another repository in the place of the one that left
    const core = join(place.root, 'libs', 'core');
    const path = gitThatFirst(
      scratch,
      `case "$* $GIT_WORK_TREE" in "read-tree --reset"*/made-2) until [ -d '${core}' ]; do sleep 0.05; done; exit 1;; esac`,
    );
    expect(await failureOf(applyWorkspacePlan(bytes, siteOf(place, path)))).toMatch(/ended with 1/);
    expect(walk(place.root)).toEqual(base);
  });

  test('when the disk is full', async () => {
    const disk = await mountSmallDisk();
    onTestFinished(() => disk.dispose());
    const root = join(disk.folder, 'root');
    const place = await plannedWorkspace(scratchFolder(), root);
    // larger than what is left for it
    writeFileSync(join(place.origin('web'), 'large'), Buffer.alloc(8_000_000, 'x'));
    git(place.origin('web'), 'add', '--all');
    git(place.origin('web'), 'commit', '--quiet', '--message', 'large');
    const base = walk(root);
    await disk.fill(2_000_000);
    expect(await failureOf(applyWorkspacePlan(place.bytes, siteOf(place)))).toMatch(/^DiskFailed: /);
    await disk.empty();
    expect(walk(root)).toEqual(base);
  });

  test('when the journal cannot be written any more', async () => {
    const place = await plannedWorkspace(scratchFolder());
    const base = walk(place.root);
    // only journals are written with datasync
    const handle = await open(place.root);
    const full = vi.spyOn(Object.getPrototypeOf(handle) as typeof handle, 'datasync');
    await handle.close();
    onTestFinished(() => full.mockRestore());
    const onProgress = ({ done }: PlanProgress): void => {
      if (done === 2) full.mockRejectedValue(Object.assign(new Error('ENOSPC: no space left'), { code: 'ENOSPC' }));
    };
    expect(await failureOf(applyWorkspacePlan(place.bytes, { ...siteOf(place), parallel: 1, onProgress }))).toMatch(
      /^DiskFailed: The journal .* cannot be used: ENOSPC/,
    );
    expect(walk(place.root)).toEqual(base);
  });
});

describe('what a person does meanwhile is never lost', () => {
  test('a file in a repository that is being taken away', async () => {
    const scratch = scratchFolder();
    const place = await plannedWorkspace(scratch);
    const base = walk(place.root);
    const mine = join(place.root, 'old', 'mine');
    // after the last question whether something is unsaved, before the rename
    const path = gitThatFirst(
      scratch,
      `case "$*" in *--max-count=1*) [ -e '${mine}' ] || echo mine > '${mine}';; esac`,
    );
    expect(await failureOf(applyWorkspacePlan(place.bytes, siteOf(place, path)))).toBe(
      'PlanPreconditionFailed: old cannot be taken out of the workspace without loss: it has changes or files that are not committed.',
    );
    expect(readFileSync(mine, 'utf8')).toBe('mine\n');
    rmSync(mine);
    expect(walk(place.root)).toEqual(base);
  });

  test('a write into a repository that was taken away, by a program that had a file open', async () => {
    const scratch = scratchFolder();
    const place = await plannedWorkspace(scratch);
    const count = join(scratch, 'count');
    const path = gitThatFirst(
      scratch,
      `case "$*" in *--max-count=1*) echo >> '${count}'; if [ $(wc -l < '${count}') = 2 ]; then`,
      `for each in '${join(place.root, '.graft', 'aside')}'/*/taken-0; do echo mine >> "$each/a b"; done; fi;; esac`,
    );
    const { outcome, kept, drift } = await applyWorkspacePlan(place.bytes, { ...siteOf(place, path), parallel: 1 });
    expect({ outcome, drift }).toEqual({ outcome: 'committed', drift: { added: [], removed: [], changed: [] } });
    expect(kept).toHaveLength(1);
    expect(readFileSync(join(kept[0] ?? '', 'a b'), 'utf8')).toBe('text of old\nmine\n');
  });

  test('a folder in the place of a clone', async () => {
    const scratch = scratchFolder();
    const place = await plannedWorkspace(scratch);
    const base = walk(place.root);
    const web = join(place.root, 'web');
    const path = gitThatFirst(
      scratch,
      `case "$*" in "read-tree --reset"*) mkdir -p '${web}'; echo mine > '${web}/mine';; esac`,
    );
    expect(await failureOf(applyWorkspacePlan(place.bytes, siteOf(place, path)))).toBe(
      `PlanPreconditionFailed: There is something at ${web}.`,
    );
    expect(readFileSync(join(web, 'mine'), 'utf8')).toBe('mine\n');
    rmSync(web, { recursive: true });
    expect(walk(place.root)).toEqual(base);
  });

  test('work in a clone, and a file in the place of a repository, when a plan is undone: they are named', async () => {
    const scratch = scratchFolder();
    const place = await plannedWorkspace(scratch);
    const base = walk(place.root);
    const [core, old] = [join(place.root, 'libs', 'core'), join(place.root, 'old')];
    // the last operation fails, after a person has worked in what the others have made
    const path = gitThatFirst(
      scratch,
      `case "$*" in "read-tree --reset"*) if [ -d '${core}' ]; then`,
      `echo mine > '${core}/mine'; echo mine > '${old}'; exit 1; fi;; esac`,
    );
    const failure = await failureOf(applyWorkspacePlan(place.bytes, { ...siteOf(place, path), parallel: 1 }));
    expect(failure).toMatch(/^UndoFailed: git read-tree .* ended with 1/);
    expect(failure).toContain(`- ${core} stays where it is: it has changes or files that are not committed.`);
    expect(failure).toContain(`- ${old} cannot be put back from ${place.root}/.graft/aside/`);
    expect([join(core, 'mine'), old].map((file) => readFileSync(file, 'utf8'))).toEqual(['mine\n', 'mine\n']);
    expect(existsSync(join(place.root, 'web'))).toBe(false);
    // again, it is as incomplete
    const { outcome, left } = await undoWorkspacePlan(siteOf(place), place.plan.id);
    expect([outcome, left.length]).toEqual(['incomplete', 2]);
    // a person takes the things away
    rmSync(join(core, 'mine'));
    rmSync(old);
    expect(await undoWorkspacePlan(siteOf(place), place.plan.id)).toEqual({
      plan: place.plan.id,
      outcome: 'undone',
      left: [],
    });
    expect(walk(place.root)).toEqual(base);
    expect(dataOf(place)).toEqual(['workspaces']);
  });
});

test('a plan that was interrupted is continued, and no other one is accepted until then', async () => {
  const place = await plannedWorkspace(scratchFolder());
  const stop = new AbortController();
  const onProgress = ({ done }: PlanProgress): void => {
    if (done === 2) stop.abort(new Error('the worker stops'));
  };
  const stopping = { ...siteOf(place), parallel: 1, signal: stop.signal, onProgress };
  await expect(applyWorkspacePlan(place.bytes, stopping)).rejects.toThrow('the worker stops');
  expect(existsSync(join(place.root, 'libs', 'core'))).toBe(true);
  const other = changedPlan(place, { action: 'repair' });
  expect(await failureOf(applyWorkspacePlan(other.bytes, siteOf(place)))).toBe(
    `PlanPreconditionFailed: The plan ${place.plan.id} is in progress in ${place.root}: ` +
      'apply it again or undo it before another one.',
  );
  const begun: string[] = [];
  const { outcome, drift } = await applyWorkspacePlan(place.bytes, {
    ...siteOf(place),
    onProgress: ({ running }) => begun.push(...running.map(({ target }) => target)),
  });
  expect([outcome, drift]).toEqual(['committed', { added: [], removed: [], changed: [] }]);
  checkApplied(place);
  expect(begun).toContain('web');
});

test('says what its operations do while they run, and for how long', async () => {
  const scratch = scratchFolder();
  const place = await plannedWorkspace(scratch);
  // git takes more than two seconds for a checkout
  const path = gitThatFirst(scratch, `case "$*" in "read-tree --reset"*) sleep 2.5;; esac`);
  const told: PlanProgress[] = [];
  const site = { ...siteOf(place, path), parallel: 1, onProgress: (each: PlanProgress) => told.push(each) };
  await applyWorkspacePlan(place.bytes, site);
  const ofWeb = told.flatMap(({ running }) => running).filter(({ target }) => target === 'web');
  const steps = ofWeb.map(({ step }) => step);
  expect(steps.filter((step, at) => step !== steps[at - 1])).toEqual([
    '',
    'look up the branch',
    'link packs',
    'check out',
    'rename',
  ]);
  expect(ofWeb.filter(({ step }) => step === 'check out').at(-1)?.seconds).toBeGreaterThanOrEqual(1);
});

test('a clone at a commit has a detached HEAD, and can leave again', async () => {
  const place = await plannedWorkspace(scratchFolder());
  const commit = git(place.origin('web'), 'rev-parse', 'HEAD');
  const [, , web] = place.plan.operations;
  if (web === undefined) throw new Error('the plan has no web');
  const operations = [{ ...web, index: 0, depends_on: [], params: { ...web.params, branch: null, commit } }];
  await applyWorkspacePlan(changedPlan(place, { operations }).bytes, siteOf(place));
  const folder = join(place.root, 'web');
  expect(git(folder, 'status', '--porcelain', '--branch')).toBe('## HEAD (no branch)');
  expect(git(folder, 'rev-parse', 'HEAD')).toBe(commit);
  const asked = createGit(join(place.scratch, 'cache'), siteOf(place).env);
  expect(await unsavedWork(asked, folder, { excludes: null })).toEqual([]);
  git(folder, 'commit', '--quiet', '--allow-empty', '--message', 'mine');
  expect(await unsavedWork(asked, folder, { excludes: null })).toEqual(['it has commits that no remote has']);
});

test('a plan with an operation that this version cannot do is refused before anything is changed', async () => {
  const place = await plannedWorkspace(scratchFolder());
  const base = walk(place.root);
  const [detach, core, web] = place.plan.operations;
  if (detach === undefined || core === undefined || web === undefined) throw new Error('the plan has too few steps');
  for (const last of [
    { ...web, params: { ...web.params, how: 'switch' } },
    { ...web, type: 'validate_repo' as const },
  ]) {
    const { bytes } = changedPlan(place, { operations: [detach, core, last] });
    expect(await failureOf(applyWorkspacePlan(bytes, siteOf(place)))).toMatch(/cannot be done by this version yet\.$/);
  }
  expect(walk(place.root)).toEqual(base);
});

test('a workspace that another program changes is not touched', async () => {
  const place = await plannedWorkspace(scratchFolder());
  mkdirSync(join(place.root, '.graft'));
  const lock = join(place.root, '.graft', 'lock');
  writeFileSync(lock, 'of Graft');
  const base = walk(place.root);
  expect(await failureOf(applyWorkspacePlan(place.bytes, siteOf(place)))).toBe(
    `WorkspaceBusy: The workspace ${place.root} is being changed by another program, which holds ${lock}.`,
  );
  expect(walk(place.root)).toEqual(base);
});
