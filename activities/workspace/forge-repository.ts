import type { ProviderConfig } from '../../domain/config/providers.schema.ts';
import { isRepositoryId, repositoryId } from '../../domain/git/repository.ts';
import { slugOf } from '../../domain/workspace/intent/estate.ts';

/**
 * The id of the repository that a remote's address leads to, at the configured forge with the same host; null when there
 * is no such forge. Addresses of ssh count by their host.
 */
export function forgeRepositoryId(origin: string, providers: readonly ProviderConfig[]): string | null {
  const slug = slugOf(origin);
  const host = hostOf(origin);
  if (slug === null || host === null) return null;
  for (const config of providers) {
    if (config.type !== 'github' && config.type !== 'gitlab' && config.type !== 'gitea') continue;
    const base = new URL(config.url);
    const isHttp = /^https?:/.test(origin);
    // ssh has a port of its own
    if (isHttp ? base.host.toLowerCase() !== host : base.hostname.toLowerCase() !== host.replace(/:\d+$/, '')) continue;
    const below = base.pathname.replaceAll(/^\/+|\/+$/g, '');
    const inside = isHttp && below !== '' ? (slug.startsWith(`${below}/`) ? slug.slice(below.length + 1) : null) : slug;
    const parts = inside?.split('/') ?? [];
    const [organization, repository] = [parts[0], parts.at(-1)];
    if (organization === undefined || repository === undefined || parts.length < 2) continue;
    if (parts.length > 2 && config.type !== 'gitlab') continue;
    const project = parts.length > 2 ? parts.slice(1, -1).join(':') : null;
    const id = repositoryId(config.name, organization, project, repository);
    if (isRepositoryId(id)) return id;
  }
  return null;
}

function hostOf(origin: string): string | null {
  if (/^(?:https?|ssh|git):\/\//.test(origin)) return URL.parse(origin)?.host.toLowerCase() ?? null;
  return /^(?:[^@/\s]+@)?([^:/\s]+):/.exec(origin)?.[1]?.toLowerCase() ?? null;
}
