import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import type { Browser, Page } from 'playwright-core';
import { describe, expect, inject, onTestFinished } from 'vitest';
import { openContext } from '../../../client/core/context.ts';
import { createKey, type NewKey } from '../../../client/gateway/api-key.ts';
import { createGatewayMetrics } from '../../../client/gateway/metrics.ts';
import { createGateway } from '../../../client/gateway/server.ts';
import { directoryOf } from '../../../domain/config/people.schema.ts';
import { openBrowser } from '../../support/browser.ts';
import { faultsOf, HOSTILE, picture, tabTo, type WatchedPage, watchedPage } from '../../support/console.ts';
import { type Gates, gatesTest, PEOPLE } from '../../support/gates/gates.ts';
import { type OpenIdPlace, startOpenId } from '../../support/gates/openid.ts';
import { Visitor } from '../../support/gates/visitor.ts';
import { memoryIo } from '../../support/memory-io.ts';

const KEYS: Readonly<Record<string, NewKey>> = Object.fromEntries(PEOPLE.people.map(({ name }) => [name, createKey()]));

const PEOPLE_WITH_KEYS = {
  people: PEOPLE.people.map(({ name, emails }) => {
    const { id = '', hash = '' } = KEYS[name] ?? {};
    return { name, emails: [...emails], key: { id, hash }, oidc: `subject of ${name}` };
  }),
  groups: PEOPLE.groups,
};

/** Starts a gateway with the console over the gates of the tests. `configured`: sections of longhaul.yaml. */
async function serve(
  gates: Gates,
  port: number,
  configured: object,
): Promise<{ readonly url: string; close(): Promise<void> }> {
  const url = `http://127.0.0.1:${port}`;
  const folder = mkdtempSync(join(tmpdir(), 'longhaul-console-'));
  const file = join(folder, 'longhaul.yaml');
  writeFileSync(file, JSON.stringify(configured));
  const env = {
    HOME: folder,
    USER: 'owner',
    OPENID_SECRET: 'a secret of the client',
    LONGHAUL_DATA_DIR: folder,
    LONGHAUL_CACHE_DIR: folder,
    TEMPORAL_ADDRESS: inject('stack').temporalAddress,
    DATABASE_READER_URL: gates.ledger.logins.reader,
  };
  const context = openContext({ config: file }, memoryIo(env));
  const server = await createGateway({
    config: context.config,
    env,
    client: gates.client,
    logger: pino({ level: 'silent' }),
    metrics: createGatewayMetrics(),
    desk: {
      ledger: gates.decisions,
      client: gates.client,
      directory: directoryOf(context.config),
      url: gates.ledger.logins.gates,
    },
    console: { context, uiUrl: null },
  });
  await server.listen({ host: '127.0.0.1', port });
  return {
    url,
    async close() {
      await server.close();
      rmSync(folder, { recursive: true, force: true });
    },
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

interface Place {
  readonly url: string;
  readonly openId: OpenIdPlace;
}

const test = gatesTest(PEOPLE)
  .extend('browser', { scope: 'file' }, async ({}, { onCleanup }): Promise<Browser> => {
    const browser = await openBrowser();
    onCleanup(() => browser.close());
    return browser;
  })
  .extend('place', { scope: 'file' }, async ({ gates }, { onCleanup }): Promise<Place> => {
    let openId: OpenIdPlace | undefined;
    let served: Awaited<ReturnType<typeof serve>> | undefined;
    onCleanup(async () => {
      await served?.close();
      await openId?.close();
    });
    const port = await freePort();
    openId = await startOpenId(`http://127.0.0.1:${port}/sign-in/callback`);
    const { issuer, clientId } = openId;
    served = await serve(gates, port, {
      ...PEOPLE_WITH_KEYS,
      gateway: {
        url: `http://127.0.0.1:${port}`,
        address: `127.0.0.1:${port}`,
        oidc: { issuer, clientId, clientSecretEnv: 'OPENID_SECRET' },
      },
    });
    return { url: served.url, openId };
  });

/** Sends the form of the sign-in page, as a browser that has loaded it. */
async function sendKey(visitor: Visitor, url: string, form: Record<string, string>): Promise<Response> {
  const page = await (await visitor.send(`${url}/console/sign-in`)).text();
  const [, formToken = ''] = /name="formToken" value="([^"]+)"/.exec(page) ?? [];
  return visitor.send(`${url}/console/sign-in`, { form: { ...form, formToken } });
}

/** Opens a page and signs a person in with the key. */
async function signedIn(browser: Browser, url: string, person: string, options: object = {}): Promise<WatchedPage> {
  const watched = await watchedPage(browser, url, options);
  onTestFinished(() => watched.context.close());
  const { page } = watched;
  await page.goto(`${url}/console/inbox`);
  await page.getByLabel('API key of a person').fill(KEYS[person]?.key ?? '');
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByRole('heading', { name: 'Inbox' }).waitFor();
  return watched;
}

describe('people in the console', () => {
  test('sign in, find the gate, and approve it with a reason, by keyboard alone', async ({ gates, place, browser }) => {
    const { url } = place;
    const flow = await gates.ask({ subject: 'v2.0.0 of local/acme/web', evidence: ['3 changes, all proven'] });
    const gate = await flow.gate();
    const { page, context, complaints } = await watchedPage(browser, url);
    onTestFinished(() => context.close());
    const { keyboard } = page;
    await page.goto(url);
    await tabTo(page, 'API key of a person');
    await keyboard.type(KEYS['ada']?.key ?? '');
    await keyboard.press('Enter');
    await page.waitForURL('**/console/inbox');
    await tabTo(page, 'v2.0.0 of local/acme/web');
    await keyboard.press('Enter');
    await page.waitForURL(`**/console/inbox/${gate}`);
    expect(await page.locator('main').innerText()).toContain('3 changes, all proven');
    await tabTo(page, 'Why');
    await keyboard.type('looks good');
    await tabTo(page, 'Approve');
    await keyboard.press('Enter');
    await page.getByText('Your decision is recorded').waitFor();
    expect(await page.getByRole('row', { name: 'v2.0.0 of local/acme/web' }).innerText()).toContain('1 of 2');

    // the second person, on a phone, without scripts
    const second = await signedIn(browser, url, 'bob', {
      javaScriptEnabled: false,
      colorScheme: 'dark',
      viewport: { width: 375, height: 720 },
    });
    await picture(second.page, 'console-phone');
    await second.page.getByRole('link', { name: 'v2.0.0 of local/acme/web' }).click();
    expect(await second.page.getByRole('table', { name: 'Decisions' }).innerText()).toMatch(
      /ada\s+approved\s+looks good/,
    );
    await page.goto(`${url}/console/inbox/${gate}`);
    await page.setViewportSize({ width: 1280, height: 960 });
    await picture(page, 'console-gate');
    await second.page.getByLabel('Why').fill('fine');
    await second.page.getByRole('button', { name: 'Approve' }).click();
    await second.page.getByText('Your decision is recorded').waitFor();
    expect(await flow.handle.result()).toMatchObject({ status: 'approved', authenticated: true });
    const rows = await gates.ledger.sql(
      `SELECT person, verdict, why, authenticated_by FROM gate_decisions WHERE gate_id = $1 ORDER BY sequence`,
      [gate],
    );
    expect(rows).toEqual([
      { person: 'ada', verdict: 'approve', why: 'looks good', authenticated_by: 'api-key' },
      { person: 'bob', verdict: 'approve', why: 'fine', authenticated_by: 'api-key' },
    ]);
    await page.goto(`${url}/console/inbox/${gate}`);
    await page.getByText('This gate is approved').waitFor();
    expect(complaints).toEqual([]);
  });

  test('an open inbox shows a gate that appears', async ({ gates, place, browser }) => {
    const { page } = await signedIn(browser, place.url, 'ada');
    await page.getByText('Live').waitFor();
    const flow = await gates.ask({ subject: 'a gate that appears' });
    await page.getByRole('link', { name: 'a gate that appears' }).waitFor();
    await flow.handle.terminate();
  });

  test('a refused decision says why and keeps the reason that was written', async ({ gates, place, browser }) => {
    const flow = await gates.ask({ subject: 'own request' });
    const gate = await flow.gate();
    // cyd asked
    const { page } = await signedIn(browser, place.url, 'cyd');
    await page.goto(`${place.url}/console/inbox/${gate}`);
    await page.getByLabel('Why').fill('I asked for it');
    const [answer] = await Promise.all([
      page.waitForResponse((one) => one.request().method() === 'POST'),
      page.getByRole('button', { name: 'Approve' }).click(),
    ]);
    expect(answer.status()).toBe(403);
    await page.getByText(`cyd may not decide the gate ${gate}`).waitFor();
    expect(await page.getByLabel('Why').inputValue()).toBe('I asked for it');
    await flow.handle.terminate();
  });

  test('pages of gates and of signing in have no fault, whatever a flow writes', async ({ gates, place, browser }) => {
    const flow = await gates.ask({ subject: HOSTILE, evidence: [HOSTILE, 'plain'] });
    const gate = await flow.gate();
    const { page, complaints } = await signedIn(browser, place.url, 'ada');
    const found: Record<string, string[]> = {};
    const look = async (path: string, on: Page = page): Promise<void> => {
      await on.goto(place.url + path);
      const faults = await faultsOf(on);
      if (faults.length > 0) found[path] = faults;
    };
    await look('/console/inbox');
    await look(`/console/inbox/${gate}`);
    const stranger = await watchedPage(browser, place.url);
    onTestFinished(() => stranger.context.close());
    await look('/console/sign-in', stranger.page);
    expect({ found, complaints, more: stranger.complaints }).toEqual({ found: {}, complaints: [], more: [] });
    await flow.handle.terminate();
  });
});

describe('who may see and decide', () => {
  test('a browser without a session is sent to sign in, and returns to the page it asked for', async ({ place }) => {
    const visitor = new Visitor();
    const asked = await visitor.send(`${place.url}/console/runs?show=ended`);
    expect(asked.status).toBe(303);
    const to = asked.headers.get('location') ?? '';
    expect(to).toBe('/console/sign-in?to=%2Fconsole%2Fruns%3Fshow%3Dended');
    const form = { to: '/console/runs?show=ended', key: KEYS['ada']?.key ?? '' };
    const signedInAt = await sendKey(visitor, place.url, form);
    expect([signedInAt.status, signedInAt.headers.get('location')]).toEqual([303, '/console/runs?show=ended']);
    expect((await visitor.send(`${place.url}/console/runs?show=ended`)).status).toBe(200);
    // without pages: a stream, and a form
    const headers = { accept: 'text/event-stream' };
    expect((await fetch(`${place.url}/console/runs`, { headers })).status).toBe(401);
    expect((await fetch(`${place.url}/console/inbox/gate-1`, { method: 'POST' })).status).toBe(401);
  });

  test.for([
    ['a wrong key', { key: 'lh_000000000000_x', to: '/console' }, {}, 401],
    [
      'a form of another site',
      { key: KEYS['ada']?.key ?? '', to: '/console' },
      { 'sec-fetch-site': 'cross-site' },
      403,
    ],
    // as browsers do it without TLS
    ['a form of another site that no header names', { key: KEYS['ada']?.key ?? '', to: '/console' }, {}, 403],
    [
      'a form of another site with a guessed token',
      { key: KEYS['ada']?.key ?? '', to: '/console', formToken: 'guessed' },
      {},
      403,
    ],
  ] as const)('no session begins with %s', async ([, form, headers, status], { place }) => {
    const visitor = new Visitor();
    const answer =
      status === 401
        ? await sendKey(visitor, place.url, form)
        : await visitor.send(`${place.url}/console/sign-in`, { form, headers });
    expect(answer.status).toBe(status);
    expect(visitor.cookiesOf(place.url)).not.toMatch(/(?:^|; )longhaul=/);
    expect(await answer.text()).not.toContain(form.key);
  });

  test('after signing in a browser goes to no other site', async ({ place }) => {
    for (const to of ['https://evil.example/', '//evil.example', '/console/../\\evil.example', '/consoles']) {
      const answer = await sendKey(new Visitor(), place.url, { to, key: KEYS['ada']?.key ?? '' });
      const location = new URL(answer.headers.get('location') ?? '', place.url);
      expect([answer.status, location.origin], to).toEqual([303, place.url]);
    }
  });

  test('a form counts once, and only with its own session', async ({ gates, place }) => {
    const flow = await gates.ask({ subject: 'tokens' });
    const gate = await flow.gate();
    const [ada, bob] = [new Visitor(), new Visitor()];
    for (const [name, visitor] of [['ada', ada] as const, ['bob', bob] as const]) {
      await sendKey(visitor, place.url, { to: '/console', key: KEYS[name]?.key ?? '' });
    }
    const at = `${place.url}/console/inbox/${gate}`;
    const fields = async (visitor: Visitor): Promise<Record<string, string>> => {
      const text = await (await visitor.send(at)).text();
      const form = text.slice(text.indexOf('id="decide"'));
      const value = (name: string): string => new RegExp(`name="${name}" value="([^"]*)"`).exec(form)?.[1] ?? '';
      return { formToken: value('formToken'), digest: value('digest'), why: 'because', verdict: 'approve' };
    };
    const form = await fields(ada);
    expect((await bob.send(at, { form })).status).toBe(403);
    const { formToken, ...withoutToken } = form;
    expect(formToken).not.toBe('');
    expect((await ada.send(at, { form: withoutToken })).status).toBe(403);
    expect((await ada.send(at, { form })).status).toBe(303);
    expect((await ada.send(at, { form })).status).toBe(403);
    expect((await ada.send(at, { form: { ...(await fields(ada)), why: ' ' } })).status).toBe(422);
    expect((await ada.send(at, { form: { ...(await fields(ada)), digest: 'other' } })).status).toBe(409);
    // only the person who has decided is told so: the link can be made by another site
    const told = async (visitor: Visitor, id: string): Promise<boolean> =>
      (await (await visitor.send(`${place.url}/console/inbox?decided=${id}`)).text()).includes('decision is recorded');
    expect([await told(ada, gate), await told(bob, gate), await told(ada, 'gate-1')]).toEqual([true, false, false]);
    const rows = await gates.ledger.sql('SELECT person FROM gate_decisions WHERE gate_id = $1', [gate]);
    expect(rows).toEqual([{ person: 'ada' }]);
    await flow.handle.terminate();
  });

  test('signing out ends the session', async ({ place, browser }) => {
    const { page, context } = await signedIn(browser, place.url, 'ada');
    const before = await context.cookies();
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByRole('heading', { name: 'Sign in' }).waitFor();
    await context.addCookies(before);
    await page.goto(`${place.url}/console/inbox`);
    expect(new URL(page.url()).pathname).toBe('/console/sign-in');
  });

  test('the OpenID provider signs a person in', async ({ place }) => {
    const visitor = new Visitor();
    const page = await (await visitor.send(`${place.url}/console/sign-in?to=/console/runs`)).text();
    expect(page).toContain('href="/sign-in?to=%2Fconsole%2Fruns"');
    const begun = await visitor.send(`${place.url}/sign-in?to=%2Fconsole%2Fruns`);
    const back = await place.openId.signIn(visitor, begun.headers.get('location') ?? '', 'subject of ada');
    const ended = await visitor.send(back);
    expect(ended.headers.get('location')).toBe('/console/runs');
    expect(await (await visitor.send(`${place.url}/console/runs`)).text()).toContain('<span>ada</span>');
  });

  test('without people, the person at this machine decides, unauthenticated', async ({ gates }) => {
    const laptop = await serve(gates, await freePort(), {});
    onTestFinished(() => laptop.close());
    const visitor = new Visitor();
    const text = await (await visitor.send(`${laptop.url}/console/inbox`)).text();
    expect(text).toContain('owner, unauthenticated');
    expect(
      (await visitor.send(`${laptop.url}/console/inbox`, { headers: { 'x-forwarded-for': '10.0.0.1' } })).status,
    ).toBe(403);
    expect((await visitor.send(`${laptop.url}/console/sign-in`)).headers.get('location')).toBe('/console');
  });
});
