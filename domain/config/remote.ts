import { isRepositoryId, repositoryId } from '../git/repository.ts';
import type { ProviderConfig } from './providers.schema.ts';

/** The host and the path of a remote on a server; both as in its address. */
interface ServerRemote {
  readonly host: string;
  readonly segments: readonly string[];
  /** False over ssh, whose port is not that of the web site. */
  readonly isWeb: boolean;
}

/** `user@host:path`. */
const SCP_LIKE = /^(?:[^@/:]+@)?([^@/:]+):(?!\/\/)(.+)$/;
const LAST_SUFFIX = /\.git$/;

/**
 * The id of the repository with this remote, by the configured providers: an address as git has it, or the absolute path
 * of a repository on this disk. Null when it belongs to no provider, or only a provider of type `mgit` could know.
 */
export function repositoryOfRemote(remote: string, providers: readonly ProviderConfig[]): string | null {
  for (const provider of providers) {
    const segments = provider.type === 'local' ? below(remote, provider.root) : onServer(remote, provider);
    const id = segments === null ? null : idOf(provider, segments);
    if (id !== null && isRepositoryId(id)) return id;
  }
  return null;
}

/** The path of a local repository from the root of its provider; null when it is elsewhere. */
function below(remote: string, root: string): readonly string[] | null {
  const path = remote.startsWith('file:///') ? decodeURIComponent(remote.slice('file://'.length)) : remote;
  const prefix = root.endsWith('/') ? root : `${root}/`;
  return path.startsWith(prefix) ? segmentsOf(path.slice(prefix.length)) : null;
}

/** The path of a repository on the server of its provider; null when it is on another one. */
function onServer(remote: string, provider: ProviderConfig): readonly string[] | null {
  if (!('url' in provider)) return null;
  const parsed = parseServer(remote);
  if (parsed === null) return null;
  const site = new URL(provider.url);
  if (provider.type === 'azure-devops' && parsed.host === `ssh.${site.hostname}`) return parsed.segments.slice(1);
  if (parsed.host !== (parsed.isWeb ? site.host : site.hostname)) return null;
  const base = parsed.isWeb ? segmentsOf(site.pathname) : [];
  const isBelow = base.every((segment, at) => parsed.segments[at] === segment);
  return isBelow ? parsed.segments.slice(base.length) : null;
}

function parseServer(remote: string): ServerRemote | null {
  const url = /^(https?|ssh|git):\/\//.test(remote) ? URL.parse(remote) : null;
  if (url !== null) {
    const isWeb = url.protocol.startsWith('http');
    return { host: isWeb ? url.host : url.hostname, segments: segmentsOf(decodeURIComponent(url.pathname)), isWeb };
  }
  const [, host, path] = SCP_LIKE.exec(remote) ?? [];
  return host === undefined || path === undefined ? null : { host, segments: segmentsOf(path), isWeb: false };
}

function idOf({ name, type }: ProviderConfig, segments: readonly string[]): string | null {
  const [organization, ...rest] = segments;
  const repository = rest.pop()?.replace(LAST_SUFFIX, '');
  if (type === 'local' && organization !== undefined && repository === undefined) {
    // a repository in the root itself
    return repositoryId(name, '_', null, organization.replace(LAST_SUFFIX, ''));
  }
  if (organization === undefined || repository === undefined) return null;
  switch (type) {
    case 'gitlab':
    case 'local':
      return repositoryId(name, organization, rest.length === 0 ? null : rest.join(':'), repository);
    case 'azure-devops': {
      const [project, ...marks] = rest;
      const isRepository = project !== undefined && (marks.length === 0 || (marks.length === 1 && marks[0] === '_git'));
      return isRepository ? repositoryId(name, organization, project, repository) : null;
    }
    case 'github':
    case 'gitea':
    case 'bitbucket':
    case 'mgit':
      return rest.length === 0 ? repositoryId(name, organization, null, repository) : null;
  }
}

function segmentsOf(path: string): string[] {
  return path.split('/').filter((segment) => segment !== '');
}
