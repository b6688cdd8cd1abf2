import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { FastifyInstance } from 'fastify';
import { pino } from 'pino';
import { describe, expect, inject } from 'vitest';
import { createKey } from '../../../client/gateway/api-key.ts';
import { createGatewayMetrics } from '../../../client/gateway/metrics.ts';
import { createGateway } from '../../../client/gateway/server.ts';
import { type Config, configSchema } from '../../../domain/config/config.schema.ts';
import { type Ended, longhaul } from '../../support/command.ts';
import { type Gates, gatesTest, PEOPLE, QUESTION } from '../../support/gates/gates.ts';
import { type OpenIdPlace, startOpenId } from '../../support/gates/openid.ts';
import { Visitor } from '../../support/gates/visitor.ts';

const KEYS = Object.fromEntries(PEOPLE.people.map(({ name }) => [name, createKey()]));

/** The people with their keys, and subjects at the provider. */
const people = PEOPLE.people.map(({ name, emails }) => {
  const { id = '', hash = '' } = KEYS[name] ?? {};
  return { name, emails: [...emails], key: { id, hash }, oidc: `subject of ${name}` };
});

interface Desk {
  readonly gates: Gates;
  readonly url: string;
  readonly server: FastifyInstance;
  readonly openId: OpenIdPlace;
  /** Runs the command line as a person; without a key for null. */
  as(person: string | null, ...args: string[]): Promise<Ended>;
  /** Sends a request with the key of a person. */
  ask(person: string, path: string, body?: object): Promise<{ readonly status: number; readonly body: unknown }>;
  readonly log: () => string;
}

const test = gatesTest(PEOPLE).extend('desk', { scope: 'file' }, async ({ gates }, { onCleanup }): Promise<Desk> => {
  const free = await freePort();
  const url = `http://127.0.0.1:${free}`;
  const openId = await startOpenId(`${url}/sign-in/callback`);
  const gateway = {
    url,
    address: `127.0.0.1:${free}`,
    oidc: { issuer: openId.issuer, clientId: openId.clientId, clientSecretEnv: 'OPENID_SECRET' },
  };
  const given = { people, groups: PEOPLE.groups, gateway };
  const config: Config = configSchema.parse(given);
  let log = '';
  const logger = pino({}, { write: (line: string) => void (log += line) });
  const server = await createGateway({
    config,
    env: { OPENID_SECRET: openId.clientSecret, USER: 'owner' },
    client: gates.client,
    logger,
    metrics: createGatewayMetrics(),
    desk: { ledger: gates.decisions, client: gates.client, directory: PEOPLE, url: gates.ledger.logins.gates },
  });
  await server.listen({ host: '127.0.0.1', port: free });
  const folder = mkdtempSync(join(tmpdir(), 'longhaul-desk-'));
  const file = join(folder, 'longhaul.yaml');
  writeFileSync(file, JSON.stringify(given));
  onCleanup(async () => {
    await server.close();
    await openId.close();
    rmSync(folder, { recursive: true, force: true });
  });
  return {
    gates,
    url,
    server,
    openId,
    log: () => log,
    as: (person, ...args) =>
      longhaul(
        {
          ...commandPlaces(gates, file, folder),
          ...(person === null ? {} : { LONGHAUL_PERSON_KEY: KEYS[person]?.key ?? person }),
        },
        args,
      ),
    async ask(person, path, body) {
      const answer = await fetch(`${url}${path}`, {
        method: body === undefined ? 'GET' : 'POST',
        headers: {
          authorization: `Bearer ${KEYS[person]?.key ?? person}`,
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      return { status: answer.status, body: await answer.json() };
    },
  };
});

function commandPlaces(gates: Gates, config: string, folder: string): Record<string, string> {
  return {
    HOME: folder,
    USER: 'tester',
    PATH: process.env['PATH'] ?? '',
    LONGHAUL_CONFIG: config,
    LONGHAUL_DATA_DIR: folder,
    TEMPORAL_ADDRESS: inject('stack').temporalAddress,
    TEMPORAL_NAMESPACE: gates.client.options.namespace,
    DATABASE_URL: gates.ledger.logins.owner,
  };
}

async function freePort(): Promise<number> {
  const { createServer } = await import('node:net');
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}

describe('people at the command line', () => {
  test('see the gate, decide it by their keys, and the flow goes on', async ({ desk }) => {
    const flow = await desk.gates.ask({ evidence: ['3 changes, all proven'] });
    const gate = await flow.gate();
    const inbox = await desk.as('ada', 'inbox');
    expect(inbox.stdout).toContain(`${gate}  promotion of v1.5.0 of local/acme/api\n  asked by cyd on `);
    expect(inbox.stdout).toContain('  approvals: 0 of 2; may decide: managers\n');
    expect(inbox.stdout).toContain('  - 3 changes, all proven\n');
    // without a key it is read from the ledger
    const [listed] = JSON.parse((await desk.as(null, 'inbox', '--json')).stdout) as { id: string }[];
    expect(listed).toMatchObject({ id: gate, have: 0, needed: 2, authenticated: true });

    expect(await desk.as('ada', 'approve', gate, '--why', 'looks good')).toMatchObject({
      exitCode: 0,
      stdout: `Approved ${gate} by ada: promotion of v1.5.0 of local/acme/api.\nApprovals: 1 of 2.\n`,
    });
    expect((await desk.as('ada', 'approve', gate, '--why', 'again')).stdout).toContain(
      `Before: Approved ${gate} by ada`,
    );
    expect((await desk.as('ada', 'revoke', gate, '--why', 'wait')).stdout).toContain('Approvals: 0 of 2.');
    const delegated = await desk.as(
      'ada',
      'delegate',
      'EVE',
      '--until',
      new Date(Date.now() + 3_600_000).toISOString(),
    );
    expect(delegated.stdout).toMatch(/^eve may decide in the place of ada until /);
    expect((await desk.as('eve', 'approve', gate, '--why', 'for ada')).stdout).toContain(
      `Approved ${gate} by eve on behalf of ada`,
    );
    expect((await desk.as('bob', 'approve', gate, '--why', 'fine')).stdout).toContain('Approvals: 2 of 2.');
    expect(await flow.handle.result()).toMatchObject({
      status: 'approved',
      authenticated: true,
      decisions: [
        { person: 'bob', authenticatedBy: 'api-key' },
        { person: 'eve', onBehalfOf: 'ada' },
      ],
    });
    const who = await desk.gates.ledger.sql(
      `SELECT person, on_behalf_of, verdict, authenticated_by FROM gate_decisions WHERE gate_id = $1 ORDER BY sequence`,
      [gate],
    );
    expect(who).toEqual([
      { person: 'ada', on_behalf_of: null, verdict: 'approve', authenticated_by: 'api-key' },
      { person: 'ada', on_behalf_of: null, verdict: 'revoke', authenticated_by: 'api-key' },
      { person: 'eve', on_behalf_of: 'ada', verdict: 'approve', authenticated_by: 'api-key' },
      { person: 'bob', on_behalf_of: null, verdict: 'approve', authenticated_by: 'api-key' },
    ]);
  });

  test('get a sentence and an exit code for each refusal', async ({ desk }) => {
    const flow = await desk.gates.ask({ approvals: { needed: 1, from: ['managers'] } });
    const gate = await flow.gate();
    const why = ['--why', 'because'];
    const past = new Date(Date.now() - 1_000).toISOString();
    await desk.as('bob', 'delegate', 'dan', '--until', past);
    const refusals: readonly (readonly [
      who: string | null,
      args: readonly string[],
      exitCode: number,
      text: string,
    ])[] = [
      ['ada', ['approve', 'gate-0', ...why], 6, 'There is no gate gate-0.'],
      ['dan', ['approve', gate, ...why], 9, `The delegation by which dan could decide the gate ${gate} has ended.`],
      ['eve', ['approve', gate, ...why, '--for', 'bob'], 9, `eve is not an approver of the gate ${gate}.`],
      ['cyd', ['approve', gate, ...why], 9, `cyd may not decide the gate ${gate}: it is the own request`],
      ['ada', ['approve', gate, ...why, '--digest', 'd0'], 1, `The gate ${gate} is about something else now`],
      ['ada', ['revoke', gate, ...why], 2, `ada has not approved the gate ${gate}, so there is nothing to revoke.`],
      ['ada', ['approve', gate, '--why', ' '], 2, 'why: say why'],
      ['ada', ['delegate', 'mallory', '--until', past], 2, 'longhaul.yaml has no person "mallory".'],
      ['ada', ['delegate', 'ada', '--until', past], 2, 'You decide for yourself already.'],
      ['ada', ['delegate', 'bob', '--until', 'soon'], 2, '"soon" is no time'],
      ['ada', ['delegate', 'bob', '--until', '9999-01-01'], 2, 'A delegation ends within a year'],
      [null, ['approve', gate, ...why], 5, 'People are configured, and LONGHAUL_PERSON_KEY is not set'],
      ['lh_000000000000_forged', ['approve', gate, ...why], 5, 'The API key of a person is missing or wrong'],
    ];
    for (const [who, args, exitCode, text] of refusals) {
      const ended = await desk.as(who, ...args);
      expect(ended, args.join(' ')).toMatchObject({ exitCode, stderr: expect.stringContaining(text) });
    }
    const events = await desk.gates.ledger.sql<{ reason: string }>(
      `SELECT details_json ->> 'reason' AS reason FROM audit_events WHERE resource_id IN ($1, 'gate-0')
       AND status = 'refused' ORDER BY event_id`,
      [gate],
    );
    expect(events.map(({ reason }) => reason)).toEqual([
      'DelegationExpired',
      'NotAnApprover',
      'OwnRequest',
      'GateChanged',
      'InvalidInput',
    ]);
    const delegations = await desk.gates.ledger.sql(
      `SELECT resource_id, actor, authenticated_by, details_json ->> 'delegate' AS delegate,
         details_json ->> 'reason' AS reason
       FROM audit_events WHERE event_type = 'gate.refusal' AND action = 'delegate' ORDER BY event_id`,
    );
    const byAda = { resource_id: 'ada', actor: 'ada', authenticated_by: 'api-key', reason: 'InvalidInput' };
    expect(delegations).toEqual(['mallory', 'ada', 'bob', 'bob'].map((delegate) => ({ ...byAda, delegate })));
    await desk.as('bob', 'reject', gate, '--why', 'no');
    await flow.handle.result();
    expect(await desk.as('ada', 'approve', gate, '--why', 'late')).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining(`The gate ${gate} is closed: rejected by rejection.`),
    });
  });

  test('a new key is shown once; longhaul.yaml gets its digest', async ({ desk }) => {
    const made = await desk.as(null, 'person', 'key', 'zoe');
    expect(made.stdout).toMatch(/^lh_[0-9a-f]{12}_[\w-]{43}\n$/);
    expect(made.stderr).toMatch(/key: \{ id: [0-9a-f]{12}, hash: "sha256:[0-9a-f]{64}" \}/);
    expect(made.stderr).not.toContain(made.stdout.trim().slice(-43));
    expect((await desk.as(null, 'person', 'key', 'zoё')).exitCode).toBe(2);
  });
});

const laptop = gatesTest(null);

laptop('without people, any one answer counts, and is marked wherever it is shown', async ({ gates }) => {
  const folder = mkdtempSync(join(tmpdir(), 'longhaul-laptop-'));
  const file = join(folder, 'longhaul.yaml');
  writeFileSync(file, '{}');
  const run = (...args: string[]): Promise<Ended> => longhaul(commandPlaces(gates, file, folder), args);
  try {
    const flow = await gates.ask({ requestedBy: 'tester' });
    const gate = await flow.gate();
    const marked = 'approvals: 0 of 1, unauthenticated: no people are configured';
    expect((await run('inbox')).stdout).toContain(marked);
    expect((await run('delegate', 'bob', '--until', '2027-01-01')).stderr).toContain('No people are configured');
    const approved = await run('approve', gate, '--why', 'it is my laptop');
    expect(approved.stdout).toBe(
      `Approved ${gate} by tester (unauthenticated): promotion of v1.5.0 of local/acme/api.\n` +
        'Approvals: 1 of 1, unauthenticated: no people are configured.\n',
    );
    expect(await flow.handle.result()).toMatchObject({
      status: 'approved',
      authenticated: false,
      decisions: [{ person: 'tester', authenticatedBy: 'unauthenticated' }],
    });
    expect((await run('inbox')).stdout).toBe('No open gates.\n');
    const events = await gates.ledger.sql(
      `SELECT event_type, authenticated_by FROM audit_events WHERE resource_id = $1 ORDER BY event_id`,
      [gate],
    );
    expect(events).toEqual([
      { event_type: 'gate.opened', authenticated_by: 'unauthenticated' },
      { event_type: 'gate.approval', authenticated_by: 'unauthenticated' },
      { event_type: 'gate.approved', authenticated_by: 'unauthenticated' },
    ]);
    const verified = await run('audit', 'verify');
    expect(verified.exitCode).toBe(0);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

describe('attacks on the gateway', () => {
  const decision = { verdict: 'approve', why: 'because', digest: QUESTION.digest };

  test('a forged key, and the key of a service, are refused', async ({ desk }) => {
    const flow = await desk.gates.ask({ approvals: { needed: 1, from: ['managers'] } });
    const path = `/v1/gates/${await flow.gate()}/decisions`;
    const { id = '' } = KEYS['ada'] ?? {};
    for (const key of [createKey().key, `lh_${id}_${createKey().key.slice(-43)}`, `lh_${id}_`, 'lh_ada', '']) {
      expect(await desk.ask(key, path, decision)).toMatchObject({ status: 401 });
    }
    expect((await fetch(`${desk.url}/v1/gates`)).status).toBe(401);
    // nor is a person taken for a service
    expect(await desk.ask('ada', '/v1/runs/any')).toMatchObject({ status: 401 });
    // a name in the body is not part of the API
    expect(await desk.ask('eve', path, { ...decision, person: 'ada', by: 'ada' })).toMatchObject({ status: 422 });
    expect(await desk.gates.ledger.sql('SELECT FROM gate_decisions WHERE gate_id = $1', [await flow.gate()])).toEqual(
      [],
    );
    await flow.decide({ person: 'ada' });
    await flow.handle.result();
    expect(desk.log()).not.toContain(KEYS['ada']?.key.slice(-43));
    // those of other tests in the same minute are of the same kind
    await expect
      .poll(() => refusedRequests(desk))
      .toContainEqual(
        expect.objectContaining({
          status: 'refused',
          actor: 'unknown',
          authenticated_by: 'unauthenticated',
          reason: 'AuthenticationFailed',
          remotes: ['127.0.0.1'],
        }),
      );
  });

  test('a session is of one host and one browser, and a form is sent once', async ({ desk }) => {
    const { url, openId } = desk;
    const flow = await desk.gates.ask();
    const path = `${url}/v1/gates/${await flow.gate()}/decisions`;
    const visitor = new Visitor();
    await signIn(desk, visitor, 'subject of ada');
    const cookie = visitor.cookiesOf(url);
    expect(cookie).toMatch(/^longhaul=[\w-]{43}$/);
    const post = (body: object, headers: Record<string, string> = { cookie }): Promise<Response> =>
      fetch(path, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...headers },
        body: JSON.stringify(body),
      });
    // a session alone changes nothing: another site could have sent the request
    expect((await post(decision)).status).toBe(403);
    const token = await tokenOf(desk, cookie);
    const foreign = new Visitor();
    await signIn(desk, foreign, 'subject of bob');
    expect((await post({ ...decision, formToken: token }, { cookie: foreign.cookiesOf(url) })).status).toBe(403);
    expect((await post({ ...decision, formToken: 'forged' })).status).toBe(403);
    expect((await post({ ...decision, formToken: token })).status).toBe(201);
    expect((await post({ ...decision, verdict: 'revoke', formToken: token })).status).toBe(403);
    expect((await fetch(`${url}/v1/gates`, { headers: { cookie } })).status).toBe(200);
    // the same cookie under another name of this machine, and under one that another site gave this address
    for (const host of [`localhost:${new URL(url).port}`, 'attacker.example', '']) {
      const injected = await desk.server.inject({ method: 'GET', url: '/v1/gates', headers: { cookie, host } });
      expect(injected.statusCode, host).toBe(401);
    }
    // a cookie that a person brings from elsewhere is not a session (fixation), and a signed-out one is none any more
    expect((await fetch(`${url}/v1/gates`, { headers: { cookie: `longhaul=${'a'.repeat(43)}` } })).status).toBe(401);
    const out = await fetch(`${url}/sign-out`, {
      method: 'POST',
      headers: { cookie, 'content-type': 'application/json' },
      body: JSON.stringify({ formToken: await tokenOf(desk, cookie) }),
    });
    expect(out.status).toBe(204);
    expect((await fetch(`${url}/v1/gates`, { headers: { cookie } })).status).toBe(401);
    await flow.handle.cancel();
    expect(openId.issuer).not.toBe(url);
    await expect
      .poll(() => refusedRequests(desk))
      .toContainEqual({
        status: 'refused',
        actor: 'ada',
        authenticated_by: 'oidc',
        resource_id: 'POST /v1/gates/:id/decisions',
        reason: 'Forbidden',
        requests: 1,
        remotes: ['127.0.0.1'],
      });
  });

  test('a sign-in of another browser, a replayed one, a subject that is unknown, and an address of another site', async ({
    desk,
  }) => {
    const { url, openId } = desk;
    const victim = new Visitor();
    const attacker = new Visitor();
    // the attacker begins, and lets the victim finish: the victim would act in the attacker's name
    const began = await attacker.send(`${url}/sign-in?to=/inbox`);
    const back = await openId.signIn(attacker, began.headers.get('location') ?? '', 'subject of eve');
    expect((await victim.send(back)).status).toBe(403);
    expect(victim.cookiesOf(url)).toBe('');
    // the state was used, so it ends for the attacker, too
    expect((await attacker.send(back)).status).toBe(403);

    const stranger = new Visitor();
    const refused = await signIn(desk, stranger, 'subject of mallory');
    expect(refused.status).toBe(403);
    expect(await refused.json()).toMatchObject({ error: { message: expect.stringContaining('no person') } });
    expect(stranger.cookiesOf(url)).toBe('');

    for (const to of ['//evil.example', 'https://evil.example', String.raw`/\evil.example`, 'inbox']) {
      const answer = await signIn(desk, new Visitor(), 'subject of ada', to);
      expect([answer.status, answer.headers.get('location')], to).toEqual([302, '/']);
    }
    const answer = await signIn(desk, new Visitor(), 'subject of ada', '/inbox?gate=1');
    expect(answer.headers.get('location')).toBe('/inbox?gate=1');
    expect(answer.headers.getSetCookie().join()).toMatch(
      /longhaul=[^;]+; Max-Age=43200; Path=\/; HttpOnly; SameSite=Lax/,
    );
  });

  test('of a thousand and one sign-ins that wait for the provider, the first one has to begin again', async ({
    desk,
  }) => {
    const { url, openId, server } = desk;
    const [first, second] = [new Visitor(), new Visitor()];
    const begin = async (visitor: Visitor): Promise<string> =>
      (await visitor.send(`${url}/sign-in?to=/inbox`)).headers.get('location') ?? '';
    const [toFirst, toSecond] = [await begin(first), await begin(second)];
    for (let others = 0; others < 999; others++) {
      expect((await server.inject({ method: 'GET', url: '/sign-in' })).statusCode).toBe(302);
    }
    const late = await first.send(await openId.signIn(first, toFirst, 'subject of ada'));
    expect(late.status).toBe(403);
    expect(await late.json()).toMatchObject({ error: { message: expect.stringContaining('begin again') as string } });
    expect(first.cookiesOf(url)).toBe('');
    const answer = await second.send(await openId.signIn(second, toSecond, 'subject of bob'));
    expect([answer.status, answer.headers.get('location')]).toEqual([302, '/inbox']);
    expect((await signIn(desk, first, 'subject of ada')).status).toBe(302);
    expect(first.cookiesOf(url)).toMatch(/^longhaul=/);
  });
});

/** The events of requests that the gateway itself refused, as the ledger has them. */
function refusedRequests({ gates: { ledger } }: Desk): Promise<object[]> {
  return ledger.sql(
    `SELECT status, actor, authenticated_by, resource_id, details_json ->> 'reason' AS reason,
       (details_json -> 'requests')::int AS requests, details_json -> 'remotes' AS remotes
     FROM audit_events WHERE event_type = 'request.refused' ORDER BY event_id`,
  );
}

test('a gateway that stops has recorded every refused request, in at most two events of a kind', async ({ gates }) => {
  const logger = pino({ level: 'silent' });
  const service = createKey();
  const secret = 'the secret of the webhook';
  const config = configSchema.parse({
    people,
    groups: PEOPLE.groups,
    providers: [{ name: 'work', type: 'github' }],
    gateway: {
      webhooks: [{ provider: 'work', secretEnv: 'WEBHOOK_SECRET' }],
      keys: [{ name: 'ci', id: service.id, hash: service.hash, flows: ['proveChange'] }],
    },
  });
  const env = { USER: 'owner', WEBHOOK_SECRET: secret };
  const desk = { ledger: gates.decisions, client: gates.client, directory: PEOPLE, url: gates.ledger.logins.gates };
  const metrics = createGatewayMetrics();
  const server = await createGateway({ config, env, client: gates.client, logger, metrics, desk });
  const [end] = await gates.ledger.sql<{ last: string }>('SELECT max(event_id) AS last FROM audit_events');
  const json = { 'content-type': 'application/json' };
  for (let sent = 0; sent < 50; sent++) {
    const signature = `sha256=${sent.toString(16).padStart(64, '0')}`;
    await server.inject({
      method: 'POST',
      url: '/webhooks/github',
      headers: { ...json, 'x-hub-signature-256': signature, 'x-github-event': 'push' },
      payload: '{}',
    });
  }
  // a service whose key does not allow it
  const authorization = `Bearer ${service.key}`;
  await server.inject({
    method: 'POST',
    url: '/v1/flows/promoteGeneration',
    headers: { ...json, authorization },
    payload: '{}',
  });
  await server.close();
  const events = await gates.ledger.sql(
    `SELECT actor, authenticated_by, resource_id, details_json ->> 'reason' AS reason,
       (details_json -> 'requests')::int AS requests
     FROM audit_events WHERE event_type = 'request.refused' AND event_id > $1 ORDER BY event_id`,
    [end?.last],
  );
  const stranger = {
    actor: 'unknown',
    authenticated_by: 'unauthenticated',
    resource_id: 'POST /webhooks/github',
    reason: 'AuthenticationFailed',
  };
  expect(events).toEqual([
    { ...stranger, requests: 1 },
    { actor: 'ci', authenticated_by: 'api-key', resource_id: 'POST /v1/flows/:type', reason: 'Forbidden', requests: 1 },
    { ...stranger, requests: 49 },
  ]);
});

/** Signs in, and returns the gateway's answer to the returning browser. */
async function signIn({ url, openId }: Desk, visitor: Visitor, subject: string, to = '/'): Promise<Response> {
  const began = await visitor.send(`${url}/sign-in?to=${encodeURIComponent(to)}`);
  expect(began.status).toBe(302);
  const back = await openId.signIn(visitor, began.headers.get('location') ?? '', subject);
  return visitor.send(back);
}

/** A token for a form of the session of a cookie. */
async function tokenOf({ url }: Desk, cookie: string): Promise<string> {
  const answer = await fetch(`${url}/v1/session`, { headers: { cookie } });
  return ((await answer.json()) as { formToken: string }).formToken;
}
