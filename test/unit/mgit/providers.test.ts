import { generateKeyPairSync } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { diffLines } from '../../../activities/mgit/index.ts';
import type { ProviderConfig } from '../../../domain/config/providers.schema.ts';
import type { LonghaulError } from '../../../domain/shared/failures.ts';
import { type Forge, type ForgeAccess, startForge } from '../../support/forge.ts';
import { changesOf, failureOf, openMgit } from '../../support/mgit.ts';
import { commitTree, files, git, initRepository, scratchFolder } from '../../support/scratch-git.ts';
import { likeTemplate, startTemplateForge, TOKEN } from '../../support/template-forge.ts';

async function forgeOf(
  names: readonly string[],
  access: ForgeAccess = { token: TOKEN },
): Promise<{ forge: Forge; cache: string }> {
  const folder = scratchFolder();
  const forge = await startTemplateForge(folder, names, access);
  onTestFinished(() => forge.close());
  return { forge, cache: join(folder, 'cache') };
}

function github({ url }: Forge, more: Partial<Extract<ProviderConfig, { type: 'github' }>> = {}): ProviderConfig {
  return { name: 'work', type: 'github', url, tokenEnv: 'FORGE_TOKEN', archived: false, forks: false, ...more };
}

const env = { FORGE_TOKEN: TOKEN };

const ARRAY = `[
  {
    "organization": "org0",
    "project": null,
    "repository": "svc-1",
    "clone_url": "https://someone:ghp_secret@github.com/org0/svc-1.git",
    "ssh_url": "git@github.com:org0/svc-1.git",
    "default_branch": "main",
    "is_private": false,
    "description": null
  },
  {
    "organization": "org0",
    "project": "team",
    "repository": "svc-2",
    "clone_url": "https://dev.azure.com/org0/team/_git/svc-2",
    "default_branch": null
  }
]`;
const ENTRIES = (JSON.parse(ARRAY) as unknown[]).map((entry) => JSON.stringify(entry));

/** A program instead of mgit that prints this and records its arguments. */
function program(
  printed: string,
  { code = 0, stderr = '' } = {},
): { config: ProviderConfig; folder: string; calls: string } {
  const folder = scratchFolder();
  const command = join(folder, 'mgit');
  const calls = join(folder, 'calls');
  writeFileSync(join(folder, 'printed'), printed);
  writeFileSync(join(folder, 'stderr'), stderr);
  writeFileSync(
    command,
    `#!/bin/sh\nprintf '%s|' "$@" >> ${calls}\necho >> ${calls}\ncat ${folder}/printed\ncat ${folder}/stderr >&2\nexit ${code}\n`,
    { mode: 0o755 },
  );
  return { config: { name: 'corp', type: 'mgit', command, provider: 'azure', passEnv: [] }, folder, calls };
}

const list = async (printed: string, pattern = '*', options = {}): Promise<string[]> => {
  const { config, folder } = program(printed, options);
  return (await openMgit(join(folder, 'cache'), [config]).list([pattern])).map(({ id }) => id);
};

describe('github', () => {
  test('45 organizations with 3 repositories each are 135 of 135, and each can be read', async () => {
    const names = Array.from({ length: 135 }, (_, at) => `org${at % 45}/svc-${Math.floor(at / 45)}`);
    const { forge, cache } = await forgeOf(names);
    const mgit = openMgit(cache, [github(forge)], { env });
    const found = await mgit.list(['*']);
    expect(found.map(({ id }) => id)).toEqual(names.map((name) => `work/${name}`).sort());
    expect(await mgit.list(['org1*/*/*', 'org2/svc-0'])).toHaveLength(44);
    const some = found.filter((_, at) => at % 40 === 0);
    const heads = await mgit.heads(some);
    expect([...heads.values()]).toEqual(
      some.map(({ uid }) => ({
        commit: git(join(forge.root, 'org0/svc-0.git'), 'rev-parse', 'main'),
        tree: git(join(forge.root, 'org0/svc-0.git'), 'rev-parse', 'main^{tree}'),
        committedAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT/) as string,
        branch: 'main',
        uid,
      })),
    );
    for (const repository of some) expect(await changesOf(await mgit.diff(repository, null))).toHaveLength(2);
    const lines: unknown[] = [];
    for await (const line of diffLines(mgit, await mgit.find('work/org0/svc-0'), { since: null }))
      lines.push(JSON.parse(line));
    expect(lines).toMatchObject([
      { path: 'README.md' },
      { path: 'a.ts' },
      { repo: 'org0/svc-0', new_changeset: { branch: 'main', parent: null } },
    ]);
  });

  test('more than a hundred repositories of one organization', async () => {
    const { forge, cache } = await forgeOf(Array.from({ length: 230 }, (_, at) => `acme/r${at}`));
    const mgit = openMgit(cache, [github(forge)], { env });
    expect(await mgit.list(['acme/*'])).toHaveLength(230);
    expect(forge.requests.filter((request) => request.includes('/orgs/acme/repos'))).toHaveLength(3);
  });

  test('only the named organization or user is queried', async () => {
    const { forge, cache } = await forgeOf(['acme/api', 'other/api', 'jane/dotfiles']);
    forge.foreign.add('acme');
    forge.users.add('jane');
    const mgit = openMgit(cache, [github(forge)], { env });
    expect((await mgit.list(['acme/api'])).map(({ id }) => id)).toEqual(['work/acme/api']);
    expect((await mgit.list(['jane/*'])).map(({ id }) => id)).toEqual(['work/jane/dotfiles']);
    expect(await mgit.list(['nobody/*'])).toEqual([]);
    expect(forge.requests.some((request) => request.includes('/user/orgs'))).toBe(false);
    expect((await mgit.list(['*/api', 'acme/*'])).map(({ id }) => id)).toEqual(['work/acme/api', 'work/other/api']);
  });

  test('archived repositories and forks only when asked for', async () => {
    const { forge, cache } = await forgeOf(['acme/a', 'acme/b', 'acme/c']);
    forge.archived.add('acme/a');
    forge.forks.add('acme/b');
    const ids = async (more: object): Promise<string[]> =>
      (await openMgit(cache, [github(forge, more)], { env }).list(['acme/*'])).map(({ repository }) => repository);
    expect(await ids({})).toEqual(['c']);
    expect(await ids({ archived: true })).toEqual(['a', 'c']);
    expect(await ids({ forks: true, archived: true })).toEqual(['a', 'b', 'c']);
  });

  test('a refused token is AuthenticationFailed everywhere, and is never shown', async () => {
    const { forge, cache } = await forgeOf(['acme/api']);
    const mgit = openMgit(cache, [github(forge)], { env: { FORGE_TOKEN: 'ghp_wrong' } });
    const repository = { id: 'work/acme/api', cloneUrl: `${forge.url}/acme/api.git` };
    const failures = await Promise.all([
      mgit.list(['*']).catch((error: unknown) => error),
      mgit.list(['acme/*']).catch((error: unknown) => error),
      mgit.find('work/acme/api').catch((error: unknown) => error),
      mgit.diff(repository, null).catch((error: unknown) => error),
      mgit.heads([repository]).then((heads) => heads.get(repository.id)),
    ]);
    for (const failure of failures) {
      expect(failure).toMatchObject({ type: 'AuthenticationFailed' });
      expect(`${String(failure)}${String((failure as Error).stack)}`).not.toMatch(/ghp_|eC1hY2Nlc3MtdG9rZW4/);
    }
  });

  test('no token, and one that is not set', async () => {
    const { forge, cache } = await forgeOf(['acme/api'], {});
    const anonymous = github(forge);
    delete (anonymous as { tokenEnv?: string }).tokenEnv;
    const open = openMgit(cache, [anonymous]);
    expect(await open.list(['acme/*'])).toHaveLength(1);
    expect(await failureOf(open.list(['*']))).toMatch(/^AuthenticationFailed: .*tokenEnv/);
    expect(await failureOf(openMgit(cache, [github(forge)]).list(['*']))).toMatch(
      /^AuthenticationFailed: .*FORGE_TOKEN/,
    );
  });

  test('a GitHub App', async () => {
    const { publicKey, privateKey } = generateKeyPairSync('rsa', {
      modulusLength: 2_048,
      publicKeyEncoding: { type: 'spki', format: 'pem' },
      privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    });
    const { forge, cache } = await forgeOf(['acme/api', 'beta/web'], {
      token: TOKEN,
      app: { id: '17', installation: 4, publicKey },
    });
    const config = github(forge, { app: { idEnv: 'ID', privateKeyEnv: 'KEY', installationIdEnv: 'INSTALLATION' } });
    const mgit = openMgit(cache, [config], {
      env: { ID: '17', KEY: privateKey.replaceAll('\n', '\\n'), INSTALLATION: '4' },
    });
    const found = await mgit.list(['*']);
    expect(found.map(({ id }) => id)).toEqual(['work/acme/api', 'work/beta/web']);
    const [first] = found;
    expect(first && (await mgit.diff(first, null)).files).toBe(2);
    const wrong = openMgit(cache, [config], { env: { ID: '17', KEY: privateKey, INSTALLATION: '5' } });
    await expect(wrong.list(['*'])).rejects.toMatchObject({ type: 'AuthenticationFailed' });
  });

  test.each([
    [
      'a primary limit',
      {
        status: 403,
        message: 'API rate limit exceeded',
        headers: { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': String(Math.floor(Date.now() / 1_000) + 600) },
      },
      [500_000, 612_000],
    ],
    [
      'a secondary limit',
      { status: 403, message: 'You have exceeded a secondary rate limit', headers: { 'retry-after': '77' } },
      [70_000, 77_000],
    ],
    ['too many requests', { status: 429, message: 'Slow down' }, [55_000, 60_000]],
  ] as const)('%s is RateLimited and says until when', async (_, refusal, [least, most]) => {
    const { forge, cache } = await forgeOf(['acme/api']);
    forge.refuse = () => refusal;
    const failure = await openMgit(cache, [github(forge)], { env })
      .list(['acme/*'])
      .catch((error: unknown) => error as LonghaulError);
    expect(failure).toMatchObject({ type: 'RateLimited' });
    const wait = (failure as LonghaulError).retryAfterMs ?? 0;
    expect(wait).toBeGreaterThanOrEqual(least);
    expect(wait).toBeLessThanOrEqual(most);
    expect(forge.requests).toHaveLength(1);
  });

  test('403 for another reason is AuthenticationFailed; one 502 is tried again', async () => {
    const { forge, cache } = await forgeOf(['acme/api']);
    const mgit = openMgit(cache, [github(forge)], { env });
    forge.refuse = () => ({ status: 403, message: 'Resource protected by organization SAML enforcement' });
    await expect(mgit.list(['acme/*'])).rejects.toMatchObject({ type: 'AuthenticationFailed' });
    let times = 0;
    forge.refuse = () => (times++ === 0 ? { status: 502, message: 'Bad gateway' } : null);
    expect(await mgit.list(['acme/*'])).toHaveLength(1);
  });

  test('a missing repository is RepositoryNotFound', async () => {
    const { forge, cache } = await forgeOf(['acme/api']);
    const mgit = openMgit(cache, [github(forge)], { env });
    const gone = { id: 'work/acme/gone', cloneUrl: `${forge.url}/acme/gone.git` };
    expect(await failureOf(mgit.diff(gone, null))).toMatch(/^RepositoryNotFound: .*work\/acme\/gone/);
    expect(await failureOf(mgit.find('work/acme/gone'))).toMatch(/^RepositoryNotFound: .*work\/acme\/gone/);
    expect(await failureOf(mgit.find('home/acme/api'))).toMatch(/^RepositoryNotFound: No provider home/);
  });

  test('a forge that cannot be reached is DiscoveryFailed for the list and RemoteUnreachable for git', async () => {
    const { forge, cache } = await forgeOf(['acme/api']);
    const mgit = openMgit(cache, [github(forge)], { env });
    await forge.close();
    expect(await failureOf(mgit.list(['acme/*']))).toMatch(/^DiscoveryFailed: Provider work did not answer/);
    expect(await failureOf(mgit.diff({ id: 'work/acme/api', cloneUrl: `${forge.url}/acme/api.git` }, null))).toMatch(
      /^RemoteUnreachable: /,
    );
  });

  test('an abort ends a list at once', async () => {
    const { forge, cache } = await forgeOf(['acme/api']);
    const mgit = openMgit(cache, [github(forge)], { env });
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
  });

  test('the token is sent only to the configured address', async () => {
    const { forge, cache } = await forgeOf(['acme/api']);
    const { forge: other } = await forgeOf(['acme/api']);
    const mgit = openMgit(cache, [github(forge)], { env });
    await expect(mgit.diff({ id: 'work/acme/api', cloneUrl: `${other.url}/acme/api.git` }, null)).rejects.toMatchObject(
      {
        type: 'AuthenticationFailed',
      },
    );
  });
});

describe('whereabouts', () => {
  test('of many or few: present, moved, gone, of a missing provider or one that does not answer', async () => {
    const folder = scratchFolder();
    const root = join(folder, 'code');
    const names = Array.from({ length: 10 }, (_, at) => `r${at}`);
    for (const name of names) initRepository(join(root, 'acme', name));
    initRepository(join(root, 'lone', 'one'));
    const providers: ProviderConfig[] = [
      { name: 'local', type: 'local', root },
      { name: 'off', type: 'local', root: join(folder, 'none') },
    ];
    const mgit = openMgit(join(folder, 'cache'), providers);
    const known = await mgit.list(['local/*/*']);
    mkdirSync(join(root, 'other'));
    renameSync(join(root, 'acme', 'r3'), join(root, 'other', 'moved'));
    rmSync(join(root, 'acme', 'r4'), { recursive: true });
    rmSync(join(root, 'lone', 'one'), { recursive: true });
    const asked = [...known, { id: 'off/a/b' }, { id: 'nobody/a/b' }];
    for (const some of [asked, asked.filter(({ id }) => /r[345]|one|a\/b/.test(id))]) {
      const where = await mgit.whereabouts(some);
      expect([...where.keys()].sort()).toEqual(some.map(({ id }) => id).sort());
      expect(where.get('local/acme/r5')).toMatchObject({ state: 'there', repository: { id: 'local/acme/r5' } });
      expect(where.get('local/acme/r3')).toMatchObject({ state: 'moved', repository: { id: 'local/other/moved' } });
      expect(where.get('local/acme/r4')).toEqual({ state: 'gone', certain: true });
      expect(where.get('local/lone/one')).toEqual({ state: 'gone', certain: false });
      expect(where.get('off/a/b')).toMatchObject({ type: 'DiscoveryFailed' });
      expect(where.get('nobody/a/b')).toEqual({ state: 'no-provider' });
    }
  });

  test('on a forge that refuses: no repository is gone', async () => {
    const { forge, cache } = await forgeOf(['acme/api', 'acme/web']);
    const mgit = openMgit(cache, [github(forge)], { env });
    const known = await mgit.list(['acme/*']);
    await forge.rename('acme/api', 'other/interface');
    rmSync(join(forge.root, 'acme', 'web.git'), { recursive: true });
    const answers = await mgit.whereabouts(known);
    expect(answers.get('work/acme/api')).toMatchObject({ state: 'moved', repository: { id: 'work/other/interface' } });
    expect(answers.get('work/acme/web')).toEqual({ state: 'gone', certain: false });
    // another repository had the name in between: only the number leads to the repository now
    forge.forget('acme/api');
    expect((await mgit.whereabouts(known)).get('work/acme/api')).toMatchObject({ state: 'moved' });
    forge.refuse = () => ({ status: 401, message: 'Bad credentials' });
    const refused = await mgit.whereabouts(known);
    expect([...refused.values()]).toMatchObject([{ type: 'AuthenticationFailed' }, { type: 'AuthenticationFailed' }]);
  });
});

describe('local', () => {
  test('finds repositories at any depth, bare or not, and says what it passes over', async () => {
    const folder = scratchFolder();
    const root = join(folder, 'code');
    initRepository(join(root, 'acme', 'plain'));
    initRepository(join(root, 'acme', 'bare.git'), '--bare');
    initRepository(join(root, 'acme', 'both'));
    initRepository(join(root, 'acme', 'both.git'), '--bare');
    initRepository(join(root, 'acme', 'platform', 'api'));
    initRepository(join(root, 'acme', 'platform', 'deep', 'er', 'below'));
    initRepository(join(root, 'acme', 'platform:deep', 'twin'));
    initRepository(join(root, 'acme', 'platform', 'deep', 'twin'));
    initRepository(join(root, 'acme', 'a:b', 'c', 'colon'));
    initRepository(join(root, ...Array.from({ length: 22 }, (_, at) => `n${at}`), 'too-deep'));
    symlinkSync(root, join(root, 'acme', 'platform', 'around'));
    symlinkSync(join(root, 'acme'), join(root, 'acme', 'platform', 'again'));
    initRepository(join(root, 'acme', 'plain', 'inside'));
    initRepository(join(root, 'top'));
    initRepository(join(root, 'bare-top.git'), '--bare');
    initRepository(join(root, '_', 'top'));
    initRepository(join(root, '_', 'other'));
    initRepository(join(root, '.hidden', 'x'));
    initRepository(join(root, 'acme', 'new\nline'));
    initRepository(join(root, 'with space', 'ä ü'));
    mkdirSync(join(root, 'acme', 'no-repository', 'src'), { recursive: true });
    writeFileSync(join(root, 'acme', 'HEAD'), 'not one either');
    commitTree(join(root, 'acme', 'plain'), files({ a: '1\n' }));
    git(join(root, 'acme', 'plain'), 'worktree', 'add', '-q', join(root, 'acme', 'worktree'), '-b', 'feature');
    initRepository(join(root, 'acme', 'separate'), '--separate-git-dir', join(folder, 'elsewhere.git'));
    const mgit = openMgit(join(folder, 'cache'), [{ name: 'local', type: 'local', root }]);
    const passedOver = new Map<string, string>();
    const found = await mgit.list(['*'], {
      onPassedOver: (path, why) => passedOver.set(path.slice(root.length + 1), why),
    });
    expect(Object.fromEntries(passedOver)).toEqual({
      '_/top': `${join(root, 'top')} has the same id local/_/top`,
      'acme/a:b/c/colon': 'a folder above it has a colon in its name',
      'acme/new\nline': '"local/acme/new\\nline" cannot be an id',
      'acme/platform/deep/twin': `${join(root, 'acme', 'platform:deep', 'twin')} has the same id local/acme/platform:deep/twin`,
      [Array.from({ length: 21 }, (_, at) => `n${at}`).join('/')]: `it is more than 20 folders below ${root}`,
    });
    expect(found.map(({ id }) => id)).toEqual([
      'local/_/bare-top',
      'local/_/other',
      'local/_/top',
      'local/acme/bare',
      'local/acme/both',
      'local/acme/both.git',
      'local/acme/plain',
      'local/acme/platform/api',
      'local/acme/platform:deep/twin',
      'local/acme/platform:deep:er/below',
      'local/acme/separate',
      'local/acme/worktree',
      'local/with space/ä ü',
    ]);
    expect(found.find(({ id }) => id === 'local/acme/platform:deep:er/below')).toMatchObject({
      organization: 'acme',
      project: 'platform:deep:er',
      cloneUrl: join(root, 'acme', 'platform', 'deep', 'er', 'below'),
    });
    expect(found.find(({ id }) => id === 'local/acme/platform/api')).toEqual({
      uid: expect.stringMatching(/^\d+:\d+:\d+$/) as string,
      id: 'local/acme/platform/api',
      provider: 'local',
      organization: 'acme',
      project: 'platform',
      repository: 'api',
      cloneUrl: join(root, 'acme', 'platform', 'api'),
      defaultBranch: 'main',
    });
    for (const repository of found) expect(await mgit.find(repository.id)).toEqual(repository);
    const heads = await mgit.heads(found);
    expect(heads.get('local/acme/worktree')).toEqual({
      commit: git(join(root, 'acme', 'plain'), 'rev-parse', 'main'),
      branch: 'feature',
      uid: found.find(({ id }) => id === 'local/acme/worktree')?.uid,
    });
    expect(heads.get('local/acme/separate')).toMatchObject({ commit: '0'.repeat(40), branch: 'main' });
    const worktree = found.find(({ repository }) => repository === 'worktree');
    expect(worktree && (await mgit.diff(worktree, null)).files).toBe(1);
  });

  test('finds the repository that its folder is, and those below it unless it is bare', async () => {
    const folder = scratchFolder();
    const root = initRepository(join(folder, 'code'));
    initRepository(join(root, 'acme', 'api'));
    const bare = initRepository(join(folder, 'single.git'), '--bare');
    initRepository(join(bare, 'objects', 'x'));
    const mgit = openMgit(join(folder, 'cache'), [
      { name: 'local', type: 'local', root },
      { name: 'bare', type: 'local', root: bare },
    ]);
    const found = await mgit.list(['*']);
    expect(found.map(({ id, cloneUrl }) => [id, cloneUrl])).toEqual([
      ['bare/_/single', bare],
      ['local/_/code', root],
      ['local/acme/api', join(root, 'acme', 'api')],
    ]);
    for (const repository of found) expect(await mgit.find(repository.id)).toEqual(repository);
    await expect(mgit.find('local/_/api')).rejects.toMatchObject({ type: 'RepositoryNotFound' });
  });

  test.for(['local', 'remote'])('a %s HEAD that names no branch: the only branch, or what to do', async (where) => {
    const folder = scratchFolder();
    const forge = await startForge(join(folder, 'forge'));
    onTestFinished(() => forge.close());
    const path = initRepository(join(forge.root, 'acme', 'api.git'), '--bare');
    git(path, 'symbolic-ref', 'HEAD', 'refs/heads/master');
    const id = 'x/acme/api';
    const repository = { id, cloneUrl: where === 'local' ? path : `${forge.url}/acme/api.git` };
    const mgit = openMgit(join(folder, 'cache'));
    const head = async (branches?: string[]) =>
      (await mgit.heads([{ ...repository, ...(branches && { branches }) }])).get(id);
    expect(await head()).toMatchObject({ commit: '0'.repeat(40) });
    expect(await head(['*'])).toMatchObject({ commit: '0'.repeat(40) });

    const main = commitTree(path, files({ a: '1\n' }));
    expect(await head()).toMatchObject({ commit: main, branch: 'main' });
    expect(await head(['*'])).toEqual({ commit: main, branch: 'main', branches: new Map() });
    expect(await mgit.diff(repository, null)).toMatchObject({ files: 1, to: { commit: main, branch: 'main' } });
    git(path, 'pack-refs', '--all');
    expect(await head()).toMatchObject({ commit: main, branch: 'main' });

    commitTree(path, files({ a: '2\n' }), { branch: 'develop' });
    for (const branches of [undefined, ['*']]) {
      expect(await head(branches)).toMatchObject({
        type: 'HeadMissing',
        message: expect.stringMatching(
          where === 'local' ? /names the branch master, .* branches: develop, main\.$/ : /branches: develop, main\.$/,
        ) as string,
      });
    }
    git(path, 'symbolic-ref', 'HEAD', 'refs/heads/develop');
    expect(await head()).toMatchObject({ branch: 'develop' });
  });

  test('does not follow symlinks or names out of its folder', async () => {
    const folder = scratchFolder();
    const root = join(folder, 'code');
    initRepository(join(folder, 'secret', 'repo'));
    initRepository(join(root, 'acme', 'api'));
    symlinkSync(join(folder, 'secret'), join(root, 'org'));
    symlinkSync(join(folder, 'secret', 'repo'), join(root, 'acme', 'link'));
    symlinkSync(join(root, 'acme', 'api'), join(root, 'acme', 'alias'));
    symlinkSync(join(root, 'nowhere'), join(root, 'acme', 'dangling'));
    const mgit = openMgit(join(folder, 'cache'), [{ name: 'local', type: 'local', root }]);
    expect((await mgit.list(['*'])).map(({ id }) => id)).toEqual(['local/acme/alias', 'local/acme/api']);
    for (const id of [
      'local/acme/link',
      'local/org/repo',
      'local/../secret/repo',
      'local/acme/..',
      'local/acme',
      'local',
    ]) {
      await expect(mgit.find(id)).rejects.toMatchObject({ type: 'RepositoryNotFound' });
    }
  });

  test('a missing folder is DiscoveryFailed', async () => {
    const folder = scratchFolder();
    const mgit = openMgit(join(folder, 'cache'), [{ name: 'local', type: 'local', root: join(folder, 'none') }]);
    expect(await failureOf(mgit.list(['*']))).toMatch(/^DiscoveryFailed: .*none/);
  });

  test('1,000 heads without one git', async () => {
    const folder = scratchFolder();
    const template = initRepository(join(folder, 'template.git'), '--bare');
    const commit = commitTree(template, files({ a: '1\n' }));
    git(template, 'pack-refs', '--all');
    for (let at = 0; at < 1_000; at++) likeTemplate(template, join(folder, 'code', `org${at % 10}`, `r${at}.git`));
    // with no PATH there is no git to run
    const local: ProviderConfig = { name: 'local', type: 'local', root: join(folder, 'code') };
    const mgit = openMgit(join(folder, 'cache'), [local], { env: { PATH: '/nonexistent' } });
    const repositories = await mgit.list(['*']);
    const heads = await mgit.heads(repositories);
    expect(heads.size).toBe(1_000);
    expect([...heads.values()].filter((head) => head instanceof Error || head.commit !== commit)).toEqual([]);
  });

  test('an unreadable repository is an entry with an error, and a broken ref is not an empty repository', async () => {
    const folder = scratchFolder();
    const good = initRepository(join(folder, 'good'));
    const commit = commitTree(good, files({ a: '1\n' }));
    const broken = initRepository(join(folder, 'broken'));
    commitTree(broken, files({ a: '1\n' }));
    writeFileSync(join(broken, '.git', 'refs', 'heads', 'main'), '');
    const mgit = openMgit(join(folder, 'cache'));
    const heads = await mgit.heads([
      { id: 'l/a/good', cloneUrl: good },
      { id: 'l/a/broken', cloneUrl: broken },
      { id: 'l/a/gone', cloneUrl: join(folder, 'gone') },
      { id: 'l/a/file', cloneUrl: `file://${good}` },
    ]);
    expect(heads.get('l/a/good')).toEqual({ commit, branch: 'main' });
    expect(heads.get('l/a/file')).toEqual({ commit, branch: 'main' });
    expect(heads.get('l/a/broken')).toMatchObject({ type: 'SourceUnreadable' });
    expect(heads.get('l/a/gone')).toMatchObject({ type: 'RepositoryNotFound' });
  });
});

describe('mgit', () => {
  test.each([
    ['the array', ARRAY],
    [
      'with its log in front',
      `2026-01-01 10:00:00,000 - security_monitor - INFO - started\n[2026-01-01] INFO [x] y\n${ARRAY}`,
    ],
    ['and behind', `${ARRAY}\nINFO done [ok]\n`],
    ['one object a line', ENTRIES.join('\n')],
    ['one object a line, with its log', `INFO a\n${ENTRIES.join('\nINFO b\n')}\n`],
    ['an array on one line', `[${ENTRIES.join(', ')}]`],
  ])('reads %s', async (_, printed) => {
    expect(await list(printed)).toEqual(['corp/org0/svc-1', 'corp/org0/team/svc-2']);
  });

  test('passes the pattern, filters the result, and removes credentials from addresses', async () => {
    const { config, folder, calls } = program(ARRAY);
    const mgit = openMgit(join(folder, 'cache'), [config]);
    expect(await mgit.list(['org0/svc-1'])).toMatchObject([
      { id: 'corp/org0/svc-1', cloneUrl: 'https://github.com/org0/svc-1.git' },
    ]);
    expect(await mgit.find('corp/org0/team/svc-2')).toMatchObject({ project: 'team', defaultBranch: null });
    await expect(mgit.find('corp/org0/svc-3')).rejects.toMatchObject({ type: 'RepositoryNotFound' });
    await mgit.list(['-x/*/y']);
    expect(readFileSync(calls, 'utf8').split('\n')).toEqual([
      'list|org0/*/svc-1|--format|json|-p|azure|',
      'list|org0/team/svc-2|--format|json|-p|azure|',
      'list|org0/*/svc-3|--format|json|-p|azure|',
      'list|?x/*/y|--format|json|-p|azure|',
      '',
    ]);
  });

  test('names that cannot be ids are passed over with the reason', async () => {
    const names = ['../..', 'a\u001b[2Jb', '.', 'good'];
    const entries = names.map((name) => ({ organization: 'acme', repository: name, clone_url: 'https://x/y.git' }));
    const { config, folder } = program(JSON.stringify(entries));
    const passedOver: string[] = [];
    const found = await openMgit(join(folder, 'cache'), [config]).list(['acme/*'], {
      onPassedOver: (place, why) => passedOver.push(`${place}: ${why}`),
    });
    expect(found.map(({ id }) => id)).toEqual(['corp/acme/good']);
    expect(passedOver).toEqual(
      names.slice(0, 3).map((name) => `https://x/y.git: ${JSON.stringify(`corp/acme/${name}`)} cannot be an id`),
    );
  });

  test('an empty list is not a failure, but an error is', async () => {
    expect(await list('[]')).toEqual([]);
    for (const nothing of ['', 'INFO only a log\n', 'not [json]']) {
      expect(await failureOf(list(nothing))).toMatch(/^DiscoveryFailed: mgit list printed no JSON/);
    }
    expect(await failureOf(list('[{"organization":"a"}]'))).toMatch(/^DiscoveryFailed: Entry 1/);
    const down = list('', '*', { code: 1, stderr: 'MgitError: https://u:pw@x/ is down' });
    expect(await failureOf(down)).toMatch(
      /^DiscoveryFailed: .* ended with 1: MgitError: https:\/\/\[redacted\]@x\/ is down/,
    );
    const refused = list('ERROR - GitHub said 401 Bad credentials\n[]');
    expect(await failureOf(refused)).toMatch(/^AuthenticationFailed: /);
    const folder = scratchFolder();
    const none = { name: 'corp', type: 'mgit' as const, command: join(folder, 'none'), passEnv: [] };
    const absent = openMgit(join(folder, 'cache'), [none]);
    expect(await failureOf(absent.list(['*']))).toMatch(/^DiscoveryFailed: .*not installed/);
  });
});

test('an installed mgit gets no secrets of other providers', async () => {
  const folder = scratchFolder();
  const command = join(folder, 'mgit');
  writeFileSync(command, `#!/bin/sh\nenv > ${folder}/environment\necho '[]'\n`, { mode: 0o755 });
  const secrets = { GITHUB_TOKEN: 'one', MGIT_TOKEN: 'two', AWS_SECRET_ACCESS_KEY: 'three' };
  const session = { PATH: process.env['PATH'], HOME: folder, https_proxy: 'http://127.0.0.1:9', ...secrets };
  const config = { name: 'corp', type: 'mgit' as const, command, passEnv: ['MGIT_TOKEN'] };
  await openMgit(join(folder, 'cache'), [config], { env: session }).list(['*']);
  const seen = readFileSync(join(folder, 'environment'), 'utf8');
  expect(seen).toContain('MGIT_TOKEN=two');
  expect(seen).toContain('https_proxy=');
  expect(seen).not.toMatch(/GITHUB_TOKEN|AWS_SECRET/);
});

describe('several providers', () => {
  test('one list of all, or of the named one; a failing one is not an empty list', async () => {
    const { forge, cache } = await forgeOf(['acme/api']);
    const root = join(scratchFolder(), 'code');
    initRepository(join(root, 'acme', 'api'));
    initRepository(join(root, 'acme', 'tool'));
    const mgit = openMgit(cache, [github(forge), { name: 'local', type: 'local', root }], { env });
    const ids = async (...patterns: string[]): Promise<string[]> => (await mgit.list(patterns)).map(({ id }) => id);
    expect(await ids('acme/*')).toEqual(['local/acme/api', 'local/acme/tool', 'work/acme/api']);
    expect(await ids('local/acme/*')).toEqual(['local/acme/api', 'local/acme/tool']);
    expect(await ids('work/acme/api')).toEqual(['work/acme/api']);
    expect(await ids('api', 'acme/api', '*/*/api')).toEqual(['local/acme/api', 'work/acme/api']);
    forge.refuse = () => ({ status: 401, message: 'Bad credentials' });
    await expect(ids('acme/*')).rejects.toMatchObject({ type: 'AuthenticationFailed' });
    expect(await ids('local/acme/tool')).toEqual(['local/acme/tool']);
    await expect(ids('a[b')).rejects.toMatchObject({ type: 'InvalidInput' });
  });
});
