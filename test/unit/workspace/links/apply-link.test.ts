import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { applyWorkspacePlan } from '../../../../activities/workspace/apply-plan.ts';
import { findOnPath } from '../../../../platform/program.ts';
import { failureOf } from '../../../support/mgit.ts';
import { git, scratchFolder } from '../../../support/scratch-git.ts';
import { LINKABLE, linkedWorkspace } from '../../../support/workspace/linked-workspace.ts';
import { planFor, siteOf, walk } from '../../../support/workspace/plan-site.ts';

const NOTHING = { added: [], removed: [], changed: [] };

/** What a tool prints in a folder, without the network and without what its user has configured. */
function printed(cwd: string, program: string, ...args: readonly string[]): string {
  return execFileSync(program, args, {
    cwd,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, GOPROXY: 'off', GOFLAGS: '', GOTOOLCHAIN: 'local', CARGO_NET_OFFLINE: 'true' },
  });
}

/** The manifest of the crate that api takes. */
function crateOf(root: string): string | undefined {
  const text = printed(join(root, 'api'), 'cargo', 'metadata', '--offline', '--format-version', '1');
  const { packages } = JSON.parse(text) as { packages: { name: string; manifest_path: string }[] };
  return packages.find(({ name }) => name === 'core-crate')?.manifest_path;
}

describe('links', () => {
  test('are files in the root, by which each tool takes the sibling, and no tracked file changes', async () => {
    const place = await linkedWorkspace(scratchFolder());
    const { root, bytes, plan } = place;
    expect(plan.operations.map(({ type, target, depends_on }) => [type, target, depends_on])).toEqual([
      ['attach_repo', 'api', []],
      ['attach_repo', 'web', []],
      ['create_link', 'api/core', [0]],
      ['create_link', 'web/core', [1]],
    ]);
    expect(await applyWorkspacePlan(bytes, siteOf(place))).toMatchObject({ outcome: 'committed', drift: NOTHING });
    expect(readdirSync(root).toSorted()).toEqual([
      '.cargo',
      '.graft',
      'api',
      'core',
      'go.work',
      'longhaul.workspace.yaml',
      'package.json',
      'pyproject.toml',
      'web',
    ]);
    for (const name of ['api', 'core', 'web']) expect(git(join(root, name), 'status', '--porcelain')).toBe('');

    const modules = printed(join(root, 'api'), 'go', 'list', '-m', '-f', '{{.Path}} {{.Dir}}').trim().split('\n');
    expect(modules).toContain(`example.com/core ${join(root, 'core')}`);
    printed(join(root, 'web'), 'go', 'build', './...');
    // Rust is not on every machine
    const hasCargo = (await findOnPath('cargo', process.env)) !== null;
    expect(hasCargo ? crateOf(root) : join(root, 'core', 'Cargo.toml')).toBe(join(root, 'core', 'Cargo.toml'));
    printed(root, 'npm', 'install', '--offline', '--ignore-scripts', '--no-audit', '--no-fund');
    expect(printed(join(root, 'api'), 'node', '-p', 'require.resolve("core/package.json")').trim()).toBe(
      join(root, 'core', 'package.json'),
    );
  });

  test('are removed by a plan, the last one with its file', async () => {
    const place = await linkedWorkspace(scratchFolder());
    const { root, manifest } = place;
    await applyWorkspacePlan(place.bytes, siteOf(place));
    const all = manifest([
      ['api', 'core'],
      ['web', 'core'],
    ]);
    const one = await planFor(place, all, manifest([['web', 'core']]));
    expect(one.plan.operations.map(({ type, target }) => [type, target])).toEqual([['remove_link', 'api/core']]);
    expect(one.plan.action).toBe('detach');
    expect(await applyWorkspacePlan(one.bytes, siteOf(place))).toMatchObject({ outcome: 'committed', drift: NOTHING });
    expect(
      readdirSync(root)
        .filter((name) => !['api', 'core', 'web'].includes(name))
        .toSorted(),
    ).toEqual(['.graft', 'go.work', 'longhaul.workspace.yaml']);
    expect(printed(join(root, 'web'), 'go', 'list', '-m').trim().split('\n').toSorted()).toEqual([
      'example.com/core',
      'example.com/web',
    ]);
    const none = await planFor(place, manifest([['web', 'core']]), manifest([]));
    await applyWorkspacePlan(none.bytes, siteOf(place));
    expect(existsSync(join(root, 'go.work'))).toBe(false);
  });
});

describe('a link is refused, and everything undone,', () => {
  test('where a file that is not ours is in its place', async () => {
    const place = await linkedWorkspace(scratchFolder());
    writeFileSync(join(place.root, 'go.work'), 'go 1.22\n');
    const base = walk(place.root);
    expect(await failureOf(applyWorkspacePlan(place.bytes, siteOf(place)))).toBe(
      `PlanPreconditionFailed: ${place.root}/go.work is there, and is not made by Longhaul.`,
    );
    expect(walk(place.root)).toEqual(base);
  });

  test('where the folder of the file is a link out of the root', async () => {
    const scratch = scratchFolder();
    const place = await linkedWorkspace(scratch);
    mkdirSync(join(scratch, 'outside'));
    symlinkSync(join(scratch, 'outside'), join(place.root, '.cargo'));
    const base = walk(place.root);
    expect(await failureOf(applyWorkspacePlan(place.bytes, siteOf(place)))).toMatch(
      /^PlanPreconditionFailed: .*\.cargo is a link/,
    );
    expect(walk(place.root)).toEqual(base);
    expect(readdirSync(join(scratch, 'outside'))).toEqual([]);
  });

  test('where the version does not fit, or nothing is needed', async () => {
    const files = { core: { 'package.json': '{"name":"core","version":"2.0.0"}' }, api: LINKABLE['api'] ?? {} };
    const place = await linkedWorkspace(scratchFolder(), files);
    const base = walk(place.root);
    expect(await failureOf(applyWorkspacePlan(place.bytes, siteOf(place)))).toBe(
      'PlanPreconditionFailed: api needs core ^1.0.0, and core has 2.0.0.',
    );
    const other = await linkedWorkspace(scratchFolder(), { core: { a: '' }, api: LINKABLE['api'] ?? {} });
    expect(await failureOf(applyWorkspacePlan(other.bytes, siteOf(other)))).toBe(
      'PlanPreconditionFailed: api needs no package that core has: there is nothing to link.',
    );
    expect(walk(place.root)).toEqual(base);
  });
});

test('a precondition of the plan says that a file is in the way', async () => {
  const scratch = scratchFolder();
  const place = await linkedWorkspace(scratch);
  await applyWorkspacePlan(place.bytes, siteOf(place));
  const { root, manifest } = place;
  const links = [
    ['api', 'core'],
    ['web', 'core'],
  ] as const;
  const off = await planFor(place, manifest(links), manifest([]));
  await applyWorkspacePlan(off.bytes, siteOf(place));
  const on = await planFor(place, manifest([]), manifest(links));
  writeFileSync(join(root, 'go.work'), 'go 1.22\n');
  expect(await failureOf(applyWorkspacePlan(on.bytes, siteOf(place)))).toBe(
    'PlanPreconditionFailed: There must be nothing at go.work that Longhaul has not written. ' +
      `But ${root}/go.work is there, and is not made by Longhaul.`,
  );
  expect(readFileSync(join(root, 'go.work'), 'utf8')).toBe('go 1.22\n');
  rmSync(join(root, 'go.work'));
  expect(await applyWorkspacePlan(on.bytes, siteOf(place))).toMatchObject({ outcome: 'committed', drift: NOTHING });
});
