import { GITHUB_LIMITS } from '../../../domain/forge/forge-budget.ts';
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { createForgeLines } from '../../../activities/forges/line.ts';
import { budgetInMemory } from '../../../activities/forges/budget-client.ts';
import type { LonghaulError } from '../../../domain/shared/failures.ts';
import type { Forge } from '../../support/forge.ts';
import { failureOf, openMgit } from '../../support/mgit.ts';
import { commitTree, files, git, scratchFolder } from '../../support/scratch-git.ts';
import { place, manyNames, patiently } from '../../support/github-place.ts';

describe('heads', () => {
  test('of 1,000 repositories are ten requests and no git', { timeout: 120_000 }, async () => {
    const { forge, open, commit } = await place(manyNames(1_000));
    const mgit = open();
    const repositories = await mgit.list(['org0/*']);
    forge.requests.length = 0;
    const heads = await mgit.heads(repositories);
    expect(heads.size).toBe(1_000);
    expect([...heads.values()].filter((head) => head instanceof Error || head.commit !== commit)).toEqual([]);
    expect(repositories.every(({ id, uid }) => (heads.get(id) as { uid?: string }).uid === uid)).toBe(true);
    expect(forge.requests).toEqual(Array.from({ length: 10 }, () => 'POST /api/graphql'));
  });

  test('a commit, another branch, an empty repository: as git sees them', async () => {
    const { forge, open } = await place(['acme/api', 'acme/trunk', 'acme/empty']);
    const trunk = join(forge.root, 'acme/trunk.git');
    rmSync(trunk, { recursive: true });
    git(forge.root, 'init', '-q', '--bare', '-b', 'main', trunk);
    commitTree(trunk, files({ 'b.ts': 'export const b = 2;\n' }));
    git(trunk, 'branch', '-m', 'main', 'trunk/v2');
    git(trunk, 'symbolic-ref', 'HEAD', 'refs/heads/trunk/v2');
    const empty = join(forge.root, 'acme/empty.git');
    rmSync(empty, { recursive: true });
    git(forge.root, 'init', '-q', '--bare', empty);
    const repositories = await open().list(['acme/*']);
    const told = await open().heads(repositories);
    forge.hasGraphql = false;
    const asked = await open({ git: true }).heads(repositories);
    // the empty one has no HEAD and is asked for its branches too
    expect(forge.requests.filter((request) => request.includes('/info/refs'))).toHaveLength(4);
    for (const { id } of repositories) {
      const { commit, branch } = told.get(id) as { commit: string; branch: string | null };
      expect(asked.get(id), id).toEqual({ commit, branch });
    }
    expect(told.get('work/acme/trunk')).toMatchObject({ branch: 'trunk/v2', commit: git(trunk, 'rev-parse', 'HEAD') });
    expect(told.get('work/acme/empty')).toMatchObject({ branch: null, commit: '0'.repeat(40) });
  });

  test('renamed, gone, forbidden and failing ones are distinguished, and do not stop others', async () => {
    const { forge, open, commit } = await place([
      'acme/api',
      'acme/old',
      'acme/gone',
      'acme/saml',
      'acme/odd',
      'acme/Case',
    ]);
    const repositories = await open().list(['acme/*']);
    await forge.rename('acme/old', 'other/new');
    await forge.rename('acme/Case', 'acme/case');
    rmSync(join(forge.root, 'acme/gone.git'), { recursive: true });
    forge.forbidden.add('acme/saml');
    forge.unlucky.add('acme/odd');
    const mgit = open({ git: true });
    const heads = await mgit.heads([...repositories, { id: 'work/acme/else', cloneUrl: `${forge.url}/acme/api.git` }]);
    expect(heads.get('work/acme/api')).toMatchObject({ commit });
    expect(heads.get('work/acme/old')).toMatchObject({ commit, redirectedTo: `${forge.url}/other/new.git` });
    expect(heads.get('work/acme/Case')).toMatchObject({ commit, redirectedTo: `${forge.url}/acme/case.git` });
    expect(heads.get('work/acme/gone')).toMatchObject({ type: 'RepositoryNotFound' });
    expect(heads.get('work/acme/saml')).toMatchObject({ type: 'AuthenticationFailed' });
    // git is used when GraphQL has no answer, and when the address does not match the name
    expect(heads.get('work/acme/odd')).toEqual({ commit, branch: 'main' });
    expect(heads.get('work/acme/else')).toEqual({ commit, branch: 'main' });
    const moved = await mgit.whereabouts(repositories.filter(({ repository }) => repository === 'old'));
    expect(moved.get('work/acme/old')).toMatchObject({ state: 'moved', repository: { id: 'work/other/new' } });
  });

  test('without a token, or when GraphQL keeps failing, git is used', { timeout: 120_000 }, async () => {
    const { forge, open, commit } = await place(['acme/api'], { token: undefined as never });
    const anonymous = { name: 'work', type: 'github', url: forge.url, archived: false, forks: false } as const;
    const address = { id: 'work/acme/api', cloneUrl: `${forge.url}/acme/api.git` };
    const open2 = openMgit(scratchFolder(), [anonymous]);
    expect((await open2.heads([address])).get(address.id)).toEqual({ commit, branch: 'main' });
    expect(forge.requests.some((request) => request.includes('graphql'))).toBe(false);
    forge.refuse = (request) => (request.includes('graphql') ? { status: 502, message: 'Bad gateway' } : null);
    expect((await open({ git: true }).heads([address])).get(address.id)).toEqual({ commit, branch: 'main' });
  });

  test('a refused token is the failure of each', async () => {
    const { forge, open } = await place(['acme/api', 'acme/web']);
    const repositories = await open().list(['acme/*']);
    forge.refuse = () => ({ status: 401, message: 'Bad credentials' });
    const heads = await open().heads(repositories);
    expect([...heads.values()]).toMatchObject([{ type: 'AuthenticationFailed' }, { type: 'AuthenticationFailed' }]);
  });
});

describe('listings with heads', () => {
  test(
    'of 1,000 repositories are ten requests, with the same result as separate requests',
    { timeout: 120_000 },
    async () => {
      const { forge, open } = await place(manyNames(1_000));
      const mgit = open();
      const listed = await mgit.listWithHeads(['work/org0/*']);
      const heads = await mgit.heads(listed, { listed });
      expect(forge.requests).toEqual(Array.from({ length: 10 }, () => 'POST /api/graphql'));
      const repositories = await mgit.list(['work/org0/*']);
      expect(repositories).toHaveLength(1_000);
      expect(listed.map(({ head: _head, ...repository }) => repository)).toEqual(repositories);
      expect(heads).toEqual(await mgit.heads(repositories));
    },
  );

  test('archived, fork and user agree with REST', async () => {
    const { forge, open } = await place(['acme/api', 'acme/old', 'acme/copy', 'jane/dotfiles']);
    forge.archived.add('acme/old');
    forge.forks.add('acme/copy');
    forge.users.add('jane');
    for (const config of [{}, { archived: true }, { forks: true }]) {
      const mgit = open({ config });
      const listed = await mgit.listWithHeads(['acme/*', 'jane/*', 'nobody/*']);
      const expected = await mgit.list(['acme/*', 'jane/*', 'nobody/*']);
      expect(listed.map(({ head, ...repository }) => [repository, head?.branch])).toEqual(
        expected.map((repository) => [repository, 'main']),
      );
    }
  });

  test('a part of an organization is listed by its pages, which are free', async () => {
    const { forge, open, commit } = await place(manyNames(230));
    const mgit = open();
    const listed = await mgit.listWithHeads(['work/org0/r1*']);
    expect([listed.length, listed.filter(({ head }) => head)]).toEqual([111, []]);
    expect(forge.requests.filter((request) => request.includes('graphql'))).toEqual([]);
    const heads = await mgit.heads(listed, { listed });
    expect([...heads.values()].filter((head) => head instanceof Error || head.commit !== commit)).toEqual([]);
    expect(forge.requests.filter((request) => request.includes('graphql'))).toHaveLength(2);
  });

  test.each<[string, (forge: Forge) => void]>([
    ['there is none', (forge) => (forge.hasGraphql = false)],
    ['it hides one', (forge) => forge.forbidden.add('org0/r7')],
    ['it cannot look one up', (forge) => forge.unlucky.add('org0/r104')],
    [
      'it keeps failing',
      (forge) =>
        (forge.refuse = (request) => (request.includes('graphql') ? { status: 502, message: 'Bad gateway' } : null)),
    ],
  ])('when GraphQL is incomplete (%s) nothing is missing', { timeout: 60_000 }, async (_, spoil) => {
    const { forge, open } = await place(manyNames(110));
    spoil(forge);
    const listed = await open().listWithHeads(['org0/*']);
    expect(listed).toEqual(await open().list(['org0/*']));
    expect(listed).toHaveLength(110);
  });

  test('GraphQL is not used without a token, and a refused token is not an empty list', async () => {
    const { forge, open } = await place(['acme/api'], { token: undefined as never });
    const anonymous = { name: 'work', type: 'github', url: forge.url, archived: false, forks: false } as const;
    expect(await openMgit(scratchFolder(), [anonymous]).listWithHeads(['acme/*'])).toHaveLength(1);
    expect(forge.requests.some((request) => request.includes('graphql'))).toBe(false);
    forge.refuse = () => ({ status: 401, message: 'Bad credentials' });
    expect(await failureOf(open().listWithHeads(['acme/*']))).toMatch(/^AuthenticationFailed/);
  });

  test('a repository that was indexed from another address is looked up there', async () => {
    const { forge, open, commit } = await place(['acme/api', 'acme/web']);
    const mgit = open({ git: true });
    const listed = await mgit.listWithHeads(['acme/*']);
    const elsewhere = { id: 'work/acme/api', cloneUrl: `${forge.url}/acme/web.git` };
    expect((await mgit.heads([elsewhere], { listed })).get(elsewhere.id)).toEqual({ commit, branch: 'main' });
    expect(forge.requests.at(-1)).toContain('/acme/web.git/');
  });
});

describe('listings', () => {
  test('that did not change cost nothing, and no secret is cached', async () => {
    const limits = { hourly: { limit: 100, ms: 3_600_000 } };
    const { forge, cache, open } = await place(manyNames(230), { limits });
    const first = await open().list(['org0/*']);
    const used = (): number => 100 - Number(forge.enforcement?.charge('rest', true)['x-ratelimit-remaining']);
    expect(used()).toBe(3);
    expect(await open().list(['org0/*'])).toEqual(first);
    expect([used(), forge.requests.length]).toEqual([3, 6]);
    git(forge.root, 'init', '-q', '--bare', 'org0/zzz.git');
    expect(await open().list(['org0/*'])).toHaveLength(231);
    expect(used()).toBe(4);
    const kept = readdirSync(cache, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map(({ parentPath, name }) => readFileSync(join(parentPath, name), 'utf8'));
    expect(kept.length).toBeGreaterThanOrEqual(3);
    expect(kept.join('\n')).toContain('"etag"');
    expect(kept.join('\n')).not.toMatch(/ghp_|TEMPORARY|temp_clone/);
  });

  test.each([
    ['gone', (path: string) => rmSync(path)],
    ['cut short', (path: string) => writeFileSync(path, readFileSync(path).subarray(0, 300))],
    ['altered', (path: string) => writeFileSync(path, readFileSync(path, 'utf8').replace('"r1"', '"r2"'))],
    ['no text', (path: string) => writeFileSync(path, Buffer.from([0, 255, 10, 254]))],
  ])('a cached page that is %s is requested again', async (_, damage) => {
    const { cache, open } = await place(manyNames(3));
    const first = await open().list(['org0/*']);
    const pages = join(cache, 'pages', 'work');
    for (const entry of readdirSync(pages, { recursive: true, withFileTypes: true })) {
      if (entry.isFile()) damage(join(entry.parentPath, entry.name));
    }
    expect(await open().list(['org0/*'])).toEqual(first);
  });
});

describe('limits', () => {
  test('a secondary limit stops all requests for at least a minute, in every mgit of the process', async () => {
    const { forge, open } = await place(manyNames(3), { limits: {} });
    const [one, other] = [open(), open()];
    const repositories = await one.list(['org0/*']);
    let refusal = forge.enforcement?.block(90_000, 'nothing') ?? null;
    forge.refuse = () => refusal;
    Object.assign(forge.enforcement ?? {}, { begin: () => null });
    forge.requests.length = 0;
    const failure = await one.heads(repositories).catch((error: unknown) => error as LonghaulError);
    expect(failure).toMatchObject({ type: 'RateLimited', waitingFor: forge.url.replace('http://', '') });
    expect((failure as LonghaulError).retryAfterMs).toBeGreaterThan(59_000);
    refusal = null;
    expect(await failureOf(other.list(['org0/*']))).toMatch(/^RateLimited: waiting for 127.0.0.1:\d+ until 2/);
    expect(await failureOf(open({ git: true }).diff(repositories[0] ?? { id: '', cloneUrl: '' }, null))).toMatch(
      /^RateLimited/,
    );
    expect(forge.requests).toHaveLength(1);
  });

  test('git waits with the rest, and no repository fails for it', async () => {
    const { forge, commit } = await place(['acme/api'], { token: undefined as never });
    const anonymous = openMgit(scratchFolder(), [
      { name: 'work', type: 'github', url: forge.url, archived: false, forks: false },
    ]);
    const address = { id: 'work/acme/api', cloneUrl: `${forge.url}/acme/api.git` };
    forge.refuse = () => ({ status: 429, message: 'Slow down', headers: { 'retry-after': '12' } });
    expect(await failureOf(anonymous.list(['acme/*']))).toMatch(/^RateLimited/);
    const { result, waits } = await patiently(() => anonymous.heads([address]));
    expect(result.get(address.id)).toEqual({ commit, branch: 'main' });
    expect(waits).toHaveLength(1);
  });

  test.each([
    ['a date', new Date(Date.now() + 900_000).toUTCString(), 500_000, 901_000],
    ['a time beyond every clock', '99999999999999', 86_300_000, 86_400_000],
  ])('a forge may say when with %s', async (_, after, least, most) => {
    const { forge, open } = await place(manyNames(3));
    forge.refuse = () => ({ status: 429, message: 'Slow down', headers: { 'retry-after': after } });
    const failure = (await open()
      .list(['org0/*'])
      .catch((error: unknown) => error)) as LonghaulError;
    expect(failure).toMatchObject({ type: 'RateLimited' });
    expect(failure.retryAfterMs).toBeGreaterThan(least);
    expect(failure.retryAfterMs).toBeLessThanOrEqual(most);
    expect(forge.requests).toHaveLength(1);
  });

  test('a short refusal is followed by a wait', async () => {
    const { forge, open } = await place(manyNames(3));
    let times = 0;
    const slower = { status: 429, message: 'Slow down', headers: { 'retry-after': '1' } };
    forge.refuse = () => (times++ < 2 ? slower : null);
    const started = performance.now();
    expect(await open().list(['org0/*'])).toHaveLength(3);
    expect(performance.now() - started).toBeGreaterThan(1_900);
    expect(forge.requests).toHaveLength(3);
  });
});

describe('a line', () => {
  const account = { host: 'forge.example', fingerprint: '0123456789ab', limits: { ...GITHUB_LIMITS, concurrency: 6 } };
  const said = { hourly: { limit: 5_000, remaining: 4_000, resetInMs: 3_000_000 } };

  test('several lines with one budget stay within its limit of concurrent requests', async () => {
    const budget = budgetInMemory();
    const [here, there] = [createForgeLines(account, budget), createForgeLines(account, budget)];
    const lines = [
      { line: here.rest, points: 1 },
      { line: here.graphql, points: 1 },
      { line: there.git, points: 0 },
      { line: here.git, points: 0 },
    ];
    let busy = 0;
    let most = 0;
    const request = async (): Promise<{ value: number; said: typeof said }> => {
      most = Math.max(most, ++busy);
      await setImmediate();
      busy--;
      return { value: 1, said };
    };
    const done = await Promise.all(
      Array.from({ length: 50 }, () => lines.map(({ line, points }) => line.run(points, request))).flat(),
    );
    expect(done).toEqual(Array.from({ length: 200 }, () => 1));
    expect(most).toBeLessThanOrEqual(6);
    expect(most).toBeGreaterThan(2);
  });

  test('sends few lease requests, and returns unused slots', async () => {
    const budget = budgetInMemory();
    const asked: string[] = [];
    const { rest: line } = createForgeLines(account, {
      lease: (request) => {
        asked.push('lease');
        return budget.lease(request);
      },
      report: (given) => {
        asked.push(`report ${given.used}`);
        return budget.report(given);
      },
    });
    for (let times = 0; times < 20; times++) await line.run(1, () => Promise.resolve({ value: 1, said }));
    await expect.poll(() => asked).toEqual(['lease', 'lease', 'report 15']);
  });

  test('an aborted request leaves the queue; a failing request releases its slot', async () => {
    const single = { ...account, limits: { ...account.limits, concurrency: 1 } };
    const { git: line } = createForgeLines(single, budgetInMemory());
    const controller = new AbortController();
    let finish: (value: string) => void = () => undefined;
    const work = new Promise<string>((resolve) => (finish = resolve));
    const first = line.run(0, async () => ({ value: await work, said: {} }));
    const second = line.run(0, () => Promise.resolve({ value: 'second', said: {} }), controller.signal);
    // the first has the only slot, the second is in the queue
    await setImmediate();
    controller.abort(new Error('stop'));
    await expect(second).rejects.toThrow('stop');
    finish('first');
    expect(await first).toBe('first');
    await expect(line.run(0, () => Promise.reject(new Error('no')))).rejects.toThrow('no');
    expect(await line.run(0, () => Promise.resolve({ value: 'third', said: {} }))).toBe('third');
  });
});
