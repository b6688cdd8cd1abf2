import { existsSync, mkdirSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { applyWorkspacePlan } from '../../../activities/workspace/apply-plan.ts';
import type { WorkspacePlan } from '../../../domain/workspace/workspace-plan.ts';
import { failureOf } from '../../support/mgit.ts';
import { git, scratchFolder } from '../../support/scratch-git.ts';
import { changedPlan, siteOf, walk } from '../../support/workspace/plan-site.ts';
import { plannedWorkspace, type PlannedWorkspace } from '../../support/workspace/planned-workspace.ts';

/** The plan with other parameters of one operation. */
function withParams(place: PlannedWorkspace, at: number, params: Readonly<Record<string, string>>): string {
  const operations = place.plan.operations.map((each) =>
    each.index === at ? { ...each, params: { ...each.params, ...params } } : each,
  );
  return changedPlan(place, { operations }).bytes;
}

test.each<[what: string, change: (plan: WorkspacePlan) => unknown, failure: RegExp]>([
  ['that is no JSON', () => undefined, /is no plan: /],
  ['that was edited', (plan) => ({ ...plan, action: 'detach' }), /was edited after it was made/],
  ['with an unknown key', (plan) => ({ ...plan, run: 'x' }), /unknown field "run"/],
  [
    'with an operation that waits for a later one',
    (plan) => ({ ...plan, operations: plan.operations.map((each) => ({ ...each, depends_on: [2] })) }),
    /operation 0 does not have its place/,
  ],
  [
    'whose precondition reads a file elsewhere',
    (plan) => ({
      ...plan,
      preconditions: [
        { type: 'file_unchanged', target: 'x', expected: { path: '../../etc/passwd', sha256: '' }, message: '' },
      ],
    }),
    /preconditions\.0\.expected must not lead out of the root/,
  ],
  [
    'with a repository elsewhere',
    (plan) => ({
      ...plan,
      desired: { ...plan.desired, repos: plan.desired.repos.map((each) => ({ ...each, path: '../out' })) },
    }),
    /has the folder \.\.\/out, which is not below the root/,
  ],
])('a plan %s is refused, and nothing is touched', async (_what, change, failure) => {
  const place = await plannedWorkspace(scratchFolder());
  const base = walk(place.root);
  const edited = change(place.plan);
  const bytes = edited === undefined ? 'nonsense' : JSON.stringify(edited);
  expect(await failureOf(applyWorkspacePlan(bytes, siteOf(place)))).toMatch(failure);
  expect(walk(place.root)).toEqual(base);
  expect(existsSync(join(place.scratch, 'data'))).toBe(false);
});

test('a repository outside of the root, or where git and Graft have their folders, is refused', async () => {
  const place = await plannedWorkspace(scratchFolder());
  const base = walk(place.root);
  const paths = ['../out', '/etc', 'a/../../out', '.git/hooks', 'web/.git', '.graft/x', 'a//b', '.', '', '~\u0000'];
  for (const path of paths) {
    for (const at of [0, 1]) {
      expect(await failureOf(applyWorkspacePlan(withParams(place, at, { path }), siteOf(place))), path).toMatch(
        /^InvalidInput: Operation \d of the plan \(\w+ \w+\) is wrong: path must be a folder below the root\.$/,
      );
    }
  }
  expect(walk(place.root)).toEqual(base);
});

test('roots and topologies in a plan are not used: they are not part of its id', async () => {
  const place = await plannedWorkspace(scratchFolder());
  const elsewhere = join(place.scratch, 'elsewhere');
  mkdirSync(elsewhere);
  const lying = <Snapshot extends WorkspacePlan['current']>(snapshot: Snapshot): Snapshot => ({
    ...snapshot,
    root: elsewhere,
    repos: snapshot.repos.map((each) => ({ ...each, absolute_path: join(elsewhere, each.path) })),
    topology: { ...snapshot.topology, topological_order: ['../x'] },
  });
  const plan = { ...place.plan, current: lying(place.plan.current), desired: lying(place.plan.desired) };
  const { outcome } = await applyWorkspacePlan(JSON.stringify(plan), siteOf(place));
  expect(outcome).toBe('committed');
  expect(readdirSync(elsewhere)).toEqual([]);
  expect(readdirSync(place.root).toSorted()).toEqual(['.graft', 'libs', 'longhaul.workspace.yaml', 'web']);
});

describe('a workspace in which something leads out of the root', () => {
  test.each(['libs', '.graft', '.graft/aside'])('the folder %s is a link', async (name) => {
    const place = await plannedWorkspace(scratchFolder());
    const outside = join(place.scratch, 'outside');
    mkdirSync(outside);
    if (name === '.graft/aside') mkdirSync(join(place.root, '.graft'));
    symlinkSync(outside, join(place.root, name));
    const base = walk(place.root);
    expect(await failureOf(applyWorkspacePlan(place.bytes, siteOf(place)))).toMatch(
      /^PlanPreconditionFailed: .* is (?:a link or a file, or leads through one|no folder)\.$/,
    );
    expect(readdirSync(outside)).toEqual([]);
    expect(walk(place.root)).toEqual(base);
  });

  test('the repository that is taken away lends the .git of another one, which has nothing unsaved', async () => {
    const place = await plannedWorkspace(scratchFolder());
    const [old, clean] = [join(place.root, 'old'), join(place.scratch, 'clean')];
    git(place.scratch, 'clone', '--quiet', place.origin('old'), clean);
    for (const plant of [
      () => writeFileSync(join(old, '.git'), `gitdir: ${clean}/.git\n`),
      () => symlinkSync(join(clean, '.git'), join(old, '.git')),
    ]) {
      rmSync(join(old, '.git'), { recursive: true });
      plant();
      const base = walk(place.root);
      expect(await failureOf(applyWorkspacePlan(place.bytes, siteOf(place)))).toContain(
        'old cannot be taken out of the workspace without loss: it is no repository with a folder .git of its own',
      );
      expect(walk(place.root)).toEqual(base);
    }
  });

  test('the folder around a clone is another repository', async () => {
    const place = await plannedWorkspace(scratchFolder());
    git(place.scratch, 'clone', '--quiet', place.origin('core'), join(place.root, 'libs'));
    const base = walk(place.root);
    expect(await failureOf(applyWorkspacePlan(place.bytes, siteOf(place)))).toContain(
      `${place.root}/libs has a .git: nothing is made inside another repository or workspace.`,
    );
    expect(walk(place.root)).toEqual(base);
  });

  test('it is inside another workspace, or around one', async () => {
    const place = await plannedWorkspace(scratchFolder());
    await applyWorkspacePlan(place.bytes, siteOf(place));
    const inner = { ...place, root: join(place.root, 'inner') };
    mkdirSync(inner.root);
    expect(await failureOf(applyWorkspacePlan(place.bytes, siteOf(inner)))).toContain(
      `${inner.root} is inside the workspace ${place.root}`,
    );
    expect(await failureOf(applyWorkspacePlan(place.bytes, siteOf({ ...place, root: place.scratch })))).toContain(
      `The workspace ${place.root} is inside ${place.scratch}`,
    );
  });
});
