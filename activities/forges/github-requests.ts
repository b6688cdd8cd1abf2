import { z } from 'zod';
import type { GithubProviderConfig } from '../../domain/config/providers.schema.ts';
import { LonghaulError } from '../../domain/shared/failures.ts';
import type { Discussion, ForgeRepository, WantedRelease } from './forge-writer.ts';
import type { ForgeRequests, FoundAsset, FoundComment, FoundPull, ListedRelease } from './forge-requests.ts';
import { apiUrl } from './github-connection.ts';
import type { GithubNeeds } from './needs.ts';
import { GITHUB_NEEDS } from './needs.ts';
import { createGithubWriter } from './github-writer.ts';
import type { ForgeWrite } from './forge-client.ts';

const user = z.object({ login: z.string() });
const pull = z.object({
  number: z.int(),
  html_url: z.string(),
  state: z.enum(['open', 'closed']),
  merged_at: z.string().nullish(),
  title: z.string(),
  body: z.string().nullish(),
  user: user.nullish(),
  head: z.object({ ref: z.string(), repo: z.object({ full_name: z.string() }).nullish() }),
});
const comment = z.object({ id: z.int(), html_url: z.string(), body: z.string().nullish(), user: user.nullish() });
const label = z.object({ name: z.string() });
const status = z.object({
  context: z.string(),
  state: z.enum(['error', 'failure', 'pending', 'success']),
  description: z.string().nullish(),
  target_url: z.string().nullish(),
});
const release = z.object({
  id: z.int(),
  tag_name: z.string(),
  html_url: z.string(),
  name: z.string().nullish(),
  body: z.string().nullish(),
  prerelease: z.boolean(),
});
const asset = z.object({
  id: z.int(),
  name: z.string(),
  size: z.int(),
  state: z.string(),
  digest: z.string().nullish(),
  browser_download_url: z.string(),
});
const anything = z.unknown();

/** What Longhaul writes to GitHub, or to a GitHub Enterprise Server. */
export function createGithubRequests(config: GithubProviderConfig, env: NodeJS.ProcessEnv): ForgeRequests {
  const client = createGithubWriter(config, env);
  const base = apiUrl(config);
  /** Assets go to a host of their own. */
  const uploads =
    base === 'https://api.github.com' ? 'https://uploads.github.com' : base.replace(/\/api\/v3$/, '/api/uploads');

  return {
    provider: config.name,

    async account(signal) {
      // an app has no user: GraphQL knows both
      if (config.app === undefined) {
        const found = await client.get('/user', user, signal);
        if (found !== null) return found.login;
      }
      const viewer = z.object({ data: z.object({ viewer: user }) });
      const asked: ForgeWrite = {
        method: 'POST',
        base: base.replace(/\/v3$/, ''),
        path: '/graphql',
        body: { query: '{ viewer { login } }' },
        does: 'ask for the account of the token',
        needs: 'a token',
      };
      return (await client.send(asked, viewer, signal)).data.viewer.login;
    },

    async pulls(repository, { head, base: into }, signal) {
      const query = new URLSearchParams({ state: 'all', head: `${repository.organization}:${head}`, base: into });
      const found = await client.items(`${pathOf(repository)}/pulls?${query.toString()}`, pull, signal);
      const here = `${repository.organization}/${repository.repository}`.toLowerCase();
      return (found ?? [])
        .filter((one) => one.head.ref === head && one.head.repo?.full_name.toLowerCase() === here)
        .map(foundPull);
    },
    async createPull(repository, { head, base: into, title, body }, signal) {
      const wanted = write(repository, 'POST', '/pulls', `open a pull request from ${head} into ${into}`, 'pull', {
        head,
        base: into,
        title,
        body,
      });
      return foundPull(await client.send(wanted, pull, signal));
    },
    async updatePull(repository, number, text, signal) {
      const does = `update the pull request ${number}`;
      await client.send(write(repository, 'PATCH', `/pulls/${number}`, does, 'pull', text), anything, signal);
    },

    async comments(repository, { number }, signal) {
      const found = await client.items(`${pathOf(repository)}/issues/${number}/comments`, comment, signal);
      return (found ?? []).map(foundComment);
    },
    async createComment(repository, on, body, signal) {
      const path = `/issues/${on.number}/comments`;
      const does = `comment on ${on.kind} ${on.number}`;
      return foundComment(
        await client.send(write(repository, 'POST', path, does, discussed(on), { body }), comment, signal),
      );
    },
    async updateComment(repository, on, id, body, signal) {
      const does = `update a comment on ${on.kind} ${on.number}`;
      await client.send(
        write(repository, 'PATCH', `/issues/comments/${id}`, does, discussed(on), { body }),
        anything,
        signal,
      );
    },

    async labels(repository, signal) {
      const found = await client.items(`${pathOf(repository)}/labels`, label, signal);
      return (found ?? []).map(({ name }) => name);
    },
    async createLabel(repository, { name, color, description }, signal) {
      const body = { name, color, description };
      await client.send(
        write(repository, 'POST', '/labels', `create the label ${name}`, 'issue', body),
        anything,
        signal,
      );
    },
    async labelsOf(repository, { number }, signal) {
      const found = await client.items(`${pathOf(repository)}/issues/${number}/labels`, label, signal);
      return (found ?? []).map(({ name }) => name);
    },
    async addLabels(repository, on, labels, signal) {
      const does = `label ${on.kind} ${on.number}`;
      const path = `/issues/${on.number}/labels`;
      await client.send(write(repository, 'POST', path, does, discussed(on), { labels }), anything, signal);
    },
    async removeLabel(repository, on, name, signal) {
      const does = `remove the label ${name} of ${on.kind} ${on.number}`;
      const path = `/issues/${on.number}/labels/${encodeURIComponent(name)}`;
      await client.send(write(repository, 'DELETE', path, does, discussed(on)), anything, signal);
    },

    async checks(repository, commit, signal) {
      const found = await client.items(`${pathOf(repository)}/commits/${commit}/statuses`, status, signal);
      return (found ?? []).map(({ context, state, description, target_url: url }) => ({
        name: context,
        state,
        description: description ?? '',
        url: url ?? null,
      }));
    },
    async createCheck(repository, { commit, name, state, description, url }, signal) {
      const body = { state, context: name, description, ...(url === undefined ? {} : { target_url: url }) };
      const does = `set the check ${name} of ${commit.slice(0, 12)}`;
      await client.send(write(repository, 'POST', `/statuses/${commit}`, does, 'check', body), anything, signal);
    },

    async hasTag(repository, tag, signal) {
      const path = tag.split('/').map(encodeURIComponent).join('/');
      return (await client.get(`${pathOf(repository)}/git/ref/tags/${path}`, anything, signal)) !== null;
    },
    async release(repository, tag, signal) {
      const found = await client.get(`${pathOf(repository)}/releases/tags/${encodeURIComponent(tag)}`, release, signal);
      return found && foundRelease(found);
    },
    async createRelease(repository, wanted, signal) {
      const body = { tag_name: wanted.tag, ...releaseBody(wanted) };
      const does = `create the release ${wanted.tag}`;
      return foundRelease(
        await client.send(write(repository, 'POST', '/releases', does, 'release', body), release, signal),
      );
    },
    async updateRelease(repository, { key, tag }, wanted, signal) {
      const does = `update the release ${tag}`;
      const body = releaseBody(wanted);
      await client.send(write(repository, 'PATCH', `/releases/${key}`, does, 'release', body), anything, signal);
    },
    async assets(repository, { key }, signal) {
      const found = await client.items(`${pathOf(repository)}/releases/${key}/assets`, asset, signal);
      return (found ?? []).map(foundAsset);
    },
    // an Enterprise Server before 3.17 has none
    digestOf: () => Promise.resolve(null),
    async uploadAsset(repository, { key, tag }, wanted, signal) {
      const { name, size, contentType = 'application/octet-stream', open } = wanted;
      const upload = {
        ...write(
          repository,
          'POST',
          `/releases/${key}/assets?name=${encodeURIComponent(name)}`,
          `upload ${name} to the release ${tag}`,
          'release',
        ),
        file: { open, size, contentType },
        base: uploads,
      };
      return foundAsset(await client.send(upload, asset, signal));
    },
    async deleteAsset(repository, { tag }, { key, name }, signal) {
      const does = `replace ${name} of the release ${tag}`;
      await client.send(write(repository, 'DELETE', `/releases/assets/${key}`, does, 'release'), anything, signal);
    },
  };
}

function releaseBody({ title, notes, isPrerelease = false, isLatest }: WantedRelease): object {
  const latest = isLatest === undefined ? {} : { make_latest: String(isLatest && !isPrerelease) };
  return { name: title, body: notes, prerelease: isPrerelease, ...latest };
}

function foundPull({
  number,
  html_url: url,
  state,
  merged_at: mergedAt,
  title,
  body,
  user: author,
}: z.infer<typeof pull>): FoundPull {
  return {
    number,
    url,
    state: mergedAt ? 'merged' : state,
    author: author?.login ?? '',
    title,
    body: body ?? '',
  };
}

function foundComment({ id, html_url: url, body, user: author }: z.infer<typeof comment>): FoundComment {
  return { id, url, author: author?.login ?? '', body: body ?? '' };
}

function foundRelease({
  id,
  tag_name: tag,
  html_url: url,
  name,
  body,
  prerelease,
}: z.infer<typeof release>): ListedRelease {
  return { key: String(id), tag, url, title: name ?? '', notes: body ?? '', isPrerelease: prerelease };
}

function foundAsset({ id, name, size, state, digest, browser_download_url: url }: z.infer<typeof asset>): FoundAsset {
  const [, sha256 = null] = /^sha256:([0-9a-f]{64})$/.exec(digest ?? '') ?? [];
  return { key: String(id), name, size, sha256, isComplete: state === 'uploaded', url };
}

function pathOf({ organization, project, repository, id }: ForgeRepository): string {
  if (project !== null) throw new LonghaulError('InvalidInput', `${id} has a project, which GitHub does not have.`);
  return `/repos/${encodeURIComponent(organization)}/${encodeURIComponent(repository)}`;
}

function discussed({ kind }: Discussion): GithubNeeds {
  return kind === 'pull' ? 'pull' : 'issue';
}

function write(
  repository: ForgeRepository,
  method: ForgeWrite['method'],
  path: string,
  does: string,
  needs: GithubNeeds,
  body?: object,
): ForgeWrite {
  return {
    method,
    path: `${pathOf(repository)}${path}`,
    does: `${does} in ${repository.id}`,
    needs: GITHUB_NEEDS[needs],
    ...(body === undefined ? {} : { body }),
  };
}
