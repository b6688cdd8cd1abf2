import fastifyCookie from '@fastify/cookie';
import { fastify, type FastifyInstance } from 'fastify';
import { afterEach, describe, expect, test } from 'vitest';
import { createSessions } from '../../../client/gateway/sessions.ts';

const HOUR = 3_600_000;
let server: FastifyInstance | null = null;
afterEach(async () => {
  await server?.close();
  server = null;
});

/** A gateway with nothing but sessions. */
async function gateway(url: string, people: readonly { name: string }[] = [{ name: 'ada' }]) {
  let now = 1_000_000;
  const sessions = createSessions({
    people: people.map(({ name }) => ({ name, emails: [] })),
    url,
    owner: 'owner',
    now: () => now,
  });
  const made = fastify();
  server = made;
  await made.register(fastifyCookie);
  made.setErrorHandler(async (error: { statusCode?: number }, _request, reply) =>
    reply.code(error.statusCode ?? 500).send(),
  );
  made.post('/in', async (request, reply) => {
    sessions.startSession(request, reply, { name: 'ada', authenticatedBy: 'api-key' });
    return { token: sessions.formToken(request) };
  });
  made.get('/visit', async (request, reply) => {
    sessions.visit(request, reply);
    return sessions.personOfRequest(request);
  });
  made.get('/who', async (request) => ({ who: sessions.personOfRequest(request)?.name ?? null }));
  made.get('/token', async (request) => ({ token: sessions.formToken(request) }));
  made.post<{ Querystring: { token: string } }>('/change', async (request) => {
    sessions.checkForm(request, request.query.token);
    return { changed: true };
  });
  const { host } = new URL(url);
  return {
    pass: (ms: number) => void (now += ms),
    async ask(
      method: 'GET' | 'POST',
      path: string,
      { cookie, as = host, more = {} }: { cookie?: string; as?: string; more?: Record<string, string> } = {},
    ) {
      const answer = await made.inject({
        method,
        url: path,
        headers: { host: as, ...more, ...(cookie === undefined ? {} : { cookie }) },
      });
      const [set = ''] = [answer.headers['set-cookie'] ?? []].flat();
      return { status: answer.statusCode, set, cookie: set.split(';')[0] ?? '', body: answer.body };
    },
  };
}

describe('a session', () => {
  test('over TLS has a cookie that browsers keep for this host alone', async () => {
    const { ask } = await gateway('https://longhaul.example.com');
    const { set, cookie } = await ask('POST', '/in');
    expect(set).toMatch(/^__Host-longhaul=[\w-]{43}; Max-Age=43200; Path=\/; HttpOnly; Secure; SameSite=Lax$/);
    expect((await ask('GET', '/who', { cookie })).body).toBe('{"who":"ada"}');
    for (const as of ['other.example.com', 'longhaul.example.com.evil.example', 'localhost', '127.0.0.1:8420']) {
      expect((await ask('GET', '/who', { cookie, as })).body, as).toBe('{"who":null}');
    }
  });

  test('ends after two hours without requests, and after twelve in any case', async () => {
    const { ask, pass } = await gateway('http://127.0.0.1:8420');
    const { cookie } = await ask('POST', '/in');
    for (let hours = 0; hours < 12; hours += 1.5) {
      expect((await ask('GET', '/who', { cookie })).body).toBe('{"who":"ada"}');
      pass(1.5 * HOUR);
    }
    pass(1);
    expect((await ask('GET', '/who', { cookie })).body).toBe('{"who":null}');
    const { cookie: idle } = await ask('POST', '/in');
    pass(2 * HOUR + 1);
    expect((await ask('GET', '/who', { cookie: idle })).body).toBe('{"who":null}');
  });

  test('a new sign-in ends the one before, in the same browser', async () => {
    const { ask } = await gateway('http://127.0.0.1:8420');
    const { cookie } = await ask('POST', '/in');
    const { cookie: next } = await ask('POST', '/in', { cookie });
    expect(next).not.toBe(cookie);
    expect((await ask('GET', '/who', { cookie })).body).toBe('{"who":null}');
    expect((await ask('GET', '/who', { cookie: next })).body).toBe('{"who":"ada"}');
  });

  test('the token of a form is used once, by its own session', async () => {
    const { ask } = await gateway('http://127.0.0.1:8420');
    const first = await ask('POST', '/in');
    const { token } = JSON.parse(first.body) as { token: string };
    const other = await ask('POST', '/in');
    const change = async (cookie: string | undefined, given: string): Promise<number> =>
      (await ask('POST', `/change?token=${given}`, cookie === undefined ? {} : { cookie })).status;
    expect(await change(other.cookie, token)).toBe(403);
    expect(await change(undefined, token)).toBe(403);
    expect(await change(first.cookie, '')).toBe(403);
    expect(await change(first.cookie, token)).toBe(200);
    expect(await change(first.cookie, token)).toBe(403);
    expect((await ask('GET', '/token')).status).toBe(401);
  });
});

describe('an installation without people', () => {
  test('keeps no session for what a page of another site loads, so that real ones do not end', async () => {
    const { ask } = await gateway('http://127.0.0.1:8420', []);
    const from = (site: string, mode: string) => ({ more: { 'sec-fetch-site': site, 'sec-fetch-mode': mode } });
    const loaded = await ask('GET', '/visit', from('cross-site', 'no-cors'));
    expect([loaded.set, loaded.body]).toEqual(['', 'null']);
    // a link on such a page, and the own page
    for (const way of [from('cross-site', 'navigate'), from('same-origin', 'cors')]) {
      expect((await ask('GET', '/visit', way)).set).toMatch(/^longhaul=/);
    }
  });

  test('gives a browser on this machine a session, so that other sites cannot send its forms', async () => {
    const { ask } = await gateway('http://127.0.0.1:8420', []);
    const { cookie, body } = await ask('GET', '/visit');
    expect(JSON.parse(body)).toEqual({ name: 'owner', authenticatedBy: 'unauthenticated' });
    expect((await ask('GET', '/visit', { cookie })).set).toBe('');
    // a site whose name was changed to this address after its page was loaded
    expect(await ask('GET', '/visit', { as: 'rebound.example' })).toMatchObject({ body: 'null', set: '' });
  });

  test('gives none where people are configured', async () => {
    const { ask } = await gateway('http://127.0.0.1:8420');
    expect(await ask('GET', '/visit')).toMatchObject({ body: 'null', set: '' });
  });
});
