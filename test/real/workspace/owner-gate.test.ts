import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { pino } from 'pino';
import { describe, expect, onTestFinished, vi } from 'vitest';
import { openLedger } from '../../../activities/ledger/open-ledger.ts';
import { loadConfig } from '../../../activities/shared/config.ts';
import { createKey } from '../../../client/gateway/api-key.ts';
import { createGatewayMetrics } from '../../../client/gateway/metrics.ts';
import { createGateway } from '../../../client/gateway/server.ts';
import { directoryOf } from '../../../domain/config/people.schema.ts';
import { type Ended, longhaul } from '../../support/command.ts';
import { git } from '../../support/scratch-git.ts';
import { hostTest, type WorkspaceHost } from '../../support/workspace/workspace-host.ts';

const KEYS = { ada: createKey(), bob: createKey() };
const people = (['ada', 'bob'] as const).map((name) => {
  const { id, hash } = KEYS[name];
  return { name, emails: [`${name}@example.com`], key: { id, hash } };
});
const port = await freePort();

interface Place extends WorkspaceHost {
  /** Runs the command line as a person whom the gateway knows by their key. */
  as(person: keyof typeof KEYS, ...args: string[]): Promise<Ended>;
}

const test = hostTest({ approve: 'owner', owner: 'ada' }, { people, gateway: { address: `127.0.0.1:${port}` } }).extend(
  'place',
  { scope: 'file' },
  async ({ host }, { onCleanup }): Promise<Place> => {
    const { env, ledger, client } = host;
    const { config } = loadConfig({ path: env['LONGHAUL_CONFIG'] ?? '', env });
    const decisions = openLedger(ledger.logins.gates);
    const server = await createGateway({
      config,
      env,
      client,
      logger: pino({ level: 'silent' }),
      metrics: createGatewayMetrics(),
      desk: { ledger: decisions, client, directory: directoryOf(config), url: ledger.logins.gates },
    });
    await server.listen({ host: '127.0.0.1', port });
    onCleanup(async () => {
      await server.close();
      await decisions.destroy();
    });
    const as: Place['as'] = (person, ...args) => longhaul({ ...env, LONGHAUL_PERSON_KEY: KEYS[person].key }, args);
    return { ...host, as };
  },
);

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port: free } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return free;
}

/** A workspace whose manifest names these origins, and the file of its plan. */
async function planned(
  place: Place,
  name: string,
  origins: readonly string[],
): Promise<{ root: string; plan: string }> {
  const root = join(place.roots, name);
  mkdirSync(root);
  const entries = origins.map((origin) => `  - { origin: ${JSON.stringify(origin)} }`);
  writeFileSync(join(root, 'longhaul.workspace.yaml'), ['branch: topic', 'repositories:', ...entries, ''].join('\n'));
  const plan = `${root}.plan.json`;
  const made = await place.longhaul('workspace', 'plan', '--root', root, '-o', plan);
  expect(made).toMatchObject({ exitCode: 0 });
  return { root, plan };
}

/** What the audit trail has about a workspace: events, and who. */
async function eventsOf({ ledger }: Place, root: string): Promise<readonly (readonly [type: string, who: string])[]> {
  const rows = await ledger.sql<{ readonly event_type: string; readonly actor: string }>(
    `SELECT event_type, actor FROM longhaul.audit_events WHERE resource_id = 'workspace/desk${root}' ORDER BY event_id`,
  );
  return rows.map(({ event_type: type, actor }) => [type, actor]);
}

async function openGate({ ledger }: Place, root: string): Promise<string> {
  return vi.waitFor(
    async () => {
      const [gate] = await ledger.sql<{ gate_id: string }>(
        `SELECT gate_id FROM gates WHERE status = 'open' AND workflow_id = 'workspace/desk${root}'`,
      );
      if (gate === undefined) throw new Error('no gate is open');
      return gate.gate_id;
    },
    { timeout: 60_000, interval: 100 },
  );
}

describe('a machine whose owner approves plans', () => {
  test('changes nothing until the owner has approved, and no one else can', async ({ place }) => {
    await place.estate.create('acme/api', { 'README.md': 'an api\n' });
    const { root, plan } = await planned(place, 'approved', [place.estate.gitDir('acme/api')]);
    const applying = place.as('bob', 'workspace', 'apply', plan, '--root', root);
    const gate = await openGate(place, root);
    const { stdout } = await place.as('ada', 'inbox');
    expect(stdout).toMatch(
      new RegExp(`${gate}  workspace of desk at ${root}, changed by the plan [0-9a-f]{16}\n  asked by bob`),
    );
    expect(stdout).toContain('approvals: 0 of 1; may decide: ada\n');
    expect(stdout).toContain('- operations: 1\n');
    expect(await place.as('bob', 'approve', gate, '--why', 'mine')).toMatchObject({ exitCode: 9 });
    expect(readdirSync(root)).toEqual(['longhaul.workspace.yaml']);
    expect(await eventsOf(place, root)).toEqual([['workspace.planned', 'bob']]);
    expect(await place.as('ada', 'approve', gate, '--why', 'looks good')).toMatchObject({ exitCode: 0 });
    expect(await applying).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('is applied') as string });
    expect(git(join(root, 'api'), 'branch', '--show-current')).toBe('topic');
    expect(await eventsOf(place, root)).toEqual(
      ['planned', 'verified', 'executing', 'committed'].map((state) => [`workspace.${state}`, 'bob']),
    );
  });

  test('changes nothing when the owner rejects, and the reason is told', async ({ place }) => {
    await place.estate.create('acme/web', { 'README.md': 'a page\n' });
    const { root, plan } = await planned(place, 'rejected', [place.estate.gitDir('acme/web')]);
    const applying = place.as('bob', 'workspace', 'apply', plan, '--root', root);
    await place.as('ada', 'reject', await openGate(place, root), '--why', 'not today');
    expect(await applying).toMatchObject({
      exitCode: 9,
      stderr: expect.stringContaining('The owner of desk has rejected the plan: ada: not today.') as string,
    });
    expect(readdirSync(root)).toEqual(['longhaul.workspace.yaml']);
    expect((await eventsOf(place, root)).map(([type]) => type)).toEqual(['workspace.planned', 'workspace.refused']);
  });

  test('refuses a plan that became too old while the owner was asked', async ({ place }) => {
    await place.estate.create('acme/old', { 'README.md': 'old\n' });
    const { root, plan } = await planned(place, 'late', [place.estate.gitDir('acme/old')]);
    const applying = place.as('bob', 'workspace', 'apply', plan, '--root', root, '--max-age', '20');
    const gate = await openGate(place, root);
    await delay(20_000);
    await place.as('ada', 'approve', gate, '--why', 'late');
    expect(await applying).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining('more than 20 seconds ago') as string,
    });
    expect(readdirSync(root)).toEqual(['longhaul.workspace.yaml']);
  });
});

test('a plan that fails and cannot be undone waits for a person, who repairs it', async ({ place }) => {
  const { estate } = place;
  await estate.create('acme/lib', { 'README.md': 'a library\n' });
  // a forge that answers late, and then that there is no such repository
  const waiting: ServerResponse[] = [];
  let isGone = false;
  const refuse = (response: ServerResponse): void => void response.writeHead(404).end();
  const forge = createServer((_request, response) => (isGone ? refuse(response) : waiting.push(response)));
  forge.listen(0, '127.0.0.1');
  await once(forge, 'listening');
  onTestFinished(() => void forge.close());
  const { port: at } = forge.address() as AddressInfo;
  const { root, plan } = await planned(place, 'stuck', [estate.gitDir('acme/lib'), `http://127.0.0.1:${at}/gone.git`]);
  const workflowId = `workspace/desk${root}`;

  const applying = place.as('bob', 'workspace', 'apply', plan, '--root', root);
  await place.as('ada', 'approve', await openGate(place, root), '--why', 'yes');
  await vi.waitFor(() => expect([existsSync(join(root, 'lib')), waiting.length > 0]).toEqual([true, true]), {
    timeout: 60_000,
    interval: 50,
  });
  const mine = join(root, 'lib', 'mine');
  writeFileSync(mine, 'mine\n');
  isGone = true;
  waiting.forEach(refuse);

  await vi.waitFor(
    async () => expect((await eventsOf(place, root)).map(([type]) => type)).toContain('workspace.failed'),
    { timeout: 60_000, interval: 200 },
  );
  expect(await place.as('ada', 'repair', workflowId)).toMatchObject({
    exitCode: 1,
    stdout: expect.stringContaining(
      `${root}/lib stays where it is: it has changes or files that are not committed.`,
    ) as string,
  });
  expect(existsSync(mine)).toBe(true);
  // another plan has to wait
  const other = await place.as('bob', 'workspace', 'apply', plan, '--root', root);
  expect(other).toMatchObject({ stderr: expect.stringContaining('Another run works on') as string });

  rmSync(mine);
  expect(await place.as('ada', 'repair', workflowId)).toMatchObject({ exitCode: 0 });
  expect((await applying).exitCode).not.toBe(0);
  expect(readdirSync(root)).toEqual(['longhaul.workspace.yaml']);
  expect((await eventsOf(place, root)).map(([type]) => type)).toEqual([
    'workspace.planned',
    'workspace.verified',
    'workspace.executing',
    'workspace.failed',
    // of the other start
    'start.refused',
    'workspace.rolled_back',
    'workspace.refused',
  ]);
});
