import type { GithubProviderConfig } from '../../../domain/config.schema.ts';
import type { Provider } from './provider.ts';
/**
 * Repositories of GitHub, of a GitHub Enterprise Server or of another forge with the same API. An organization that is
 * named is asked for; a wildcard stands for all that the token can see.
 */
export declare function createGithubProvider(config: GithubProviderConfig, env: NodeJS.ProcessEnv): Provider;
