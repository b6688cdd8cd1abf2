import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { GITEA_BUILD_MS, type Gitea, startGitea } from '../../support/gitea.ts';
import { openMgit } from '../../support/mgit.ts';

const folder = mkdtempSync(join(tmpdir(), 'longhaul-gitea-'));
let gitea: Gitea;

beforeAll(async () => {
  gitea = await startGitea(folder);
}, GITEA_BUILD_MS);
afterAll(async () => {
  await gitea?.close();
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
}, 60_000);

test('open issues and pull requests of a real Gitea', { timeout: 300_000 }, async () => {
  await gitea.api('POST', '/orgs', { username: 'acme' });
  await gitea.api('POST', '/orgs/acme/repos', { name: 'api', auto_init: true, readme: 'Default' });
  await gitea.api('PUT', '/repos/acme/api/topics', { topics: ['auth', 'http'] });
  const label = (await gitea.api('POST', '/repos/acme/api/labels', { name: 'good first issue', color: '#00aa00' })) as {
    readonly id: number;
  };
  await gitea.api('POST', '/repos/acme/api/issues', {
    title: 'It breaks',
    body: 'steps',
    labels: [label.id],
    assignees: ['root-of-all'],
  });
  await gitea.api('POST', '/repos/acme/api/issues', { title: 'Done' });
  await gitea.api('PATCH', '/repos/acme/api/issues/2', { state: 'closed' });
  await gitea.api('POST', '/repos/acme/api/issues/1/comments', { body: 'me too' });
  await gitea.api('POST', '/repos/acme/api/contents/a.ts', {
    content: Buffer.from('a').toString('base64'),
    message: 'a',
    new_branch: 'topic',
  });
  await gitea.api('POST', '/repos/acme/api/pulls', {
    title: 'WIP: mend it',
    body: 'fixes #1',
    head: 'topic',
    base: 'main',
  });
  const mgit = openMgit(
    join(folder, 'cache'),
    [{ name: 'tea', type: 'gitea', url: gitea.url, tokenEnv: 'T', archived: false, forks: false }],
    { env: { T: gitea.token } },
  );
  const found = await mgit.openWork('tea/acme/api');
  const items = found?.items.toSorted((a, b) => a.number - b.number);
  expect({ ...found, items }).toMatchObject({
    isWhole: true,
    topics: ['auth', 'http'],
    account: 'root-of-all',
    items: [
      {
        kind: 'issue',
        number: 1,
        title: 'It breaks',
        body: 'steps',
        author: 'root-of-all',
        assignees: ['root-of-all'],
        labels: ['good first issue'],
        comments: 1,
        isDraft: false,
        url: `${gitea.url}/acme/api/issues/1`,
      },
      { kind: 'pull', number: 3, title: 'WIP: mend it', body: 'fixes #1', isDraft: true },
    ],
  });
  expect(await mgit.openWork('tea/acme/none')).toBeNull();
  // more than one page
  for (let n = 0; n < 55; n++) await gitea.api('POST', '/repos/acme/api/issues', { title: `more ${n}` });
  expect((await mgit.openWork('tea/acme/api'))?.items).toHaveLength(57);
});
