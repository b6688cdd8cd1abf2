import { appendFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { git } from '../../support/scratch-git.ts';
import { walk } from '../../support/workspace/plan-site.ts';
import { hostTest, type WorkspaceHost } from '../../support/workspace/workspace-host.ts';

const test = hostTest();

/** A folder with a manifest for `api` and, after `addWeb`, for `web`. */
async function described(host: WorkspaceHost, name: string) {
  const { estate, roots } = host;
  for (const each of ['api', 'web']) await estate.create(`${name}/${each}`, { 'README.md': `${each}\n` });
  const root = join(roots, name);
  mkdirSync(root);
  const entry = (each: string): string => `  - { origin: ${JSON.stringify(estate.gitDir(`${name}/${each}`))} }\n`;
  const file = join(root, 'longhaul.workspace.yaml');
  writeFileSync(file, `branch: feature/login\nrepositories:\n${entry('api')}`);
  return { root, addWeb: () => appendFileSync(file, entry('web')) };
}

const start = ({ client }: WorkspaceHost, root: string, more: object = {}) =>
  client.workflow.start('prepareWorkspace', {
    taskQueue: 'longhaul-flows',
    workflowId: `workspace-life/desk${root}`,
    args: [{ host: 'desk', root, checkSeconds: 1, ...more }],
  });

test('a workspace is prepared, watched, repaired, follows its manifest, and ends without a trace', async ({ host }) => {
  const { root, addWeb } = await described(host, 'life');
  const handle = await start(host, root);
  const progress = () => handle.query<{ stage: string; total: number; lines: string[] }>('progress');
  await expect.poll(async () => (await progress()).lines, { timeout: 30_000 }).toEqual(['ready']);
  expect(await progress()).toMatchObject({ stage: 'repair', total: 11 });
  expect(Object.keys((await handle.query<{ outputs: object }>('stages')).outputs)).toEqual([
    'intent',
    'discovery',
    'opportunity',
    'requirements',
    'snapshot',
    'plan',
    'validation',
    'materialization',
    'observation',
  ]);
  expect(git(join(root, 'api'), 'branch', '--show-current')).toBe('feature/login');
  // a quiet workspace costs nothing
  const eventsAfter = async (ms: number): Promise<number> => {
    await new Promise((resolve) => setTimeout(resolve, ms));
    return (await handle.fetchHistory()).events?.length ?? 0;
  };
  const events = await eventsAfter(3_000);
  writeFileSync(join(root, 'api', 'new'), 'work is no drift\n');
  expect(await eventsAfter(5_000)).toBe(events);
  rmSync(join(root, 'api'), { recursive: true });
  await expect.poll(() => existsSync(join(root, 'api', 'README.md')), { timeout: 30_000 }).toBe(true);
  addWeb();
  await expect.poll(() => existsSync(join(root, 'web', 'README.md')), { timeout: 30_000 }).toBe(true);
  await expect.poll(async () => (await progress()).lines, { timeout: 30_000 }).toEqual(['ready']);
  await handle.executeUpdate('end', { args: [{ mode: 'clean', by: 'ada' }] });
  expect(await handle.result()).toMatchObject({ mode: 'clean', teardown: { drift: [], kept: [] } });
  expect(Object.keys(walk(root))).toEqual(['', '/longhaul.workspace.yaml']);
  const acts = await host.ledger.sql<{ event_type: string }>(
    `SELECT event_type FROM longhaul.audit_events WHERE resource_id = 'workspace/desk${root}' AND action <> 'apply' ORDER BY event_id`,
  );
  expect(acts.map(({ event_type: type }) => type)).toEqual([
    'workspace.ready',
    'workspace.repaired',
    'workspace.repaired',
    'workspace.torn_down',
  ]);
});

test('work moves the end of a workspace; then it is kept, and asked about', async ({ host }) => {
  const { root } = await described(host, 'ttl');
  const handle = await start(host, root, { ttlSeconds: 5 });
  const lines = async () => (await handle.query<{ lines: string[] }>('progress')).lines;
  await expect.poll(lines, { timeout: 30_000 }).toMatchObject(['ready', expect.stringMatching(/^ends at 20/)]);
  const [, first] = await lines();
  writeFileSync(join(root, 'api', 'new'), 'mine\n');
  await expect.poll(async () => (await lines())[1], { timeout: 30_000 }).not.toBe(first);
  const extended = await handle.executeUpdate<string, [{ seconds: number }]>('extend', { args: [{ seconds: 2 }] });
  expect(Date.parse(extended)).toBeGreaterThan(Date.now());
  const teardown = host.client.workflow.getHandle(`workspace/desk${root}`);
  const asked = (): Promise<unknown> => teardown.query('losses').catch(() => []);
  await expect.poll(asked, { timeout: 30_000 }).toMatchObject([{ name: 'api' }]);
  expect(Date.now()).toBeGreaterThan(Date.parse(extended));
  expect(readFileSync(join(root, 'api', 'new'), 'utf8')).toBe('mine\n');
  await teardown.executeUpdate('confirmLoss', { args: [{ name: 'api', proceed: true, by: 'ada' }] });
  expect(await handle.result()).toMatchObject({ mode: 'clean', teardown: { quarantined: [{ name: 'api' }] } });
  expect(existsSync(join(root, 'api'))).toBe(false);
});

test('stages that this version cannot do are refused by their name', async ({ host }) => {
  const { root } = await described(host, 'intent');
  const handle = await start(host, root, { enter: 'intent' });
  await expect(handle.result()).rejects.toMatchObject({
    cause: { type: 'InvalidInput', message: expect.stringContaining('The stage intent cannot be done') as string },
  });
});
