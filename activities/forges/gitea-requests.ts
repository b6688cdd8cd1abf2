import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { GiteaProviderConfig } from '../../domain/config/providers.schema.ts';
import { LonghaulError } from '../../domain/shared/failures.ts';
import type { Discussion, ForgeRepository, WantedRelease } from './forge-writer.ts';
import type { ForgeRequests, FoundAsset, FoundComment, FoundPull, ListedRelease, Signal } from './forge-requests.ts';
import { GITEA_NEEDS, type GiteaNeeds } from './needs.ts';
import { createRestWriter } from './rest-writer.ts';
import { basic, readProviderSecret } from './secret.ts';
import { contentTurn, forgeTurn } from './turn.ts';
import type { ForgeWrite } from './forge-client.ts';

const user = z.object({ login: z.string() });
const branch = z.object({ ref: z.string(), repo_id: z.int() });
const pull = z.object({
  number: z.int(),
  html_url: z.string(),
  state: z.enum(['open', 'closed']),
  merged: z.boolean().nullish(),
  title: z.string(),
  body: z.string().nullish(),
  user: user.nullish(),
  head: branch,
  base: branch,
});
const comment = z.object({ id: z.int(), html_url: z.string(), body: z.string(), user: user.nullish() });
const label = z.object({ id: z.int(), name: z.string() });
const status = z.object({
  context: z.string(),
  status: z.string(),
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
  uuid: z.string(),
  browser_download_url: z.string(),
});
const anything = z.unknown();
const STATES = ['pending', 'success', 'failure', 'error'] as const;
/** Gitea's default maximum page size. */
const PAGE = 'limit=50';

/** What Longhaul writes to a Gitea or Forgejo. */
export function createGiteaRequests(config: GiteaProviderConfig, env: NodeJS.ProcessEnv): ForgeRequests {
  const { name: provider, url } = config;
  const token = (): string | null => readProviderSecret(env, config.tokenEnv, provider);
  const headers = (): Readonly<Record<string, string>> => {
    const given = token();
    return given === null ? {} : { authorization: `Bearer ${given}` };
  };
  const turn = forgeTurn(config, token);
  const client = createRestWriter({
    provider,
    apiUrl: `${url}/api/v1`,
    headers,
    turn,
    contentTurn: contentTurn(config, token),
  });

  async function definedLabels(repository: ForgeRepository, signal: Signal): Promise<z.infer<typeof label>[]> {
    const path = pathOf(repository);
    const own = (await client.items(`${path}/labels?${PAGE}`, label, signal)) ?? [];
    // a user has none
    const shared = await client.items(
      `/orgs/${encodeURIComponent(repository.organization)}/labels?${PAGE}`,
      label,
      signal,
    );
    return [...own, ...(shared ?? [])];
  }

  async function labelled(
    repository: ForgeRepository,
    { number }: Discussion,
    signal: Signal,
  ): Promise<z.infer<typeof label>[]> {
    return (await client.items(`${pathOf(repository)}/issues/${number}/labels`, label, signal)) ?? [];
  }

  return {
    provider,

    async account(signal) {
      const found = await client.get('/user', user, signal);
      if (found !== null) return found.login;
      throw new LonghaulError(
        'DiscoveryFailed',
        `Provider ${provider} has no API at ${url}/api/v1: check its address.`,
      );
    },

    async pulls(repository, { head, base }, signal) {
      const found = await client.items(`${pathOf(repository)}/pulls?state=all&sort=recentupdate&${PAGE}`, pull, signal);
      return (found ?? [])
        .filter((one) => one.head.ref === head && one.base.ref === base && one.head.repo_id === one.base.repo_id)
        .sort((a, b) => b.number - a.number)
        .map(foundPull);
    },
    async createPull(repository, { head, base, title, body }, signal) {
      const does = `open a pull request from ${head} into ${base}`;
      const wanted = write(repository, 'POST', '/pulls', does, 'pull', { head, base, title, body });
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
      const does = `comment on ${on.kind} ${on.number}`;
      const wanted = write(repository, 'POST', `/issues/${on.number}/comments`, does, 'issue', { body });
      return foundComment(await client.send(wanted, comment, signal));
    },
    async updateComment(repository, on, id, body, signal) {
      const does = `update a comment on ${on.kind} ${on.number}`;
      await client.send(
        write(repository, 'PATCH', `/issues/comments/${id}`, does, 'issue', { body }),
        anything,
        signal,
      );
    },

    async labels(repository, signal) {
      return (await definedLabels(repository, signal)).map(({ name }) => name);
    },
    async createLabel(repository, { name, color, description }, signal) {
      const body = { name, color: `#${color}`, description };
      await client.send(
        write(repository, 'POST', '/labels', `create the label ${name}`, 'issue', body),
        anything,
        signal,
      );
    },
    async labelsOf(repository, on, signal) {
      return (await labelled(repository, on, signal)).map(({ name }) => name);
    },
    async addLabels(repository, on, names, signal) {
      const defined = await definedLabels(repository, signal);
      const labels = names.map((wanted) => {
        const found = defined.find(({ name }) => name.toLowerCase() === wanted.toLowerCase());
        if (found !== undefined) return found.id;
        throw new LonghaulError('InvalidInput', `${repository.id} has no label ${wanted}.`);
      });
      const does = `label ${on.kind} ${on.number}`;
      const wanted = write(repository, 'POST', `/issues/${on.number}/labels`, does, 'issue', { labels });
      await client.send(wanted, anything, signal);
    },
    async removeLabel(repository, on, name, signal) {
      const does = `remove the label ${name} of ${on.kind} ${on.number}`;
      const present = await labelled(repository, on, signal);
      for (const { id } of present.filter((one) => one.name.toLowerCase() === name.toLowerCase())) {
        const path = `/issues/${on.number}/labels/${id}`;
        await client.send(write(repository, 'DELETE', path, does, 'issue'), anything, signal);
      }
    },

    async checks(repository, commit, signal) {
      const path = `${pathOf(repository)}/statuses/${commit}?sort=recentupdate&${PAGE}`;
      const found = await client.items(path, status, signal);
      return (found ?? []).map(({ context, status: state, description, target_url: page }) => ({
        name: context,
        state: STATES.find((known) => known === state) ?? 'other',
        description: description ?? '',
        url: page || null,
      }));
    },
    async createCheck(repository, { commit, name, state, description, url: page }, signal) {
      const body = { state, context: name, description, ...(page === undefined ? {} : { target_url: page }) };
      const does = `set the check ${name} of ${commit.slice(0, 12)}`;
      await client.send(write(repository, 'POST', `/statuses/${commit}`, does, 'check', body), anything, signal);
    },

    async hasTag(repository, tag, signal) {
      return (await client.get(`${pathOf(repository)}/tags/${encodeURIComponent(tag)}`, anything, signal)) !== null;
    },
    async release(repository, tag, signal) {
      const found = await client.get(`${pathOf(repository)}/releases/tags/${encodeURIComponent(tag)}`, release, signal);
      return found && foundRelease(found);
    },
    async createRelease(repository, wanted, signal) {
      const does = `create the release ${wanted.tag}`;
      const body = { tag_name: wanted.tag, ...releaseBody(wanted) };
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
    async digestOf(_repository, { key }, signal) {
      const [, uuid = ''] = key.split(' ');
      const given = token();
      // Gitea accepts a token for attachments as a password only
      const authorization = given === null ? {} : { authorization: basic('x-access-token', given) };
      const response = await turn(
        () =>
          fetch(`${url}/attachments/${uuid}`, { headers: authorization, redirect: 'manual', signal: signal ?? null }),
        signal,
      );
      if (response.status !== 200 || response.body === null) {
        await response.body?.cancel();
        return null;
      }
      const hash = createHash('sha256');
      for await (const chunk of response.body as AsyncIterable<Uint8Array>) hash.update(chunk);
      return hash.digest('hex');
    },
    async uploadAsset(repository, { key, tag }, wanted, signal) {
      const { name, size, contentType = 'application/octet-stream', open } = wanted;
      const path = `/releases/${key}/assets?name=${encodeURIComponent(name)}`;
      const does = `upload ${name} to the release ${tag}`;
      const upload = { ...write(repository, 'POST', path, does, 'release'), file: { open, size, contentType } };
      return foundAsset(await client.send(upload, asset, signal));
    },
    async deleteAsset(repository, { key: releaseKey, tag }, { key, name }, signal) {
      const [id = ''] = key.split(' ');
      const does = `replace ${name} of the release ${tag}`;
      const path = `/releases/${releaseKey}/assets/${id}`;
      await client.send(write(repository, 'DELETE', path, does, 'release'), anything, signal);
    },
  };
}

function releaseBody({ title, notes, isPrerelease = false }: WantedRelease): object {
  return { name: title, body: notes, prerelease: isPrerelease };
}

function foundPull({
  number,
  html_url: url,
  state,
  merged,
  title,
  body,
  user: author,
}: z.infer<typeof pull>): FoundPull {
  return {
    number,
    url,
    state: merged === true ? 'merged' : state,
    author: author?.login ?? '',
    title,
    body: body ?? '',
  };
}

function foundComment({ id, html_url: url, body, user: author }: z.infer<typeof comment>): FoundComment {
  return { id, url, author: author?.login ?? '', body };
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

function foundAsset({ id, name, size, uuid, browser_download_url: url }: z.infer<typeof asset>): FoundAsset {
  return { key: `${id} ${uuid}`, name, size, sha256: null, isComplete: true, url };
}

function pathOf({ organization, project, repository, id }: ForgeRepository): string {
  if (project !== null) throw new LonghaulError('InvalidInput', `${id} has a project, which Gitea does not have.`);
  return `/repos/${encodeURIComponent(organization)}/${encodeURIComponent(repository)}`;
}

function write(
  repository: ForgeRepository,
  method: ForgeWrite['method'],
  path: string,
  does: string,
  needs: GiteaNeeds,
  body?: object,
): ForgeWrite {
  return {
    method,
    path: `${pathOf(repository)}${path}`,
    does: `${does} in ${repository.id}`,
    needs: `the scope ${GITEA_NEEDS[needs]}`,
    ...(body === undefined ? {} : { body }),
  };
}
