import type { IssueSchema, MergeRequestSchema } from '@gitbeaker/core';
import { expect, onTestFinished, test } from 'vitest';
import type { ProviderConfig } from '../../../domain/config/providers.schema.ts';
import { MOST_ITEMS } from '../../../domain/forge/open-work.ts';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { failureOf, openMgit } from '../../support/mgit.ts';
import { scratchFolder } from '../../support/scratch-git.ts';

type Handler = (at: URL, response: ServerResponse, request: IncomingMessage) => void;

/** A forge that answers as a test says. */
async function forge(handler: Handler): Promise<{ readonly url: string; readonly requests: string[] }> {
  const requests: string[] = [];
  const server = createServer((request, response) => {
    requests.push(request.url ?? '');
    response.setHeader('content-type', 'application/json');
    handler(new URL(request.url ?? '', url), response, request);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url, requests };
}

const TIMES = { created_at: '2026-01-01T00:00:00Z', updated_at: '2026-01-02T00:00:00Z' };
const EXPECTED = {
  body: 'steps',
  assignees: ['bob'],
  labels: ['bug'],
  comments: 2,
  createdAt: TIMES.created_at,
  updatedAt: TIMES.updated_at,
};
const config = (type: 'github' | 'gitea' | 'gitlab', url: string): ProviderConfig => ({
  name: 'hub',
  type,
  url,
  tokenEnv: 'T',
  archived: false,
  forks: false,
  ...(type === 'github' ? { apiUrl: url } : {}),
});
const open = (type: 'github' | 'gitea' | 'gitlab', url: string, cache = scratchFolder()) =>
  openMgit(cache, [config(type, url)], { env: { T: 'secret' } });

const githubIssue = (number: number, more: object = {}): object => ({
  number,
  title: 'It\nbreaks\u001b[2J',
  body: 'steps',
  user: { login: 'ada' },
  assignees: [{ login: 'bob' }],
  labels: [{ name: 'bug' }],
  comments: 2,
  html_url: `https://hub/${number}`,
  ...TIMES,
  ...more,
});

test('GitHub: issues and pull requests of all pages; unchanged pages cost nothing', async () => {
  let conditional = 0;
  const { url, requests } = await forge((at, response, request) => {
    if (at.pathname === '/user') return response.end('{"login":"me"}');
    if (at.pathname === '/repos/acme/api')
      return response.end('{"name":"api","owner":{"login":"acme"},"topics":["auth"]}');
    if (at.pathname !== '/repos/acme/api/issues') return response.writeHead(404).end('{"message":"Not Found"}');
    const page = at.searchParams.get('page') ?? '1';
    if (request.headers['if-none-match'] === `"${page}"`) {
      conditional += 1;
      return response.writeHead(304).end();
    }
    const next =
      page === '1' ? { link: `<${at.origin}${at.pathname}?${at.searchParams.toString()}&page=2>; rel="next"` } : {};
    const items =
      page === '1' ? [githubIssue(7)] : [githubIssue(9, { pull_request: {}, draft: true, user: null, body: null })];
    return response.writeHead(200, { etag: `"${page}"`, ...next }).end(JSON.stringify(items));
  });
  const cache = scratchFolder();
  const expected = {
    items: [
      {
        ...EXPECTED,
        kind: 'issue',
        number: 7,
        title: 'It breaks [2J',
        author: 'ada',
        isDraft: false,
        url: 'https://hub/7',
      },
      {
        ...EXPECTED,
        kind: 'pull',
        number: 9,
        title: 'It breaks [2J',
        author: '',
        body: '',
        isDraft: true,
        url: 'https://hub/9',
      },
    ],
    isWhole: true,
    topics: ['auth'],
    account: 'me',
  };
  expect(await open('github', url, cache).openWork('hub/acme/api')).toEqual(expected);
  expect(await open('github', url, cache).openWork('hub/acme/api')).toEqual(expected);
  expect(conditional).toBe(2);
  expect(requests.filter((path) => path.includes('/issues?')).every((path) => path.includes('state=open'))).toBe(true);
  expect(await open('github', url, cache).openWork('hub/acme/none')).toBeNull();
});

test('Gitea: issues and pull requests', async () => {
  const { url } = await forge((at, response) => {
    if (at.pathname === '/api/v1/user') return response.end('{"login":"me"}');
    if (at.pathname === '/api/v1/repos/acme/api/topics') return response.end('{"topics":["auth"]}');
    if (at.pathname !== '/api/v1/repos/acme/api/issues') return response.writeHead(404).end('{"message":"x"}');
    expect(at.searchParams.get('state')).toBe('open');
    const pull = githubIssue(9, { pull_request: { draft: false, merged: false } });
    return response.end(JSON.stringify([githubIssue(7, { pull_request: null, assignees: null, labels: null }), pull]));
  });
  const mgit = open('gitea', url);
  expect(await mgit.openWork('hub/acme/api')).toMatchObject({
    items: [
      { kind: 'issue', number: 7, assignees: [], labels: [], author: 'ada' },
      { ...EXPECTED, kind: 'pull', number: 9, isDraft: false },
    ],
    isWhole: true,
    topics: ['auth'],
    account: 'me',
  });
  expect(await mgit.openWork('hub/acme/none')).toBeNull();
});

test('GitLab: issues and merge requests of a project in nested groups, the latest first', async () => {
  const common = { iid: 7, title: 'It breaks', description: 'steps', labels: ['bug'], user_notes_count: 2, ...TIMES };
  const issue = { ...common, web_url: 'https://hub/7' } satisfies Partial<IssueSchema>;
  const merge = { ...common, web_url: 'https://hub/8', draft: true } satisfies Partial<MergeRequestSchema>;
  const people = { author: { username: 'ada' }, assignees: [{ username: 'bob' }] };
  const { url } = await forge((at, response) => {
    if (at.pathname === '/api/v4/user') return response.end('{"username":"me"}');
    const project = '/api/v4/projects/acme%2Fteam%2Fapi';
    if (at.pathname === project) return response.end('{"topics":["auth"]}');
    expect(at.searchParams.get('state')).toBe('opened');
    if (at.pathname === `${project}/issues`) return response.end(JSON.stringify([{ ...issue, ...people }]));
    // merge requests may be switched off
    if (at.pathname === `${project}/merge_requests`)
      return response.end(JSON.stringify([{ ...merge, ...people, updated_at: '2026-01-03T00:00:00Z' }]));
    return response.writeHead(404).end('{"message":"404"}');
  });
  expect(await open('gitlab', url).openWork('hub/acme/team/api')).toEqual({
    items: [
      {
        ...EXPECTED,
        kind: 'pull',
        number: 7,
        title: 'It breaks',
        author: 'ada',
        isDraft: true,
        updatedAt: '2026-01-03T00:00:00Z',
        url: 'https://hub/8',
      },
      {
        ...EXPECTED,
        kind: 'issue',
        number: 7,
        title: 'It breaks',
        author: 'ada',
        isDraft: false,
        url: 'https://hub/7',
      },
    ],
    isWhole: true,
    topics: ['auth'],
    account: 'me',
  });
});

test.each(['github', 'gitea', 'gitlab'] as const)('%s: a list without end is cut off, which is said', async (type) => {
  let pages = 0;
  const { url } = await forge((at, response) => {
    if (at.pathname.endsWith('/user')) return response.end('{"login":"me","username":"me"}');
    if (!at.pathname.endsWith('issues')) {
      return response.end(
        at.pathname.endsWith('merge_requests') ? '[]' : '{"topics":[],"name":"api","owner":{"login":"acme"}}',
      );
    }
    pages += 1;
    at.searchParams.set('page', String(pages + 1));
    const body = Array.from({ length: 100 }, (_, n) => {
      const number = pages * 100 + n;
      return { ...githubIssue(number), iid: number, web_url: 'x', labels: [], assignees: [] };
    });
    return response.writeHead(200, { link: `<${at.href}>; rel="next"` }).end(JSON.stringify(body));
  });
  const found = await open(type, url).openWork('hub/acme/api');
  expect(found).toMatchObject({ isWhole: false });
  expect(found?.items).toHaveLength(MOST_ITEMS);
  expect(pages).toBe(MOST_ITEMS / 100);
});

test('a forge that asks to wait is a failure with its time; a provider without issues has none', async () => {
  const { url } = await forge((_at, response) =>
    response.writeHead(429, { 'retry-after': '7' }).end('{"message":"slow"}'),
  );
  expect(await failureOf(open('gitea', url).openWork('hub/acme/api'))).toMatch(/^RateLimited: .*7 s/);
  const local = openMgit(scratchFolder(), [{ name: 'disk', type: 'local', root: '/nonexistent' }]);
  expect(await local.openWork('disk/acme/api')).toBeNull();
  expect(await local.openWork('none/acme/api')).toBeNull();
});
