import { z } from 'zod';
import type { GitlabProviderConfig } from '../../domain/config/providers.schema.ts';
import { LonghaulError } from '../../domain/shared/failures.ts';
import type { CheckState, Discussion, ForgeRepository, WantedRelease } from './forge-writer.ts';
import type { ForgeRequests, FoundAsset, FoundComment, FoundPull, ListedRelease, Signal } from './forge-requests.ts';
import { GITLAB_NEEDS, type GitlabNeeds } from './needs.ts';
import { createRestWriter } from './rest-writer.ts';
import { readProviderSecret } from './secret.ts';
import { contentTurn, forgeTurn } from './turn.ts';
import type { ForgeWrite } from './forge-client.ts';

const user = z.object({ username: z.string() });
const pull = z.object({
  iid: z.int(),
  web_url: z.string(),
  state: z.string(),
  title: z.string(),
  description: z.string().nullish(),
  author: user.nullish(),
  source_project_id: z.int().nullish(),
  target_project_id: z.int(),
});
const note = z.object({ id: z.int(), body: z.string(), author: user.nullish(), system: z.boolean() });
const label = z.object({ name: z.string() });
const labelled = z.object({ labels: z.array(z.string()) });
const status = z.object({
  name: z.string(),
  status: z.string(),
  description: z.string().nullish(),
  target_url: z.string().nullish(),
});
const release = z.object({
  tag_name: z.string(),
  name: z.string().nullish(),
  description: z.string().nullish(),
  _links: z.object({ self: z.string().nullish() }).nullish(),
});
const link = z.object({ id: z.int(), name: z.string(), url: z.string() });
const packageEntry = z.object({ id: z.int(), name: z.string(), version: z.string().nullish() });
const packageFile = z.object({
  id: z.int(),
  file_name: z.string(),
  size: z.int(),
  file_sha256: z.string().nullish(),
});
const anything = z.unknown();

/** GitLab's names of states. */
const STATES = { pending: 'pending', success: 'success', failure: 'failed', error: 'canceled' } as const;
/** The package in the project's generic packages that has the assets of releases, with a version for each tag. */
const PACKAGE = 'release-assets';
const PAGE = 'per_page=100';

/** What Longhaul writes to GitLab. Assets are generic packages, to which the release links. */
export function createGitlabRequests(config: GitlabProviderConfig, env: NodeJS.ProcessEnv): ForgeRequests {
  const { name: provider, url, apiUrl = `${url}/api/v4` } = config;
  const token = (): string | null => readProviderSecret(env, config.tokenEnv, provider);
  const client = createRestWriter({
    provider,
    apiUrl,
    headers: () => {
      const given = token();
      return given === null ? {} : { authorization: `Bearer ${given}` };
    },
    turn: forgeTurn(config, token),
    contentTurn: contentTurn(config, token),
  });

  /** The files in the package of a tag's assets, the latest first. */
  async function packaged(
    repository: ForgeRepository,
    tag: string,
    signal: Signal,
  ): Promise<readonly (z.infer<typeof packageFile> & { readonly package: number })[]> {
    const query = new URLSearchParams({ package_type: 'generic', package_name: PACKAGE });
    const packages = await client.items(
      `${pathOf(repository)}/packages?${query.toString()}&${PAGE}`,
      packageEntry,
      signal,
    );
    const own = (packages ?? []).find(({ name, version }) => name === PACKAGE && version === versionOf(tag));
    if (own === undefined) return [];
    const path = `${pathOf(repository)}/packages/${own.id}/package_files?${PAGE}`;
    const files = (await client.items(path, packageFile, signal)) ?? [];
    return files.map((file) => ({ ...file, package: own.id })).sort((a, b) => b.id - a.id);
  }

  async function links(repository: ForgeRepository, tag: string, signal: Signal): Promise<z.infer<typeof link>[]> {
    const path = `${pathOf(repository)}/releases/${encodeURIComponent(tag)}/assets/links?${PAGE}`;
    return (await client.items(path, link, signal)) ?? [];
  }

  function addressOf(repository: ForgeRepository, tag: string, name: string): string {
    return `${apiUrl}${pathOf(repository)}${packagePath(tag, name)}`;
  }

  return {
    provider,

    async account(signal) {
      const found = await client.get('/user', user, signal);
      if (found !== null) return found.username;
      throw new LonghaulError('DiscoveryFailed', `Provider ${provider} has no API at ${apiUrl}: check its address.`);
    },

    async pulls(repository, { head, base }, signal) {
      const query = new URLSearchParams({ state: 'all', scope: 'all', source_branch: head, target_branch: base });
      const found = await client.items(
        `${pathOf(repository)}/merge_requests?${query.toString()}&${PAGE}`,
        pull,
        signal,
      );
      return (found ?? [])
        .filter((one) => one.source_project_id === one.target_project_id)
        .sort((a, b) => b.iid - a.iid)
        .map(foundPull);
    },
    async createPull(repository, { head, base, title, body }, signal) {
      const does = `open a merge request from ${head} into ${base}`;
      const wanted = { source_branch: head, target_branch: base, title, description: body };
      return foundPull(
        await client.send(write(repository, 'POST', '/merge_requests', does, 'pull', wanted), pull, signal),
      );
    },
    async updatePull(repository, number, { title, body }, signal) {
      const does = `update the merge request ${number}`;
      const wanted = write(repository, 'PUT', `/merge_requests/${number}`, does, 'pull', { title, description: body });
      await client.send(wanted, anything, signal);
    },

    async comments(repository, on, signal) {
      const path = `${pathOf(repository)}${placeOf(on)}/notes`;
      const found = await client.items(`${path}?sort=asc&order_by=created_at&${PAGE}`, note, signal);
      return (found ?? []).filter(({ system }) => !system).map((one) => foundComment(repository, on, one));
    },
    async createComment(repository, on, body, signal) {
      const does = `comment on ${on.kind} ${on.number}`;
      const wanted = write(repository, 'POST', `${placeOf(on)}/notes`, does, 'issue', { body });
      return foundComment(repository, on, await client.send(wanted, note, signal));
    },
    async updateComment(repository, on, id, body, signal) {
      const does = `update a comment on ${on.kind} ${on.number}`;
      await client.send(
        write(repository, 'PUT', `${placeOf(on)}/notes/${id}`, does, 'issue', { body }),
        anything,
        signal,
      );
    },

    async labels(repository, signal) {
      const found = await client.items(`${pathOf(repository)}/labels?${PAGE}`, label, signal);
      return (found ?? []).map(({ name }) => name);
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
      return (await client.get(`${pathOf(repository)}${placeOf(on)}`, labelled, signal))?.labels ?? [];
    },
    async addLabels(repository, on, names, signal) {
      const does = `label ${on.kind} ${on.number}`;
      const wanted = write(repository, 'PUT', placeOf(on), does, 'issue', { add_labels: names.join(',') });
      await client.send(wanted, anything, signal);
    },
    async removeLabel(repository, on, name, signal) {
      const does = `remove the label ${name} of ${on.kind} ${on.number}`;
      await client.send(
        write(repository, 'PUT', placeOf(on), does, 'issue', { remove_labels: name }),
        anything,
        signal,
      );
    },

    async checks(repository, commit, signal) {
      const found = await client.items(
        `${pathOf(repository)}/repository/commits/${commit}/statuses?${PAGE}`,
        status,
        signal,
      );
      return (found ?? []).map(({ name, status: state, description, target_url: page }) => ({
        name,
        state: stateOf(state),
        description: description ?? '',
        url: page ?? null,
      }));
    },
    async createCheck(repository, { commit, name, state, description, url: page }, signal) {
      const body = { state: STATES[state], name, description, ...(page === undefined ? {} : { target_url: page }) };
      const does = `set the check ${name} of ${commit.slice(0, 12)}`;
      await client.send(write(repository, 'POST', `/statuses/${commit}`, does, 'check', body), anything, signal);
    },

    async hasTag(repository, tag, signal) {
      const path = `${pathOf(repository)}/repository/tags/${encodeURIComponent(tag)}`;
      return (await client.get(path, anything, signal)) !== null;
    },
    async release(repository, tag, signal) {
      const found = await client.get(`${pathOf(repository)}/releases/${encodeURIComponent(tag)}`, release, signal);
      return found && foundRelease(found);
    },
    async createRelease(repository, wanted, signal) {
      const does = `create the release ${wanted.tag}`;
      const body = { tag_name: wanted.tag, ...releaseBody(wanted) };
      return foundRelease(
        await client.send(write(repository, 'POST', '/releases', does, 'release', body), release, signal),
      );
    },
    async updateRelease(repository, { tag }, wanted, signal) {
      const path = `/releases/${encodeURIComponent(tag)}`;
      const does = `update the release ${tag}`;
      await client.send(write(repository, 'PUT', path, does, 'release', releaseBody(wanted)), anything, signal);
    },

    async assets(repository, { tag }, signal) {
      const linked = await links(repository, tag, signal);
      const files = await packaged(repository, tag, signal);
      return linked.flatMap(({ name, url: address }): FoundAsset[] => {
        // downloads get the latest file of a name
        const file = files.find((one) => one.file_name === name);
        if (file === undefined || address !== addressOf(repository, tag, name)) return [];
        const key = `${file.package} ${file.id}`;
        return [{ key, name, size: file.size, sha256: file.file_sha256 ?? null, isComplete: true, url: address }];
      });
    },
    digestOf: () => Promise.resolve(null),
    async uploadAsset(repository, { tag }, wanted, signal) {
      const { name, size, contentType = 'application/octet-stream', open } = wanted;
      const does = `upload ${name} to the release ${tag}`;
      const latest = (await packaged(repository, tag, signal)).find((file) => file.file_name === name);
      if (latest?.file_sha256 !== wanted.sha256) {
        const upload = write(repository, 'PUT', packagePath(tag, name), does, 'release');
        await client.send({ ...upload, file: { open, size, contentType } }, anything, signal);
      }
      const address = addressOf(repository, tag, name);
      const place = `/releases/${encodeURIComponent(tag)}/assets/links`;
      const old = (await links(repository, tag, signal)).find((one) => one.name === name);
      if (old !== undefined && old.url !== address) {
        await client.send(write(repository, 'DELETE', `${place}/${old.id}`, does, 'release'), anything, signal);
      }
      if (old?.url !== address) {
        const body = { name, url: address, link_type: 'package' };
        await client.send(write(repository, 'POST', place, does, 'release', body), anything, signal);
      }
      return { key: '', name, size, sha256: wanted.sha256, isComplete: true, url: address };
    },
    async deleteAsset(repository, { tag }, { key, name }, signal) {
      const [of = '', file = ''] = key.split(' ');
      const does = `replace ${name} of the release ${tag}`;
      const path = `/packages/${of}/package_files/${file}`;
      await client.send(write(repository, 'DELETE', path, does, 'release'), anything, signal);
    },
  };

  function foundComment(
    repository: ForgeRepository,
    on: Discussion,
    { id, body, author }: z.infer<typeof note>,
  ): FoundComment {
    const { organization, project, repository: name } = repository;
    const path = [organization, ...(project?.split(':') ?? []), name].map(encodeURIComponent).join('/');
    return { id, url: `${url}/${path}/-${placeOf(on)}#note_${id}`, author: author?.username ?? '', body };
  }
}

function packagePath(tag: string, name: string): string {
  return `/packages/generic/${PACKAGE}/${versionOf(tag)}/${name}`;
}

/** A tag as the version of a package, which cannot have all characters of a tag. */
function versionOf(tag: string): string {
  return tag.replaceAll(/[^A-Za-z0-9.+-]/g, (character) => `_${character.charCodeAt(0).toString(16)}`);
}

function releaseBody({ title, notes }: WantedRelease): object {
  return { name: title, description: notes };
}

function foundPull({ iid, web_url: url, state, title, description, author }: z.infer<typeof pull>): FoundPull {
  return {
    number: iid,
    url,
    state: state === 'opened' ? 'open' : state === 'merged' ? 'merged' : 'closed',
    author: author?.username ?? '',
    title,
    body: description ?? '',
  };
}

function pathOf({ organization, project, repository }: ForgeRepository): string {
  const path = [organization, ...(project?.split(':') ?? []), repository].join('/');
  return `/projects/${encodeURIComponent(path)}`;
}

const placeOf = ({ kind, number }: Discussion): string => `/${kind === 'pull' ? 'merge_requests' : 'issues'}/${number}`;

function foundRelease({ tag_name: tag, name, description, _links: found }: z.infer<typeof release>): ListedRelease {
  return { key: tag, tag, url: found?.self ?? '', title: name ?? '', notes: description ?? '', isPrerelease: null };
}

function stateOf(given: string): CheckState | 'other' {
  return (Object.keys(STATES) as CheckState[]).find((state) => STATES[state] === given) ?? 'other';
}

function write(
  repository: ForgeRepository,
  method: ForgeWrite['method'],
  path: string,
  does: string,
  needs: GitlabNeeds,
  body?: object,
): ForgeWrite {
  return {
    method,
    path: `${pathOf(repository)}${path}`,
    does: `${does} in ${repository.id}`,
    needs: GITLAB_NEEDS[needs],
    ...(body === undefined ? {} : { body }),
  };
}
