import { existsSync, mkdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { git } from '../../support/scratch-git.ts';
import { walk } from '../../support/workspace/plan-site.ts';
import { hostTest, type WorkspaceHost } from '../../support/workspace/workspace-host.ts';

const test = hostTest();

/** A workspace with three repositories, as its manifest says; and a manifest without `web`. */
async function applied(host: WorkspaceHost, name: string) {
  const { estate, roots } = host;
  const names = ['api', 'core', 'web'];
  for (const each of names) await estate.create(`${name}/${each}`, { 'README.md': `${each}\n` });
  const root = join(roots, name);
  mkdirSync(root);
  const manifest = (...wanted: readonly string[]): string =>
    [
      'branch: feature/login',
      'repositories:',
      ...wanted.map((each) => `  - { origin: ${JSON.stringify(estate.gitDir(`${name}/${each}`))} }`),
      '',
    ].join('\n');
  const file = join(root, 'longhaul.workspace.yaml');
  writeFileSync(file, manifest(...names));
  const plan = `${root}.plan.json`;
  expect(await host.longhaul('workspace', 'plan', '--root', root, '-o', plan)).toMatchObject({ exitCode: 0 });
  expect(await host.longhaul('workspace', 'apply', plan, '--root', root)).toMatchObject({ exitCode: 0 });
  return { root, leaveOut: () => writeFileSync(file, manifest('api', 'core')) };
}

const without = (found: Readonly<Record<string, string>>): unknown =>
  Object.entries(found).filter(([name]) => !name.startsWith('/.graft'));

test('what is gone is cloned again; files that were only touched are no drift', async ({ host }) => {
  const { root } = await applied(host, 'gone');
  const before = walk(root);
  utimesSync(join(root, 'core', 'README.md'), new Date(0), new Date(0));
  const nothing = await host.longhaul('workspace', 'repair', '--root', root, '--json');
  expect(JSON.parse(nothing.stdout)).toMatchObject({ repaired: [], left: [], drift: [], quarantined: [] });
  rmSync(join(root, 'api'), { recursive: true });
  writeFileSync(join(root, 'core', 'new'), 'work is no drift\n');
  const repaired = await host.longhaul('workspace', 'repair', '--root', root, '--json');
  expect(repaired).toMatchObject({ exitCode: 0 });
  expect(JSON.parse(repaired.stdout)).toMatchObject({ repaired: ['api is cloned again'], left: [], drift: [] });
  expect(git(join(root, 'api'), 'branch', '--show-current')).toBe('feature/login');
  expect(readFileSync(join(root, 'core', 'new'), 'utf8')).toBe('work is no drift\n');
  rmSync(join(root, 'core', 'new'));
  const index = '/api/.git/index';
  expect(without({ ...walk(root), [index]: '' })).toEqual(without({ ...before, [index]: '' }));
  const events = await host.ledger.sql<{ event_type: string }>(
    `SELECT event_type FROM longhaul.audit_events WHERE resource_id = 'workspace/desk${root}' ORDER BY event_id DESC LIMIT 2`,
  );
  expect(events.map(({ event_type: type }) => type)).toEqual(['workspace.repaired', 'workspace.committed']);
});

test('what a person has changed waits for that person, with what git says about it', async ({ host }) => {
  const { root } = await applied(host, 'changed');
  const api = join(root, 'api');
  git(api, 'checkout', '--quiet', '-b', 'other');
  writeFileSync(join(api, 'new'), 'mine\n');
  const before = walk(api);
  const left = await host.longhaul('workspace', 'repair', '--root', root, '--json');
  expect(left).toMatchObject({ exitCode: 1 });
  expect(JSON.parse(left.stdout)).toMatchObject({
    repaired: [],
    left: ['api: It is on other instead of feature/login.; ## other; ?? new'],
  });
  expect(walk(api)).toEqual(before);

  const handle = await host.client.workflow.start('repairWorkspace', {
    taskQueue: 'longhaul-flows',
    workflowId: `workspace/desk${root}`,
    args: [{ host: 'desk', root }],
  });
  await expect.poll(() => handle.query('losses')).toMatchObject([{ name: 'api' }]);
  // not resolved yet: it is asked again
  await handle.executeUpdate('confirmLoss', { args: [{ name: 'api', proceed: true, by: 'ada' }] });
  await expect.poll(() => handle.query('losses')).toMatchObject([{ name: 'api' }]);
  git(api, 'checkout', '--quiet', 'feature/login');
  await handle.executeUpdate('confirmLoss', { args: [{ name: 'api', proceed: true, by: 'ada' }] });
  expect(await handle.result()).toMatchObject({ repaired: [], left: [], drift: [] });
  expect(readFileSync(join(api, 'new'), 'utf8')).toBe('mine\n');
});

test('a repository that left the manifest leaves; one with work inside waits for a person', async ({ host }) => {
  const { root, leaveOut } = await applied(host, 'leaves');
  leaveOut();
  writeFileSync(join(root, 'web', 'new'), 'mine\n');
  const kept = await host.longhaul('workspace', 'repair', '--root', root, '--json');
  expect(kept).toMatchObject({ exitCode: 1 });
  expect(readFileSync(join(root, 'web', 'new'), 'utf8')).toBe('mine\n');

  const left = await host.longhaul('workspace', 'repair', '--root', root, '--json', '--confirm', 'web');
  expect(left).toMatchObject({ exitCode: 0 });
  const { repaired, quarantined } = JSON.parse(left.stdout) as { repaired: string[]; quarantined: { id: string }[] };
  expect([repaired, quarantined.length, existsSync(join(root, 'web'))]).toEqual([['web leaves'], 1, false]);
  expect(await host.longhaul('workspace', 'restore', quarantined[0]?.id ?? '')).toMatchObject({ exitCode: 0 });
  expect(readFileSync(join(root, 'web', 'new'), 'utf8')).toBe('mine\n');
});
