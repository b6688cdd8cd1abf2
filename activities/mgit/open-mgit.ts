import type { LoadedConfig } from '../shared/config.ts';
import { createMgit, type Mgit } from './index.ts';

/** Creates mgit as configured. Needs no server. */
export function openMgit(
  { config, cacheDir }: LoadedConfig,
  env: NodeJS.ProcessEnv,
  maxFileBytes = config.index.maxFileBytes,
): Mgit {
  return createMgit({ providers: config.providers, cacheDir, env, maxFileBytes });
}
