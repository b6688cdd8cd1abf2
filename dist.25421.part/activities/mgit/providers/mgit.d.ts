import type { MgitProviderConfig } from '../../../domain/config.schema.ts';
import type { Provider } from './provider.ts';
/** Repositories that an installed mgit finds: `mgit list PATTERN --format json`. */
export declare function createMgitProvider({ name, command, provider }: MgitProviderConfig, env: NodeJS.ProcessEnv): Provider;
