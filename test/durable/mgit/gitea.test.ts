import { join } from 'node:path';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { diffLines, type Mgit } from '../../../activities/mgit/index.ts';
import { GITEA_BUILD_MS, type Gitea, startGitea } from '../../support/gitea.ts';
import { failureOf, openMgit } from '../../support/mgit.ts';

describe('a real Gitea', { timeout: 300_000 }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'longhaul-gitea-'));
  let gitea: Gitea;

  beforeAll(async () => {
    gitea = await startGitea(folder);
  }, GITEA_BUILD_MS);
  afterAll(async () => {
    await gitea?.close();
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  }, 60_000);

  let caches = 0;
  const open = (more: object = {}, token = gitea.token): Mgit =>
    openMgit(
      join(folder, `cache-${caches++}`),
      [{ name: 'tea', type: 'gitea', url: gitea.url, tokenEnv: 'T', archived: false, forks: false, ...more }],
      { env: { T: token } },
    );
  const ids = async (mgit: Mgit, ...patterns: string[]): Promise<string[]> =>
    (await mgit.list(patterns)).map(({ id }) => id);
  const create = async (organization: string, ...names: string[]): Promise<void> => {
    await gitea.api('POST', '/orgs', { username: organization });
    for (const name of names) {
      await gitea.api('POST', `/orgs/${organization}/repos`, {
        name,
        private: true,
        auto_init: true,
        readme: 'Default',
      });
    }
  };

  test('listed repositories can be found, cloned and read; others are not found', async () => {
    await create('acme', 'api', 'web');
    await gitea.api('POST', '/user/repos', { name: 'mine', auto_init: true, readme: 'Default' });
    await gitea.api('POST', '/repos/acme/api/contents/src/a.ts', {
      content: Buffer.from('export const a = 1;\n').toString('base64'),
      message: 'a',
    });
    const mgit = open();
    expect(await ids(mgit, 'acme/*')).toEqual(['tea/acme/api', 'tea/acme/web']);
    expect(await ids(mgit, '*')).toEqual(['tea/acme/api', 'tea/acme/web', 'tea/root-of-all/mine']);
    expect(await ids(mgit, 'root-of-all/*')).toEqual(['tea/root-of-all/mine']);
    expect(await ids(mgit, 'nobody/*')).toEqual([]);
    const api = await mgit.find('tea/acme/api');
    expect(api).toMatchObject({ cloneUrl: `${gitea.url}/acme/api.git`, defaultBranch: 'main' });
    expect(api.uid).toMatch(/^127\.0\.0\.1:\d+:\d+$/);
    const lines: unknown[] = [];
    for await (const line of diffLines(mgit, api, { since: null })) lines.push(JSON.parse(line));
    expect(lines).toMatchObject([
      { path: 'README.md' },
      { path: 'src/a.ts', content: 'export const a = 1;\n' },
      { repo: 'acme/api', new_changeset: { branch: 'main' } },
    ]);
    expect(await failureOf(mgit.find('tea/acme/none'))).toMatch(/^RepositoryNotFound: /);
  });

  test('several pages are one list', async () => {
    const names = Array.from({ length: 120 }, (_, at) => `r${at}`);
    await gitea.api('POST', '/orgs', { username: 'many' });
    for (const name of names) await gitea.api('POST', '/orgs/many/repos', { name });
    expect(await ids(open(), 'many/*')).toEqual(names.map((name) => `tea/many/${name}`).sort());
  });

  test('renamed and transferred repositories are found', async () => {
    await create('old', 'one', 'two');
    await create('new');
    const mgit = open();
    const known = await mgit.list(['old/*']);
    await gitea.api('PATCH', '/repos/old/one', { name: 'uno' });
    await gitea.api('POST', '/repos/old/two/transfer', { new_owner: 'new' });
    const where = await mgit.whereabouts(known);
    expect(where.get('tea/old/one')).toMatchObject({ state: 'moved', repository: { id: 'tea/old/uno' } });
    expect(where.get('tea/old/two')).toMatchObject({ state: 'moved', repository: { id: 'tea/new/two' } });
    expect(await failureOf(mgit.find('tea/old/one'))).toMatch(/^RepositoryNotFound: /);
    // another repository has the old name now
    await gitea.api('POST', '/orgs/old/repos', { name: 'one' });
    expect((await mgit.whereabouts(known)).get('tea/old/one')).toMatchObject({ state: 'there' });
    await gitea.api('DELETE', '/repos/new/two');
    expect((await mgit.whereabouts(known)).get('tea/old/two')).toMatchObject({ state: 'gone' });
  });

  test('archived repositories and forks only when asked for', async () => {
    await create('kinds', 'plain', 'old');
    await create('forked');
    await gitea.api('PATCH', '/repos/kinds/old', { archived: true });
    await gitea.api('POST', '/repos/kinds/plain/forks', { organization: 'forked' });
    expect(await ids(open(), 'kinds/*', 'forked/*')).toEqual(['tea/kinds/plain']);
    expect(await ids(open({ archived: true, forks: true }), 'kinds/*', 'forked/*')).toEqual([
      'tea/forked/plain',
      'tea/kinds/old',
      'tea/kinds/plain',
    ]);
  });

  test('a wrong token, one without permission, and none', async () => {
    await create('closed', 'api');
    const [repository] = await open().list(['closed/*']);
    if (repository === undefined) throw new Error('nothing is listed');
    const wrong = 'f'.repeat(40);
    for (const token of [wrong, await gitea.tokenFor('read:misc')]) {
      const mgit = open({}, token);
      const attempts = [
        mgit.list(['*']),
        mgit.list(['closed/*']),
        mgit.find(repository.id),
        mgit.diff(repository, null),
      ];
      for (const said of await Promise.all(attempts.map(failureOf))) {
        expect(said).toMatch(/^AuthenticationFailed: /);
        expect(said).not.toContain(token);
      }
    }
    const scopes = 'read:repository,read:organization,read:user';
    const reader = open({}, await gitea.tokenFor(scopes));
    expect(await ids(reader, 'closed/*')).toEqual([repository.id]);
    expect(await ids(reader, '*')).toEqual(await ids(open(), '*'));
    expect((await reader.diff(repository, null)).files).toBe(1);
    expect(await ids(open({ tokenEnv: undefined }), 'closed/*')).toEqual([]);
    const elsewhere = openMgit(join(folder, 'other'), [
      { name: 'tea', type: 'gitea', url: `${gitea.url}/nowhere`, archived: false, forks: false },
    ]);
    expect(await failureOf(elsewhere.list(['closed/*']))).toMatch(/^DiscoveryFailed: .*no API/);
  });
});
