import { fc, test } from '@fast-check/vitest';
import { describe, expect } from 'vitest';
import { identifyPlan } from '../../../activities/workspace/workspace-ids.ts';
import { diffWorkspaces, isEmptyDelta } from '../../../domain/workspace/workspace-delta.ts';
import { planWorkspace } from '../../../domain/workspace/plan-workspace.ts';
import type { PlanOperation } from '../../../domain/workspace/workspace-plan.ts';
import { applyToModel, type DiskModel, diskModel } from '../../support/workspace/disk-model.ts';
import { madeSnapshot } from '../../support/workspace/snapshots.ts';

/** A state of a workspace: few names and folders, so that two states often have the same ones. */
interface State {
  readonly repos: readonly { readonly name: string; readonly path: string; readonly at: string }[];
  readonly links: readonly (readonly [string, string])[];
}

const NAMES = ['a', 'b', 'c', 'd', 'e', 'f'];
const PATHS = ['a', 'b', 'c', 'libs/a', 'libs', 'x', 'x/y', 'd', 'e', 'f'];

const state: fc.Arbitrary<State> = fc
  .record({
    names: fc.uniqueArray(fc.constantFrom(...NAMES), { maxLength: 6 }),
    paths: fc.shuffledSubarray(PATHS, { minLength: 6 }),
    at: fc.array(fc.constantFrom('main', 'topic', '1'.repeat(40)), { minLength: 6, maxLength: 6 }),
    links: fc.array(fc.tuple(fc.constantFrom(...NAMES), fc.constantFrom(...NAMES)), { maxLength: 8 }),
  })
  .map(({ names, paths, at, links }) => {
    const repos: { name: string; path: string; at: string }[] = [];
    for (const [index, name] of names.entries()) {
      const path = paths[index] ?? name;
      const isTaken = repos.some(
        (one) => `${one.path}/`.startsWith(`${path}/`) || `${path}/`.startsWith(`${one.path}/`),
      );
      if (!isTaken) repos.push({ name, path, at: at[index] ?? 'main' });
    }
    const there = new Set(repos.map(({ name }) => name));
    const pairs = new Map(links.map((link) => [link.join('/'), link] as const));
    return {
      repos,
      links: [...pairs.values()].filter(([from, to]) => from !== to && there.has(from) && there.has(to)),
    };
  });

function snapshotOf({ repos, links }: State, setup: readonly string[][] = []) {
  return madeSnapshot(
    repos.map(({ name, path, at }) => {
      const isCommit = at.length === 40;
      return { name, path, branch: isCommit ? null : at, commit: isCommit ? at : null, setup };
    }),
    { links },
  );
}

/** Operations in an order that `depends_on` allows, chosen by `choose` among those that are ready. */
function inSomeOrder(operations: readonly PlanOperation[], choose: (ready: number) => number): PlanOperation[] {
  const done = new Set<number>();
  const order: PlanOperation[] = [];
  const known = new Set(operations.map(({ index }) => index));
  while (order.length < operations.length) {
    const ready = operations.filter(
      ({ index, depends_on }) => !done.has(index) && depends_on.every((at) => done.has(at) || !known.has(at)),
    );
    const next = ready[choose(ready.length)];
    if (next === undefined) throw new Error('operations wait for each other');
    done.add(next.index);
    order.push(next);
  }
  return order;
}

const seen = ({ repos, links }: DiskModel) => ({
  repos: [...repos].sort(([a], [b]) => (a < b ? -1 : 1)),
  links: [...links].sort(),
});

const chooser = fc.infiniteStream(fc.nat());

describe('a plan', () => {
  test.prop([state, state, chooser])(
    'done in any order that it allows, reaches the desired state',
    (from, to, choices) => {
      const { operations } = planWorkspace(snapshotOf(from), snapshotOf(to, [['make']]));
      const disk = diskModel(from.repos, from.links);
      for (const operation of inSomeOrder(operations, (ready) => (choices.next().value ?? 0) % ready))
        applyToModel(disk, operation);
      expect(seen(disk)).toEqual(seen(diskModel(to.repos, to.links)));
    },
  );

  test.prop([state, state, chooser, fc.nat()])(
    'stopped anywhere, is taken back to where it began',
    (from, to, choices, stop) => {
      const { operations, rollback } = planWorkspace(snapshotOf(from), snapshotOf(to, [['make']]));
      const disk = diskModel(from.repos, from.links);
      const choose = (ready: number): number => (choices.next().value ?? 0) % ready;
      const order = inSomeOrder(operations, choose);
      const done = order.slice(0, stop % (order.length + 1));
      for (const operation of done) applyToModel(disk, operation);
      // each inverse belongs to one operation: both lists without programs, one of them reversed
      const forward = operations.filter(({ type }) => type !== 'run_command').toReversed();
      expect(rollback).toHaveLength(forward.length);
      const isDone = new Set(done.map(({ index }) => index));
      const undo = rollback.filter((_, at) => isDone.has(forward[at]?.index ?? -1));
      for (const operation of inSomeOrder(undo, choose)) applyToModel(disk, operation);
      expect(seen(disk)).toEqual(seen(diskModel(from.repos, from.links)));
    },
  );

  test.prop([state])('of equal states is empty', (same) => {
    const plan = planWorkspace(snapshotOf(same), snapshotOf(same, [['make']]));
    expect([plan.operations, plan.rollback, plan.preconditions]).toEqual([[], [], []]);
  });

  test.prop([state, state])('is needed exactly where the states differ', (from, to) => {
    const [current, desired] = [snapshotOf(from), snapshotOf(to)];
    const isSame =
      JSON.stringify(seen(diskModel(from.repos, from.links))) === JSON.stringify(seen(diskModel(to.repos, to.links)));
    expect(isEmptyDelta(diffWorkspaces(current, desired))).toBe(isSame);
    expect(planWorkspace(current, desired).operations.length === 0).toBe(isSame);
  });

  test.prop([state, state, fc.infiniteStream(fc.nat())])(
    'does not depend on the order of lists, the root or the time',
    (from, to, choices) => {
      const shuffled = <Item>(items: readonly Item[]): Item[] =>
        items
          .map((item) => ({ item, key: choices.next().value ?? 0 }))
          .toSorted((a, b) => a.key - b.key)
          .map(({ item }) => item);
      const elsewhere = (one: State) => ({
        ...madeSnapshot([], { root: '/elsewhere' }),
        ...snapshotOf({ repos: shuffled(one.repos), links: shuffled(one.links) }),
        root: '/elsewhere',
        generated_at: '2031-05-05T05:05:05.000Z',
      });
      const here = identifyPlan(planWorkspace(snapshotOf(from), snapshotOf(to)), '2026-01-01T00:00:00.000Z');
      const there = identifyPlan(planWorkspace(elsewhere(from), elsewhere(to)), '2031-01-01T00:00:00.000Z');
      expect(there.id).toBe(here.id);
      expect(there.operations).toEqual(here.operations);
      expect(snapshotOf(from).id).toBe(elsewhere(from).id);
    },
  );
});

describe('the preconditions of a plan', () => {
  const kinds = (from: State, to: State): string[] =>
    planWorkspace(snapshotOf(from), snapshotOf(to)).preconditions.map(({ type, target }) => `${type} ${target}`);
  const web = { name: 'web', path: 'web', at: 'main' };
  const core = { name: 'core', path: 'core', at: 'main' };

  test('of a new repository: a free folder, git and the lock', () => {
    expect(kinds({ repos: [web], links: [] }, { repos: [web, core], links: [] })).toEqual([
      'lock_available .graft/lock',
      'path_free core',
      'capability_available git',
    ]);
  });

  test('of another branch: the repository, nothing uncommitted, and no other worktree with it', () => {
    expect(kinds({ repos: [web], links: [] }, { repos: [{ ...web, at: 'topic' }], links: [] })).toEqual([
      'repo_exists web',
      'repo_clean web',
      'lock_available .graft/lock',
      'branch_free web',
      'capability_available git',
    ]);
  });

  test('of a link: the manifests, and no cycle', () => {
    expect(kinds({ repos: [web, core], links: [] }, { repos: [web, core], links: [['web', 'core']] })).toEqual([
      'file_unchanged web/package.json',
      'lock_available .graft/lock',
      'no_cycle .',
    ]);
  });

  test('of a link: a version that fits, where both sides state one', () => {
    const repos = [{ name: 'web' }, { name: 'core', packages: [{ name: '@acme/core', version: '2.0.0' }] }];
    const deps = [['web', '@acme/core']] as const;
    const plan = planWorkspace(madeSnapshot(repos, { deps }), madeSnapshot(repos, { deps, links: [['web', 'core']] }));
    expect(plan.preconditions.find(({ type }) => type === 'version_fits')).toEqual({
      type: 'version_fits',
      target: 'web/core',
      expected: { app: '@acme/core', ecosystem: 'npm', requirement: '^1.0.0', version: '2.0.0' },
      message: 'web needs @acme/core ^1.0.0, and core has 2.0.0.',
    });
  });

  test('name the cycles that links would make, and not those that are there', () => {
    const three = [web, core, { name: 'x', path: 'x', at: 'main' }];
    const from: State = {
      repos: three,
      links: [
        ['core', 'x'],
        ['x', 'core'],
      ],
    };
    const plan = (links: State['links']) => planWorkspace(snapshotOf(from), snapshotOf({ repos: three, links }));
    const cycle = (links: State['links']) =>
      plan(links).preconditions.find(({ type }) => type === 'no_cycle')?.expected;
    expect(cycle([...from.links, ['web', 'core']])).toEqual({ cycles: [] });
    expect(cycle([...from.links, ['web', 'core'], ['core', 'web']])).toEqual({ cycles: [['core', 'web', 'x']] });
  });
});

describe('the programs of setup', () => {
  test('run after the links of their repository, and after those of the repositories that it needs', () => {
    const setup = [
      ['npm', 'ci'],
      ['npm', 'run', 'build'],
    ];
    const desired = madeSnapshot(
      [
        { name: 'web', setup },
        { name: 'core', setup: [['make']] },
      ],
      { links: [['web', 'core']] },
    );
    const { operations } = planWorkspace(madeSnapshot([]), desired, { environment: { CI: '1' } });
    expect(operations.map(({ type, target, depends_on }) => [type, target, depends_on])).toEqual([
      ['attach_repo', 'core', []],
      ['attach_repo', 'web', []],
      ['create_link', 'web/core', [0, 1]],
      ['run_command', 'core', [0]],
      ['run_command', 'web', [1, 2, 3]],
      ['run_command', 'web', [1, 2, 3, 4]],
    ]);
    expect(operations.at(-1)?.params).toEqual({ argv: ['npm', 'run', 'build'], cwd: 'web', environment: { CI: '1' } });
  });

  test('do not run again where nothing changed', () => {
    const repos = [{ name: 'web', setup: [['npm', 'ci']] }];
    const { operations } = planWorkspace(madeSnapshot(repos), madeSnapshot([...repos, { name: 'core' }]));
    expect(operations.map(({ target }) => target)).toEqual(['core']);
  });
});

test('1,000 repositories with 5,000 dependencies are planned', () => {
  const names = Array.from({ length: 1_000 }, (_, at) => `repo-${at}`);
  const deps = Array.from({ length: 5_000 }, (_, at) => {
    const from = 1 + ((at * 7_919) % 999);
    return [`repo-${from}`, `repo-${(at * 104_729) % from}`] as const;
  });
  const pairs = [...new Map(deps.map((dep) => [dep.join('/'), dep])).values()];
  const desired = madeSnapshot(
    names.map((name) => ({ name })),
    { deps: pairs, links: pairs },
  );
  const { operations, rollback, preconditions } = planWorkspace(madeSnapshot([]), desired);
  expect(preconditions.filter(({ type }) => type === 'version_fits')).toHaveLength(pairs.length);
  expect(operations).toHaveLength(1_000 + pairs.length);
  expect(rollback).toHaveLength(operations.length);
});
