import type { ProviderConfig } from '../../domain/config/providers.schema.ts';
import { providerOf } from '../../domain/git/repository.ts';
import { LonghaulError } from '../../domain/shared/failures.ts';
import { createForgeWriter } from './create-forge-writer.ts';
import type { ForgeWriter, ForgeRepository } from './forge-writer.ts';
import type { ForgeRequests } from './forge-requests.ts';
import { createGiteaRequests } from './gitea-requests.ts';
import { createGithubRequests } from './github-requests.ts';
import { createGitlabRequests } from './gitlab-requests.ts';
import { forWriting } from './writing-account.ts';

/** The forges of the configured providers. */
export interface Forges {
  /**
   * The forge of a repository, with the account that writes. Throws `NoForge` when its provider is a folder, or a forge
   * that Longhaul writes only branches and tags to; `AuthenticationFailed` when it has no token.
   */
  of(repository: Pick<ForgeRepository, 'id'>): ForgeWriter;
}

/** Opens the forges of providers. Sends nothing before their first use. */
export function openForges(providers: readonly ProviderConfig[], env: NodeJS.ProcessEnv): Forges {
  const opened = new Map<string, ForgeWriter>();
  return {
    of({ id }) {
      const name = providerOf(id);
      const config = providers.find((provider) => provider.name === name);
      if (config === undefined) {
        throw new LonghaulError('RepositoryNotFound', `No provider ${name} is configured, so ${id} cannot be found.`);
      }
      const forge = opened.get(name) ?? openForge(config, env);
      opened.set(name, forge);
      return forge;
    },
  };
}

/** Opens the forge of a provider, with the account that writes. Throws `NoForge`, `AuthenticationFailed`. */
export function openForge(config: ProviderConfig, env: NodeJS.ProcessEnv): ForgeWriter {
  return createForgeWriter(apiOf(config, env));
}

function apiOf(config: ProviderConfig, env: NodeJS.ProcessEnv): ForgeRequests {
  switch (config.type) {
    case 'github': {
      const account = forWriting(config);
      if (account.tokenEnv === undefined && !account.app) throw withoutToken(config.name);
      return createGithubRequests(account, env);
    }
    case 'gitlab': {
      const account = forWriting(config);
      if (account.tokenEnv === undefined) throw withoutToken(config.name);
      return createGitlabRequests(account, env);
    }
    case 'gitea': {
      const account = forWriting(config);
      if (account.tokenEnv === undefined) throw withoutToken(config.name);
      return createGiteaRequests(account, env);
    }
    default:
      throw new LonghaulError(
        'NoForge',
        `Provider ${config.name} has the type ${config.type}: Longhaul writes only branches and tags there.`,
      );
  }
}

function withoutToken(provider: string): LonghaulError {
  return new LonghaulError('AuthenticationFailed', `Provider ${provider} has no token that writes: set writeTokenEnv.`);
}
