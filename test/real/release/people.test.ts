import { randomBytes } from 'node:crypto';
import { createServer } from 'node:net';
import { pino } from 'pino';
import { describe, expect, vi } from 'vitest';
import { openLedger } from '../../../activities/ledger/open-ledger.ts';
import { loadConfig } from '../../../activities/shared/config.ts';
import { createKey } from '../../../client/gateway/api-key.ts';
import { createGatewayMetrics } from '../../../client/gateway/metrics.ts';
import { createGateway } from '../../../client/gateway/server.ts';
import { directoryOf } from '../../../domain/config/people.schema.ts';
import { type Ended, longhaul } from '../../support/command.ts';
import { rowsOf } from '../../support/ledger.ts';
import { type Release, releaseTest, REPOSITORY } from '../../support/release/releases.ts';
import { commit, generation, prove, tagsOf, write } from '../../support/release/work.ts';
import { git } from '../../support/scratch-git.ts';

const KEYS = { ada: createKey(), bob: createKey(), cyd: createKey() };
const SERVICE = createKey();
const ADDRESS = `127.0.0.1:${await freePort()}`;
const people = (['ada', 'bob', 'cyd'] as const).map((name) => {
  const { id, hash } = KEYS[name];
  return { name, emails: [`${name}@example.com`], key: { id, hash } };
});

interface Place extends Release {
  /** Runs the command line as a person of the configuration, whose user at the system has another name. */
  as(person: keyof typeof KEYS | null, user: string, ...args: string[]): Promise<Ended>;
}

const test = releaseTest({
  people,
  groups: { managers: ['ada', 'bob'], board: ['ada', 'bob', 'cyd'] },
  // as where another program deploys each tag that begins with v
  release: { pushCandidates: false },
  gateway: {
    address: ADDRESS,
    keys: [{ name: 'ci', id: SERVICE.id, hash: SERVICE.hash, flows: ['promoteGeneration'] }],
  },
}).extend('place', { scope: 'file' }, async ({ release }, { onCleanup }): Promise<Place> => {
  const { env, ledger, client } = release;
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
  const [host = '', port = ''] = ADDRESS.split(':');
  await server.listen({ host, port: Number(port) });
  onCleanup(async () => {
    await server.close();
    await decisions.destroy();
  });
  return {
    ...release,
    as: (person, user, ...args) =>
      longhaul({ ...env, USER: user, ...(person === null ? {} : { LONGHAUL_PERSON_KEY: KEYS[person].key }) }, args),
  };
});

async function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}

/** Makes a generation whose change is proven, and whose promotion asks one of the managers, or others. */
async function ready(release: Release, version: string, asked = '{needed: 1, from: [managers]}'): Promise<void> {
  const { clone } = release;
  write(clone, {
    [`.gryt/generations/${version}.yaml`]: generation(version, ['FEAT-1']),
    '.gryt/pipelines/full-ci.yaml': "name: full-ci\nsteps: [{name: unit, command: 'true'}]\n",
    '.gryt/policy.yaml': `promotion:\n  approvals: ${asked}\n`,
  });
  commit(clone, 'chore: contracts');
  await prove(release, version, 'FEAT-1', { [`${version}.txt`]: '' });
  git(clone, 'push', '--quiet', 'origin', 'HEAD:main');
}

async function openGate({ ledger }: Release): Promise<{ gate_id: string; requested_by: string }> {
  return vi.waitFor(
    async () => {
      const [gate] = await ledger.sql<{ gate_id: string; requested_by: string }>(
        "SELECT gate_id, requested_by FROM gates WHERE status = 'open'",
      );
      if (gate === undefined) throw new Error('no gate is open');
      return gate;
    },
    { timeout: 60_000, interval: 100 },
  );
}

/** Starts a promotion as the program `temporal` does: with any input, and past the gateway. */
function startRaw({ client }: Release, version: string, more: object): Promise<{ result(): Promise<unknown> }> {
  return client.workflow.start('promoteGeneration', {
    taskQueue: 'longhaul-flows',
    workflowId: `generation/${REPOSITORY}/${version}`,
    args: [{ repository: REPOSITORY, version, by: 'bob', ...more }],
  });
}

describe('where people are configured', () => {
  test('the person whom the gateway authenticated asks, whatever the user is called, and cannot approve it', async ({
    place,
  }) => {
    await ready(place, 'v1.0.0');
    const running = place.as('ada', 'bob', 'generation', 'promote', 'v1.0.0');
    const gate = await openGate(place);
    expect(gate.requested_by).toBe('ada');
    const own = await place.as('ada', 'bob', 'approve', gate.gate_id, '--why', 'it is mine');
    expect(own.exitCode).toBe(9);
    expect(own.stderr).toContain('ada may not decide the gate');
    expect((await place.as('bob', 'ada', 'approve', gate.gate_id, '--why', 'looked at it')).exitCode).toBe(0);
    expect((await running).exitCode).toBe(0);
    expect(tagsOf(place.remote)).toContain('v1.0.0');
    place.replayed(`generation/${REPOSITORY}/v1.0.0`);
    const events = await place.ledger.sql(
      `SELECT event_type, actor, authenticated_by FROM audit_events WHERE workflow_id = $1
       AND event_type IN ('gate.opened', 'gate.refusal', 'gate.approval', 'generation.promoted', 'generation.published')
       ORDER BY event_id`,
      [`generation/${REPOSITORY}/v1.0.0`],
    );
    expect(events).toEqual([
      { event_type: 'gate.opened', actor: 'ada', authenticated_by: 'api-key' },
      { event_type: 'gate.refusal', actor: 'ada', authenticated_by: 'api-key' },
      { event_type: 'gate.approval', actor: 'bob', authenticated_by: 'api-key' },
      { event_type: 'generation.promoted', actor: 'ada', authenticated_by: 'api-key' },
      { event_type: 'generation.published', actor: 'ada', authenticated_by: 'api-key' },
    ]);
  });

  test('children of the run are of the same person', async ({ place }) => {
    const { clone, ledger, as } = place;
    write(clone, { '.gryt/generations/v1.1.0.yaml': generation('v1.1.0', ['FEAT-1']) });
    commit(clone, 'feat: more [FEAT-1]');
    const proved = await as('ada', 'eve', 'evolution', 'start', 'v1.1.0', '--change', 'FEAT-1', '--commit', 'HEAD');
    expect(proved.exitCode).toBe(0);
    const events = await ledger.sql<{ event_type: string }>(
      `SELECT event_type, actor, authenticated_by FROM audit_events WHERE resource_id = 'v1.1.0-rc.1'
       OR event_type = 'pipeline.passed' ORDER BY event_id DESC LIMIT 3`,
    );
    const by = { actor: 'ada', authenticated_by: 'api-key' };
    expect(events).toEqual([
      { event_type: 'evolution.passed', ...by },
      { event_type: 'pipeline.passed', ...by },
      { event_type: 'evolution.started', ...by },
    ]);
  });

  test('a flow without a request, or with one that was never recorded, asks no person', async ({ place }) => {
    const { ledger } = place;
    await ready(place, 'v1.2.0');
    for (const [more, message] of [
      [{}, 'it was started under the name bob'],
      [{ requestId: 'a'.repeat(32) }, 'has recorded no request'],
    ] as const) {
      await expect((await startRaw(place, 'v1.2.0', more)).result()).rejects.toMatchObject({
        cause: { cause: { type: 'RequestUnproved', message: expect.stringContaining(message) as string } },
      });
    }
    expect(await ledger.sql("SELECT FROM gates WHERE subject LIKE 'v1.2.0%'")).toEqual([]);
    const [event] = await ledger.sql(
      `SELECT event_type, resource_id, actor, authenticated_by, details_json ->> 'reason' AS reason
       FROM audit_events ORDER BY event_id DESC LIMIT 1`,
    );
    expect(event).toEqual({
      event_type: 'generation.refused',
      resource_id: 'v1.2.0',
      actor: 'bob',
      authenticated_by: 'unauthenticated',
      reason: 'RequestUnproved',
    });
  });

  test('the request of another run, of another input, or of a service proves no person', async ({ place }) => {
    const { ledger, client } = place;
    // that of the promotion of v1.0.0 was used
    const [used] = await ledger.sql<{ request_id: string }>(
      'SELECT request_id FROM flow_requests WHERE root_run_id IS NOT NULL ORDER BY requested_at LIMIT 1',
    );
    await expect((await startRaw(place, 'v1.2.0', { requestId: used?.request_id })).result()).rejects.toMatchObject({
      cause: { cause: { message: expect.stringContaining('another run') as string } },
    });
    // a request for something else, which was not used
    const id = randomBytes(16).toString('hex');
    await rowsOf(
      ledger.logins.gates,
      `INSERT INTO flow_requests (request_id, digest, person, is_person, authenticated_by)
       VALUES ($1, 'of another input', 'ada', true, 'api-key')`,
      [id],
    );
    await expect((await startRaw(place, 'v1.2.0', { requestId: id })).result()).rejects.toMatchObject({
      cause: { cause: { message: expect.stringContaining('asks for something else') as string } },
    });
    const answer = await fetch(`http://${ADDRESS}/v1/flows/promoteGeneration`, {
      method: 'POST',
      headers: { authorization: `Bearer ${SERVICE.key}`, 'content-type': 'application/json' },
      body: JSON.stringify({ repository: REPOSITORY, version: 'v1.2.0', by: 'ada' }),
    });
    expect(answer.status).toBe(202);
    const { workflowId, runId } = (await answer.json()) as { workflowId: string; runId: string };
    await expect(client.workflow.getHandle(workflowId, runId).result()).rejects.toMatchObject({
      cause: { cause: { message: expect.stringContaining('the service ci: ada started it') as string } },
    });
    const [event] = await ledger.sql('SELECT actor, authenticated_by FROM audit_events ORDER BY event_id DESC LIMIT 1');
    expect(event).toEqual({ actor: 'ci: ada', authenticated_by: 'api-key' });
  });

  test('a person without a key is told what to do, and the login of workers cannot write requests', async ({
    place,
  }) => {
    const refused = await place.as(null, 'eve', 'generation', 'promote', 'v1.2.0');
    expect(refused.exitCode).toBe(9);
    expect(refused.stderr).toContain('it was started under the name eve');
    expect(refused.stderr).toContain('LONGHAUL_PERSON_KEY');
    const forge = (what: string) => rowsOf(place.ledger.logins.writer, what);
    await expect(
      forge(`INSERT INTO flow_requests (request_id, digest, person, is_person, authenticated_by)
             VALUES ('${'b'.repeat(32)}', '', 'ada', true, 'api-key')`),
    ).rejects.toThrow('permission denied');
    await expect(forge("UPDATE flow_requests SET person = 'bob'")).rejects.toThrow('permission denied');
  });

  test('two of three must approve: the one who asks never counts, each person counts once, and a revoked approval does not', async ({
    place,
  }) => {
    const { as, ledger, remote } = place;
    await ready(place, 'v1.3.0', '{needed: 2, from: [board]}');
    const running = as('ada', 'ada', 'generation', 'promote', 'v1.3.0');
    const { gate_id: gate } = await openGate(place);
    const decide = async (person: keyof typeof KEYS, what: string, code = 0): Promise<void> => {
      const decided = await as(person, person, what, gate, '--why', `${what} by ${person}`);
      expect([person, what, decided.exitCode, decided.stderr]).toEqual([person, what, code, expect.any(String)]);
    };
    await decide('ada', 'approve', 9);
    await decide('bob', 'approve');
    await decide('bob', 'approve');
    await decide('bob', 'revoke');
    await decide('cyd', 'approve');
    expect(await ledger.sql('SELECT status FROM gates WHERE gate_id = $1', [gate])).toEqual([{ status: 'open' }]);
    expect(tagsOf(remote)).not.toContain('v1.3.0');
    await decide('bob', 'approve');
    const done = await running;
    expect(done.exitCode).toBe(0);
    expect(tagsOf(remote)).toContain('v1.3.0');
    const [promoted] = await ledger.sql<{ people: string[] }>(
      `SELECT details_json -> 'approvedBy' AS people FROM audit_events
       WHERE event_type = 'generation.promoted' AND resource_id = 'v1.3.0'`,
    );
    expect(promoted?.people.toSorted()).toEqual(['bob: approve by bob', 'cyd: approve by cyd']);
  });

  test('further people may approve after a time, as the policy says, which also says what the deadline decides', async ({
    place,
  }) => {
    const { as, ledger, remote } = place;
    const asked =
      '{from: [managers], deadline: 2d, at_deadline: approve, reminder: 1h, escalation: {after: 1s, to: [cyd]}}';
    await ready(place, 'v1.4.0', asked);
    const running = as('ada', 'ada', 'generation', 'promote', 'v1.4.0');
    const { gate_id: gate } = await openGate(place);
    await vi.waitFor(
      async () => expect((await as('cyd', 'cyd', 'approve', gate, '--why', 'the managers are away')).exitCode).toBe(0),
      { timeout: 120_000, interval: 500 },
    );
    expect((await running).exitCode).toBe(0);
    expect(tagsOf(remote)).toContain('v1.4.0');
    const hours = 'extract(epoch FROM deadline - requested_at)::int / 3600';
    expect(await ledger.sql(`SELECT at_deadline, ${hours} AS hours FROM gates WHERE gate_id = $1`, [gate])).toEqual([
      { at_deadline: 'approved', hours: 48 },
    ]);
  });

  test('a reason to promote during a freeze is decided by another person than the one who gave it', async ({
    place,
  }) => {
    const { as, clone, ledger, remote } = place;
    await ready(place, 'v1.5.0');
    write(clone, {
      '.gryt/policy.yaml':
        'promotion:\n  freeze: [{name: always, from: 2020-01-01T00:00, until: 2100-01-01T00:00, time_zone: UTC}]\n',
    });
    commit(clone, 'chore: no approvals, but a freeze');
    git(clone, 'push', '--quiet', 'origin', 'HEAD:main');
    const promote = () => as('ada', 'ada', 'generation', 'promote', 'v1.5.0', '--override-freeze', 'a leak');
    for (const verdict of ['reject', 'approve']) {
      const running = promote();
      const { gate_id: gate } = await openGate(place);
      const shown = await as('bob', 'bob', 'inbox');
      expect(shown.stdout).toContain('The freeze "always" lasts until 2100-01-01T00:00Z.');
      expect(shown.stdout).toContain('because: a leak');
      expect((await as('ada', 'ada', 'approve', gate, '--why', 'it is mine')).exitCode).toBe(9);
      expect(tagsOf(remote)).not.toContain('v1.5.0');
      expect((await as('bob', 'bob', verdict, gate, '--why', 'I know the leak')).exitCode).toBe(0);
      const ended = await running;
      expect(ended.exitCode).toBe(verdict === 'reject' ? 9 : 0);
      if (verdict === 'reject') {
        expect(ended.stdout).toContain('The promotion during a freeze was rejected: bob: I know the leak.');
      }
    }
    const [promoted] = await ledger.sql(
      `SELECT why, details_json -> 'overriddenBy' AS people, details_json -> 'approval' AS approval FROM audit_events
       WHERE event_type = 'generation.promoted' AND resource_id = 'v1.5.0'`,
    );
    expect(promoted).toEqual({ why: 'a leak', people: ['bob: I know the leak'], approval: null });
    const kinds = await ledger.sql("SELECT kind, status FROM gates WHERE subject LIKE 'v1.5.0%' ORDER BY requested_at");
    expect(kinds).toEqual([
      { kind: 'freeze', status: 'rejected' },
      { kind: 'freeze', status: 'approved' },
    ]);
  });

  test('an approval by the deadline, which no person gave, is marked', async ({ place }) => {
    const { as, ledger } = place;
    await ready(place, 'v1.6.0', '{from: [managers], deadline: 1s, at_deadline: approve}');
    const mark = 'Approval: by the deadline, too few people had approved';
    const done = await as('ada', 'ada', 'generation', 'promote', 'v1.6.0');
    expect(done.exitCode).toBe(0);
    expect(done.stdout).toContain(mark);
    for (const command of ['show', 'status']) {
      expect((await as('ada', 'ada', 'generation', command, 'v1.6.0')).stdout).toContain(mark);
    }
    const [promoted] = await ledger.sql(
      `SELECT details_json ->> 'approval' AS approval, details_json -> 'approvedBy' AS people FROM audit_events
       WHERE event_type = 'generation.promoted' AND resource_id = 'v1.6.0'`,
    );
    expect(promoted).toEqual({ approval: 'deadline', people: [] });
  });

  test('a train holds until a person asks for the approvals, and goes on by itself', async ({ place }) => {
    const { as, client, clone, ledger, remote, replayed } = place;
    await ready(place, 'v1.7.0');
    const policy = 'train: {day: friday, time: "09:00"}\npromotion: {approvals: {from: [managers]}}\n';
    write(clone, { '.gryt/policy.yaml': policy });
    commit(clone, 'chore: a train');
    git(clone, 'push', '--quiet', 'origin', 'HEAD:main');
    expect((await as('ada', 'bob', 'train', 'start')).exitCode).toBe(0);
    expect(
      await ledger.sql("SELECT actor, authenticated_by FROM audit_events WHERE event_type = 'train.started'"),
    ).toEqual([{ actor: 'ada', authenticated_by: 'api-key' }]);
    const workflowId = `train/${REPOSITORY}`;
    // its departure was a week ago
    const after = new Date(Date.now() - 8 * 86_400_000).toISOString();
    const train = await client.workflow.start('runTrain', {
      taskQueue: 'longhaul-flows',
      workflowId,
      args: [{ repository: REPOSITORY, after }],
    });
    await vi.waitFor(
      async () => {
        const { lines } = await train.query<{ lines: readonly string[] }>('progress');
        expect(lines).toContain('a person to ask for the approvals: longhaul generation promote v1.7.0');
      },
      { timeout: 60_000, interval: 200 },
    );
    expect(await ledger.sql("SELECT FROM gates WHERE status = 'open'")).toEqual([]);
    const running = as('ada', 'bob', 'generation', 'promote', 'v1.7.0');
    const { gate_id: gate } = await openGate(place);
    expect((await as('bob', 'ada', 'approve', gate, '--why', 'looked at it')).exitCode).toBe(0);
    expect((await running).exitCode).toBe(0);
    expect(await train.result()).toMatchObject({ outcome: 'departed', version: 'v1.7.0' });
    expect(tagsOf(remote)).toContain('v1.7.0');
    expect((await as('ada', 'bob', 'train', 'stop')).exitCode).toBe(0);
    replayed(workflowId);
  });

  test('candidates are not pushed when the configuration says so, and their evolutions are proven', async ({
    place: { ledger, remote },
  }) => {
    const passed = await ledger.sql("SELECT tag FROM evolutions WHERE status = 'pass' AND proof IS NOT NULL");
    expect(passed.length).toBeGreaterThan(0);
    expect(tagsOf(remote).filter((tag) => tag.includes('-rc.'))).toEqual([]);
  });
});
