import type { ProviderConfig } from '../../../domain/config/providers.schema.ts';
import { LonghaulError } from '../../../domain/shared/failures.ts';

const OWNER_AND_NAME = /^[A-Za-z0-9][\w.-]*\/[\w.-]+$/;

/**
 * Where a repository that a person names is cloned from: an address or an absolute path as it is, `PROVIDER/owner/repo` from
 * a configured provider, `owner/repo` from the only provider with an address, or from GitHub where there is none. Throws
 * `InvalidInput`.
 */
export function originOfTarget(target: string, providers: readonly ProviderConfig[]): string {
  if (target.startsWith('/') || target.includes(':')) return target;
  const [first, ...rest] = target.split('/');
  const named = rest.length >= 2 ? providers.find(({ name }) => name === first) : undefined;
  if (named !== undefined) return addressOf(named, rest.join('/'));
  if (!OWNER_AND_NAME.test(target)) {
    throw new LonghaulError(
      'InvalidInput',
      `"${target}" names no repository: give owner/repo, PROVIDER/owner/repo, an address or an absolute path.`,
    );
  }
  const [only, ...others] = providers.filter((provider) => 'url' in provider);
  if (only === undefined) return `https://github.com/${target}.git`;
  if (others.length === 0) return addressOf(only, target);
  const names = [only, ...others].map(({ name }) => `${name}/${target}`).join(', ');
  throw new LonghaulError('InvalidInput', `"${target}" could be several repositories: ${names}. Give one of them.`);
}

function addressOf(provider: ProviderConfig, path: string): string {
  if (provider.type === 'local') return `${provider.root.replace(/\/$/, '')}/${path}`;
  if ('url' in provider && provider.type !== 'azure-devops') return `${provider.url.replace(/\/$/, '')}/${path}.git`;
  throw new LonghaulError(
    'InvalidInput',
    `Give the address of ${path}: its provider ${provider.name} does not tell it.`,
  );
}
