import { createServer } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { diffLines, type Mgit } from '../../../activities/mgit/index.ts';
import type { LonghaulError } from '../../../domain/shared/failures.ts';
import { type DescribedForge, startDescribedForge } from '../../support/described-forge.ts';
import { FORGES, type ForgeKind, TOKEN } from '../../support/dialects.ts';
import { failureOf, openMgit } from '../../support/mgit.ts';
import { commitTree, files, initRepository, scratchFolder } from '../../support/scratch-git.ts';

interface Open {
  readonly forge: DescribedForge;
  readonly mgit: Mgit;
  /** Another mgit over the same forge. */
  reopen(more?: object, env?: Readonly<Record<string, string>>): Mgit;
}

/** A forge that fails the test after a request that its description does not contain. */
async function open(kind: ForgeKind): Promise<Open> {
  const folder = scratchFolder();
  const forge = await startDescribedForge(kind.dialect, join(folder, 'forge'));
  onTestFinished(async () => {
    await forge.close();
    expect(forge.violations).toEqual([]);
  });
  const reopen: Open['reopen'] = (more, env = kind.env) =>
    openMgit(join(folder, 'cache'), [kind.config(forge.url, more)], { env });
  return { forge, mgit: reopen(), reopen };
}

const ids = async (mgit: Mgit, ...patterns: string[]): Promise<string[]> =>
  (await mgit.list(patterns)).map(({ id }) => id);

describe.each(Object.entries(FORGES))('%s', (_, kind) => {
  const { path, id } = kind;

  test('listed repositories can be found, cloned and read', async () => {
    const { forge, mgit } = await open(kind);
    const hosted = forge.host(path('acme', 'api'));
    forge.host(path('acme', 'web'));
    forge.host(path('other', 'api'));
    const commit = commitTree(
      initRepository(join(forge.root, `${hosted.path}.git`), '--bare'),
      files({ 'a.ts': 'export const a = 1;\n', 'README.md': '# a\n' }),
    );
    const expected = [id(path('acme', 'api')), id(path('acme', 'web')), id(path('other', 'api'))];
    expect(await ids(mgit, '*')).toEqual(expected);
    expect(await ids(mgit, '*/*/api')).toEqual([expected[0], expected[2]]);
    expect(await ids(mgit, 'acme/*')).toEqual(expected.slice(0, 2));
    expect(await ids(mgit, 'nobody/*')).toEqual([]);
    expect(await ids(mgit, id(path('acme', 'web')))).toEqual([expected[1]]);

    const found = await mgit.find(id(path('acme', 'api')));
    expect(found).toMatchObject({ id: expected[0], organization: 'acme', repository: 'api', defaultBranch: 'main' });
    expect(found).toEqual((await mgit.list(['acme/api']))[0]);
    expect((await mgit.heads([found])).get(found.id)).toEqual({ commit, branch: 'main' });
    const lines: unknown[] = [];
    for await (const line of diffLines(mgit, found, { since: null })) lines.push(JSON.parse(line));
    expect(lines).toMatchObject([
      { path: 'README.md' },
      { path: 'a.ts' },
      { repo: id(path('acme', 'api')).replace('work/', ''), new_changeset: { commit, branch: 'main' } },
    ]);
    expect(await failureOf(mgit.find(id(path('acme', 'gone'))))).toMatch(/^RepositoryNotFound: /);
    expect(await failureOf(mgit.find('work/acme/..'))).toMatch(/^RepositoryNotFound: /);
    const gone = { id: id(path('acme', 'web')), cloneUrl: (await mgit.find(id(path('acme', 'web')))).cloneUrl };
    expect(await failureOf(mgit.diff(gone, null))).toMatch(/^RepositoryNotFound: /);
  });

  test('the number of concurrent requests of API and git together stays within the limit', async () => {
    const { forge, reopen } = await open(kind);
    const mgit = reopen({ limits: { concurrency: 4 } });
    for (let at = 0; at < 8; at++) {
      const { path: hosted } = forge.host(path('acme', `r${at}`));
      commitTree(initRepository(join(forge.root, `${hosted}.git`), '--bare'), files({ 'a.ts': 'let a;\n' }));
    }
    const found = await mgit.list(['acme/*']);
    const [heads] = await Promise.all([mgit.heads(found), ...found.map((one) => mgit.find(one.id))]);
    expect([...heads.values()].map((head) => 'commit' in head)).toEqual(found.map(() => true));
    expect(forge.mostAtOnce).toBeGreaterThan(1);
    expect(forge.mostAtOnce).toBeLessThanOrEqual(4);
  });

  test('several pages are one list', async () => {
    const { forge, mgit } = await open(kind);
    const names = Array.from({ length: 230 }, (__, at) => path('acme', `r${at}`));
    for (const name of names) forge.host(name);
    forge.host(path('other', 'one'));
    expect(await ids(mgit, 'acme/*')).toEqual(names.map(id).sort());
    const pages = forge.requests.length;
    expect(pages).toBeGreaterThanOrEqual(3);
    expect(await ids(mgit, '*')).toHaveLength(231);
    expect(new Set(forge.requests.slice(0, pages)).size).toBe(pages);
  });

  test('a list without an end is a failure', async () => {
    const { forge, mgit } = await open(kind);
    for (let at = 0; at < 120; at++) forge.host(path('acme', `r${at}`));
    expect(await ids(mgit, 'acme/*')).toHaveLength(120);
    const [first = ''] = forge.requests;
    const api = new URL(first.split(' ')[1] ?? '', forge.url);
    // the same next page forever
    const answer = await fetch(api, { headers: { authorization: kind.dialect.authorization.api } });
    const headers = Object.fromEntries(
      ['link', 'x-ms-continuationtoken'].flatMap((name) => {
        const value = answer.headers.get(name);
        return value === null ? [] : [[name, value]];
      }),
    );
    const body = await answer.text();
    const server = createServer((__, response) => {
      response.writeHead(200, { 'content-type': 'application/json', ...headers }).end(body);
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    onTestFinished(() => void server.close());
    const endless = openMgit(
      scratchFolder(),
      [kind.config(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)],
      {
        env: kind.env,
      },
    );
    expect(await failureOf(endless.list(['acme/*']))).toMatch(
      /^DiscoveryFailed: Provider work returned endless pages of /,
    );
  });

  test('a renamed repository is found by its number, with or without its old name', async () => {
    const { forge, mgit } = await open(kind);
    forge.host(path('acme', 'api'));
    forge.host(path('acme', 'web'));
    const known = await mgit.list(['acme/*']);
    forge.rename(path('acme', 'api'), path('acme', 'service'));
    for (const forgotten of [false, true]) {
      if (forgotten) forge.former.clear();
      await expect(mgit.find(id(path('acme', 'api')))).rejects.toMatchObject({ type: 'RepositoryNotFound' });
      const where = await mgit.whereabouts(known);
      expect(where.get(id(path('acme', 'api')))).toMatchObject({
        state: 'moved',
        repository: { id: id(path('acme', 'service')), uid: known[0]?.uid },
      });
      expect(where.get(id(path('acme', 'web')))).toMatchObject({ state: 'there' });
    }
    forge.repositories.clear();
    forge.host(path('acme', 'last'));
    expect((await mgit.whereabouts(known)).get(id(path('acme', 'api')))).toMatchObject({ state: 'gone' });
  });

  test('forks only when asked for', async () => {
    const { forge, mgit, reopen } = await open(kind);
    forge.host(path('acme', 'fork'), { fork: true });
    forge.host(path('acme', 'plain'));
    expect(await ids(mgit, 'acme/*')).toEqual([id(path('acme', 'plain'))]);
    expect(await ids(reopen({ forks: true }), 'acme/*')).toEqual([id(path('acme', 'fork')), id(path('acme', 'plain'))]);
  });

  test('a refused token is AuthenticationFailed everywhere, and is never shown', async () => {
    const { forge, reopen } = await open(kind);
    const hosted = forge.host(path('acme', 'api'));
    initRepository(join(forge.root, `${hosted.path}.git`), '--bare');
    const [repository] = await reopen().list(['acme/*']);
    if (repository === undefined) throw new Error('nothing is listed');
    const wrong = `${TOKEN}-wrong`;
    const mgit = reopen({}, { ...kind.env, T: wrong });
    const failures = [
      ...(await Promise.all([
        mgit.list(['*']).catch((error: unknown) => error),
        mgit.list(['acme/*']).catch((error: unknown) => error),
        mgit.find(repository.id).catch((error: unknown) => error),
        mgit.diff(repository, null).catch((error: unknown) => error),
        mgit.heads([repository]).then((heads) => heads.get(repository.id)),
      ])),
      (await mgit.whereabouts([repository])).get(repository.id),
    ];
    // an echoed token is not shown either
    forge.refuse = () => ({ status: 403, message: `no ${wrong} here\u0007` });
    failures.push(await mgit.list(['acme/*']).catch((error: unknown) => error));
    for (const failure of failures) {
      expect(failure).toMatchObject({ type: 'AuthenticationFailed' });
      const said = `${String(failure)}${String((failure as Error).stack)}${JSON.stringify(failure)}`;
      expect(said).not.toContain(TOKEN);
      expect(said).not.toContain('\u0007');
      expect(said).not.toContain(Buffer.from(`:${wrong}`).toString('base64').slice(4, -4));
    }
    expect(await failureOf(reopen({}, {}).list(['acme/*']))).toMatch(
      /^AuthenticationFailed: .*variable T of provider work/,
    );
    expect(await failureOf(reopen({}, { ...kind.env, T: 'a\nb' }).list(['acme/*']))).toMatch(/^AuthenticationFailed: /);
  });

  test.each([
    ['retry-after in seconds', 429, { 'retry-after': '77' }, [77_000, 77_000]],
    ['retry-after as a date', 429, { 'retry-after': new Date(Date.now() + 900_000).toUTCString() }, [500_000, 901_000]],
    ['no time at all', 429, {}, [60_000, 60_000]],
    [
      'a limit that is used up',
      403,
      { 'ratelimit-remaining': '0', 'ratelimit-reset': inSeconds(600) },
      [300_000, 601_000],
    ],
    ['a server that is too busy', 503, { 'retry-after': '5' }, [5_000, 5_000]],
    ['longer than any clock can show', 429, { 'retry-after': '99999999999999' }, [86_400_000, 86_400_000]],
  ] as const)('%s is RateLimited and says until when', async (__, status, headers, [least, most]) => {
    const { forge, mgit } = await open(kind);
    forge.refuse = () => ({ status, message: 'Slow down', headers });
    const failure = (await mgit.list(['acme/*']).catch((error: unknown) => error)) as LonghaulError;
    expect(failure).toMatchObject({ type: 'RateLimited' });
    expect(failure.message).toContain('Slow down');
    expect(failure.retryAfterMs).toBeGreaterThanOrEqual(least);
    expect(failure.retryAfterMs).toBeLessThanOrEqual(most);
    expect(forge.requests).toHaveLength(1);
  });

  test('one 502 is retried; a sign-in page, a redirect to another host, invalid and unexpected JSON are failures', async () => {
    const { forge, mgit } = await open(kind);
    const { forge: elsewhere } = await open(kind);
    forge.host(path('acme', 'api'));
    let times = 0;
    forge.refuse = () => (times++ === 0 ? { status: 502, message: 'Bad gateway' } : null);
    expect(await ids(mgit, 'acme/*')).toHaveLength(1);
    forge.refuse = () => ({ status: 403, message: 'Your address is not allowed' });
    expect(await failureOf(mgit.list(['acme/*']))).toMatch(/^AuthenticationFailed: .*Your address is not allowed/);
    forge.refuse = () => ({ status: 418, message: 'I am a teapot' });
    expect(await failureOf(mgit.list(['acme/*']))).toMatch(/^DiscoveryFailed: .*418.*I am a teapot/);
    forge.refuse = () => ({ status: 302, message: '', headers: { location: 'https://login.example.com/?next=1' } });
    expect(await failureOf(mgit.list(['acme/*']))).toMatch(/^AuthenticationFailed: .*login\.example\.com/);
    // the path is on this host, not the name of another one
    const [, asked = ''] = /^https?:(.*)$/.exec(`${elsewhere.url}/sent`) ?? [];
    forge.refuse = () => ({ status: 302, message: '', headers: { location: `${forge.url}${asked}` } });
    expect(await failureOf(mgit.list(['acme/*']))).toMatch(/^DiscoveryFailed: /);
    expect(elsewhere.requests).toEqual([]);
    forge.refuse = () => ({ status: 302, message: '', headers: { location: '/again' } });
    expect(await failureOf(mgit.list(['acme/*']))).toMatch(/^DiscoveryFailed: .*circles/);
    for (const status of [200, 203]) {
      forge.refuse = () => ({ status, message: '<html>Sign in</html>', headers: { 'content-type': 'text/html' } });
      expect(await failureOf(mgit.list(['acme/*']))).toMatch(/^AuthenticationFailed: .*web page/);
    }
    forge.refuse = () => ({ status: 404, message: '<html>Nothing</html>', headers: { 'content-type': 'text/html' } });
    expect(await failureOf(mgit.list(['acme/*']))).toMatch(/^DiscoveryFailed: .*has no API at/);
    forge.refuse = null;
    forge.tamper = () => '<!DOCTYPE html><title>Sign in</title>';
    expect(await failureOf(mgit.list(['acme/*']))).toMatch(/^DiscoveryFailed: .*with JSON/);
    for (const body of ['null', '{}', '[{}]', '[1]', '{"value":[{}]}', '{"values":[{}]}', '{"value":null}', '"x"']) {
      forge.tamper = () => body;
      expect(await failureOf(mgit.list(['acme/*']))).toMatch(/^DiscoveryFailed: /);
    }
  });

  test('invalid names are passed over with the reason, and git connects only to the configured host', async () => {
    const { forge, mgit } = await open(kind);
    forge.host(path('acme', 'good'));
    const names = ['..', '.', 'a\tb', 'a\\b', ''];
    for (const name of names) forge.host(path('acme', name));
    forge.tamper = (body) => body.replaceAll(`${forge.url}/acme`, 'https://evil.example.com/acme');
    const passedOver: string[] = [];
    const found = await mgit.list(['acme/*'], { onPassedOver: (_place, why) => passedOver.push(why) });
    expect(found.map((repository) => repository.id)).toEqual([id(path('acme', 'good'))]);
    expect(passedOver.sort()).toEqual(
      names.map((name) => `${JSON.stringify(id(path('acme', name)))} cannot be an id`).sort(),
    );
    expect(new URL(found[0]?.cloneUrl ?? '').origin).toBe(forge.url);
    expect(found[0]?.cloneUrl).not.toContain('@');
    const elsewhere = await open(kind);
    const hosted = elsewhere.forge.host(path('acme', 'api'));
    initRepository(join(elsewhere.forge.root, `${hosted.path}.git`), '--bare');
    const [theirs] = await elsewhere.mgit.list(['acme/*']);
    await expect(
      mgit.diff({ id: id(path('acme', 'api')), cloneUrl: theirs?.cloneUrl ?? '' }, null),
    ).rejects.toMatchObject({
      type: 'AuthenticationFailed',
    });
  });

  test('an unreachable forge is DiscoveryFailed; an abort ends a list immediately', async () => {
    const { forge, mgit } = await open(kind);
    const controller = new AbortController();
    forge.refuse = () => {
      controller.abort(new Error('stop'));
      return { status: 502, message: 'would be tried again' };
    };
    await expect(mgit.list(['acme/*'], { signal: controller.signal })).rejects.toThrow('stop');
    const asked = forge.requests.length;
    await expect(mgit.list(['acme/*'], { signal: controller.signal })).rejects.toThrow('stop');
    // no request was repeated
    expect([asked, forge.requests.length]).toEqual([1, 1]);
    await forge.close();
    expect(await failureOf(mgit.list(['acme/*']))).toMatch(/^DiscoveryFailed: Provider work did not answer: /);
  });
});

describe.each(['gitlab', 'gitea'] as const)('%s', (type) => {
  const kind = FORGES[type];

  test('archived repositories only when asked for', async () => {
    const { forge, mgit, reopen } = await open(kind);
    forge.host('acme/plain');
    forge.host('acme/old', { archived: true });
    for (const pattern of ['acme/*', '*']) {
      expect(await ids(mgit, pattern)).toEqual(['work/acme/plain']);
      expect(await ids(reopen({ archived: true }), pattern)).toEqual(['work/acme/old', 'work/acme/plain']);
    }
  });

  test('a user is looked up when there is no such organization', async () => {
    const { forge, mgit } = await open(kind);
    forge.users.add('jane');
    forge.host('jane/dotfiles');
    expect(await ids(mgit, 'jane/*')).toEqual(['work/jane/dotfiles']);
    expect(await ids(mgit, 'nobody/*')).toEqual([]);
  });

  test('without a token an organization must be named', async () => {
    const { reopen } = await open(kind);
    expect(await failureOf(reopen({ tokenEnv: undefined }).list(['*']))).toMatch(/^AuthenticationFailed: .*tokenEnv/);
  });
});

describe('gitlab', () => {
  const kind = FORGES.gitlab;

  test('groups below the top one are the project, and a pattern matches all below them', async () => {
    const { forge, mgit } = await open(kind);
    for (const path of [
      'acme/api',
      'acme/platform/api',
      'acme/platform/db/api',
      'acme/platform/db/x.y/api',
      'acme/web/api',
    ]) {
      forge.host(path);
    }
    expect(await ids(mgit, 'acme/*')).toEqual([
      'work/acme/api',
      'work/acme/platform/api',
      'work/acme/platform:db/api',
      'work/acme/platform:db:x.y/api',
      'work/acme/web/api',
    ]);
    expect(await ids(mgit, 'work/acme/platform*/*')).toEqual([
      'work/acme/platform/api',
      'work/acme/platform:db/api',
      'work/acme/platform:db:x.y/api',
    ]);
    expect(await ids(mgit, 'acme/platform:db/api')).toEqual([
      'work/acme/api', // it has no project, and the segment counts for none without one
      'work/acme/platform:db/api',
      'work/acme/platform:db:x.y/api',
    ]);
    expect(await mgit.find('work/acme/platform:db:x.y/api')).toMatchObject({
      project: 'platform:db:x.y',
      cloneUrl: `${forge.url}/acme/platform/db/x.y/api.git`,
    });
    for (const path of ['acme/a:b/api', 'acme/../api', 'acme/./x/api', 'acme//x/api', 'api']) forge.host(path);
    expect(await ids(mgit, 'acme/*')).toHaveLength(5);
  });

  test('a project without a repository or marked for deletion is not listed', async () => {
    const { forge, mgit } = await open(kind);
    forge.users.add('jane');
    forge.host('jane/dotfiles');
    forge.host('jane/wiki-only', { disabled: true });
    forge.host('jane/gone-deletion_scheduled-7');
    forge.tamper = (body) =>
      JSON.stringify(
        (JSON.parse(body) as { path: string }[]).map((one) => ({
          ...one,
          marked_for_deletion_on: one.path.includes('deletion') ? '2026-11-30' : null,
        })),
      );
    expect(await ids(mgit, 'jane/*')).toEqual(['work/jane/dotfiles']);
  });
});

describe('gitea', () => {
  test('a slash in a name does not make another id', async () => {
    const { forge, mgit } = await open(FORGES.gitea);
    forge.host('acme/api');
    forge.host('acme/web');
    forge.tamper = (body) => body.replaceAll('"name":"api"', '"name":"platform/api"');
    expect(await ids(mgit, 'acme/*')).toEqual(['work/acme/web']);
  });
});

describe('azure-devops', () => {
  const kind = FORGES['azure-devops'];

  test('only the configured organizations are queried; a missing one is a failure, not an empty list', async () => {
    const { forge, mgit, reopen } = await open(kind);
    forge.host('acme/Team One/api');
    expect(await failureOf(mgit.list(['*']))).toMatch(/^DiscoveryFailed: .*no organization other/);
    expect(await ids(reopen({ organizations: ['acme'] }), '*')).toEqual(['work/acme/Team One/api']);
    const before = forge.requests.length;
    expect(await ids(mgit, 'elsewhere/*')).toEqual([]);
    await expect(mgit.find('work/elsewhere/p/api')).rejects.toMatchObject({ type: 'RepositoryNotFound' });
    expect(forge.requests).toHaveLength(before);
    expect((await mgit.find('work/acme/Team One/api')).cloneUrl).toBe(`${forge.url}/acme/Team%20One/_git/api`);
  });

  test('a disabled repository is not listed', async () => {
    const { forge, mgit } = await open(kind);
    forge.host('acme/p/on');
    forge.host('acme/p/off', { disabled: true });
    expect(await ids(mgit, 'acme/*')).toEqual(['work/acme/p/on']);
  });
});

describe('bitbucket', () => {
  const kind = FORGES.bitbucket;

  test('an access token is a bearer, and git has another user name for it', async () => {
    const dialect = {
      ...kind.dialect,
      authorization: {
        api: `Bearer ${TOKEN}`,
        git: `Basic ${Buffer.from(`x-token-auth:${TOKEN}`).toString('base64')}`,
      },
    };
    const { forge, reopen } = await open({ ...kind, dialect });
    const hosted = forge.host('acme/api');
    const repository = initRepository(join(forge.root, `${hosted.path}.git`), '--bare');
    const commit = commitTree(repository, files({ a: '1\n' }));
    const mgit = reopen({ usernameEnv: undefined });
    const [found] = await mgit.list(['acme/*']);
    expect(found && (await mgit.diff(found, null)).files).toBe(1);
    expect((await mgit.heads(found ? [found] : [])).get('work/acme/api')).toEqual({ commit, branch: 'main' });
  });

  test('a repository that moved to another workspace is found there', async () => {
    const { forge, mgit } = await open(kind);
    forge.host('acme/api');
    forge.host('acme/web');
    forge.host('other/web');
    const known = await mgit.list(['acme/api']);
    forge.rename('acme/api', 'other/api');
    expect((await mgit.whereabouts(known)).get('work/acme/api')).toMatchObject({
      state: 'moved',
      repository: { id: 'work/other/api' },
    });
  });
});

function inSeconds(seconds: number): string {
  return String(Math.floor(Date.now() / 1_000) + seconds);
}
