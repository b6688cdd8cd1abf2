import { onTestFinished } from 'vitest';
import { openForge } from '../../../activities/forges/open-forge.ts';
import type { Gitea } from '../gitea.ts';
import { startFaultProxy } from './fault-proxy.ts';
import type { SeenPull, Who, WritePlace } from './write-place.ts';

/** Makes the users that {@link giteaPlace} needs. Returns their tokens. */
export async function addGiteaUsers(gitea: Gitea): Promise<ReadonlyMap<string, string>> {
  const tokens = new Map<string, string>();
  for (const username of ['writer', 'reader', 'outsider', 'other']) {
    await gitea.api('POST', '/admin/users', {
      username,
      email: `${username}@example.com`,
      password: 'a-Long-enough-1',
      must_change_password: false,
    });
    // at Gitea readers may comment and open pull requests: their token may not
    const scopes = username === 'reader' ? 'read:repository,read:issue,read:user,read:organization' : 'all';
    tokens.set(username, await gitea.tokenOf(username, scopes));
  }
  return tokens;
}

/** A private repository of its own at a real Gitea, behind a proxy that ends with the test. */
export async function giteaPlace(
  gitea: Gitea,
  tokens: ReadonlyMap<string, string>,
  organization: string,
): Promise<WritePlace> {
  const proxy = await startFaultProxy(gitea.url);
  onTestFinished(() => proxy.close());
  const path = `/repos/${organization}/api`;
  const other = tokens.get('other') ?? '';
  const token = (who: Who): string => tokens.get(who) ?? 'f'.repeat(40);
  const ask = async <Answer>(wanted: string): Promise<Answer> => (await gitea.api('GET', wanted)) as Answer;
  const commitTo = async (repository: string, branch: string, as: string, isNew = true): Promise<void> => {
    const content = Buffer.from(branch).toString('base64');
    const on = isNew ? { branch: 'main', new_branch: branch } : { branch };
    const file = `${branch.replaceAll('/', '-')}${isNew ? '' : '-again'}`;
    await gitea.api('POST', `${repository}/contents/${file}`, { content, message: branch, ...on }, as);
  };

  await gitea.api('POST', '/orgs', { username: organization });
  const created = { name: 'api', private: true, auto_init: true, readme: 'Default', default_branch: 'main' };
  await gitea.api('POST', `/orgs/${organization}/repos`, created);
  for (const [user, permission] of [
    ['writer', 'write'],
    ['reader', 'read'],
    ['other', 'write'],
  ]) {
    await gitea.api('PUT', `${path}/collaborators/${user}`, { permission });
  }
  const { commit } = await ask<{ commit: { id: string } }>(`${path}/branches/main`);

  return {
    proxy,
    repository: { id: `work/${organization}/api`, organization, project: null, repository: 'api' },
    commit: commit.id,
    token,
    open(who = 'writer', limits = {}) {
      const common = { name: 'work', type: 'gitea', archived: false, forks: false } as const;
      const config = { ...common, url: proxy.url, tokenEnv: 'READ', writeTokenEnv: 'T', limits };
      return openForge(config, { T: token(who) });
    },
    addBranch: (name) => commitTo(path, name, gitea.token),
    addTag: async (name) => void (await gitea.api('POST', `${path}/tags`, { tag_name: name })),
    addIssue: async () =>
      ((await gitea.api('POST', `${path}/issues`, { title: 'an issue' }, other)) as { number: number }).number,
    say: async (issue, body) => void (await gitea.api('POST', `${path}/issues/${issue}/comments`, { body }, other)),
    async addPull(head, isFork) {
      if (isFork) {
        await gitea.api('POST', `${path}/forks`, { name: `${organization}-fork` }, other);
        await commitTo(`/repos/other/${organization}-fork`, head, other, false);
      }
      const body = {
        head: isFork ? `other/${organization}-fork:${head}` : head,
        base: 'main',
        title: 'theirs',
        body: 'theirs',
      };
      return ((await gitea.api('POST', `${path}/pulls`, body, other)) as { number: number }).number;
    },
    closePull: async (number) => void (await gitea.api('PATCH', `${path}/pulls/${number}`, { state: 'closed' })),
    async pulls() {
      const found = await ask<
        (Omit<SeenPull, 'head' | 'author'> & { head: { ref: string }; user: { login: string } })[]
      >(`${path}/pulls?state=all&limit=50`);
      return found.map(({ number, title, body, state, head, user }) => ({
        number,
        title,
        body,
        state,
        head: head.ref,
        author: user.login,
      }));
    },
    async comments(on) {
      const found = await ask<{ user: { login: string }; body: string }[]>(`${path}/issues/${on}/comments`);
      return found.map(({ user, body }) => ({ author: user.login, body }));
    },
    labels: async () => (await ask<{ name: string }[]>(`${path}/labels`)).map(({ name }) => name),
    labelsOf: async (issue) =>
      (await ask<{ name: string }[]>(`${path}/issues/${issue}/labels`)).map(({ name }) => name),
    async checks() {
      const found = await ask<{ id: number; context: string; status: string; description: string }[]>(
        `${path}/statuses/${commit.id}`,
      );
      return found
        .sort((a, b) => b.id - a.id)
        .map(({ context, status, description }) => ({ name: context, state: status, description }));
    },
    tags: async () => (await ask<{ name: string }[]>(`${path}/tags`)).map(({ name }) => name),
    async releases() {
      const found = await ask<
        { tag_name: string; name: string; body: string; assets: { name: string; uuid: string }[] }[]
      >(`${path}/releases`);
      return Promise.all(
        found.map(async ({ tag_name: tag, name: title, body: notes, assets }) => {
          const contents = assets.map(async ({ name, uuid }): Promise<[string, string]> => {
            const headers = { authorization: `Basic ${Buffer.from(`x:${gitea.token}`).toString('base64')}` };
            return [name, await (await fetch(`${gitea.url}/attachments/${uuid}`, { headers })).text()];
          });
          return { tag, title, notes, assets: Object.fromEntries(await Promise.all(contents)) };
        }),
      );
    },
    violations: [],
  };
}
