import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fc, test as property } from '@fast-check/vitest';
import { expect, test } from 'vitest';
import { consumersOf } from '../../../domain/workspace/consumers.ts';
import { topologyOf } from '../../../domain/workspace/topology.ts';
import type { WorkspacePlan } from '../../../domain/workspace/workspace-plan.ts';
import { git, scratchFolder } from '../../support/scratch-git.ts';
import { committedRepository, packageJson, runWorkspace } from '../../support/workspace/run-workspace.ts';
import { madeSnapshot } from '../../support/workspace/snapshots.ts';

const NAMES = ['a', 'b', 'c', 'd', 'e', 'f'];
const edges = fc.array(fc.tuple(fc.constantFrom(...NAMES), fc.constantFrom(...NAMES)), { maxLength: 14 });

property.prop([edges, fc.option(fc.integer({ min: 1, max: 6 }))])(
  'consumers are those with a path of at most so many steps, each after those that it needs',
  (pairs, depth) => {
    const deps = pairs.filter(([from, to]) => from !== to);
    const topology = topologyOf(
      madeSnapshot(
        NAMES.map((name) => ({ name })),
        { deps },
      ),
    );
    // by powers of the relation, another way than the product's
    const expected = new Map<string, number>();
    let reached = new Set(['a']);
    for (let steps = 1; steps <= (depth ?? NAMES.length); steps++) {
      reached = new Set(deps.filter(([, to]) => reached.has(to)).map(([from]) => from));
      for (const name of reached) if (name !== 'a' && !expected.has(name)) expected.set(name, steps);
    }
    const found = consumersOf(topology, 'a', depth);
    expect(new Map(found.map(({ name, depth: steps }) => [name, steps]))).toEqual(expected);
    if (topology['cyclic?']) return;
    const order = found.map(({ name }) => name);
    for (const [from, to] of deps) {
      if (order.includes(from) && order.includes(to)) expect(order.indexOf(to)).toBeLessThan(order.indexOf(from));
    }
  },
);

/** A workspace with `core`, and a folder with what needs it: `web` directly, `app` through `web`; `other` does not. */
function folders(): { readonly scratch: string; readonly root: string; readonly among: string } {
  const scratch = scratchFolder();
  const [root, among] = [join(scratch, 'root'), join(scratch, 'code')];
  committedRepository(join(root, 'core'), { 'package.json': packageJson('@acme/core', '1.4.0') });
  for (const [name, needs] of [
    ['web', { '@acme/core': '^1.0.0' }],
    ['app', { web: '^1.0.0' }],
    ['other', {}],
  ] as const) {
    const path = committedRepository(join(among, name), { 'package.json': packageJson(name, '1.0.0', needs) });
    git(path, 'repack', '-ad', '--quiet');
  }
  // the same repository elsewhere is not a consumer of itself
  committedRepository(join(among, 'core'), { 'package.json': packageJson('@acme/core', '1.0.0') });
  return { scratch, root, among };
}

test('everything that needs a repository is attached and linked to it, in order, as a plan', async () => {
  const { scratch, root, among } = folders();
  const file = join(scratch, 'plan.json');
  const args = ['on', '@acme/core', '--consumers', '--root', root, '--among', among];
  const env = { PATH: process.env['PATH'] };
  const { code, out, err } = await runWorkspace(scratch, [...args, '-o', file], env);
  expect({ code, err }).toEqual({ code: 0, err: '' });
  expect(out).toContain('These need core, in the order in which they are validated:\n  web\n  app, in 2 steps\n');
  const { default: plan } = (await import(file, { with: { type: 'json' } })) as { readonly default: WorkspacePlan };
  expect(plan.operations.map(({ type, target }) => `${type} ${target}`)).toEqual([
    'attach_repo app',
    'attach_repo web',
    'create_link app/web',
    'create_link web/core',
  ]);
  expect(plan.operations[0]?.params).toMatchObject({ origin: join(among, 'app') });
  expect(plan.desired.topology.topological_order).toEqual(['core', 'web', 'app']);
  const near = await runWorkspace(scratch, [...args, '--depth', '1', '--json'], env);
  expect((JSON.parse(near.out) as WorkspacePlan).operations.map(({ target }) => target)).toEqual(['web', 'web/core']);
});

test('a version that does not fit is refused before anything is linked', async () => {
  const { scratch, root, among } = folders();
  writeFileSync(join(root, 'core', 'package.json'), packageJson('@acme/core', '2.0.0'));
  const args = ['on', 'core', '--consumers', '--root', root, '--among', among];
  const { code, out } = await runWorkspace(scratch, args, { PATH: process.env['PATH'] });
  expect(code).toBe(9);
  expect(out).toMatch(/FAILS .*core.* But .*\^1\.0\.0/);
});

test('a repository without consumers, an unknown one, and a missing option', async () => {
  const { scratch, root } = folders();
  const env = { PATH: process.env['PATH'] };
  const alone = await runWorkspace(scratch, ['on', 'core', '--consumers', '--root', root], env);
  expect(alone).toMatchObject({
    code: 0,
    out: expect.stringContaining('No repository that is known here needs core.'),
  });
  const unknown = await runWorkspace(scratch, ['on', 'cor', '--consumers', '--root', root], env);
  expect(unknown).toMatchObject({ code: 2, err: expect.stringContaining('The workspace has no repository cor') });
  expect((await runWorkspace(scratch, ['on', 'core', '--root', root], env)).code).toBe(2);
});
