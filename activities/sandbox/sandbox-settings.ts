import { join } from 'node:path';
import type { SandboxSettings } from './sandbox.ts';
import { expandPath, type LoadedConfig } from '../shared/config.ts';

/** Root's own folders are closed to the user that runs programs for root. */
const SCRATCH_OF_ROOT = '/var/tmp/longhaul-pipelines';

/** How this configuration isolates programs of repositories. */
export function sandboxSettings(
  { config: { pipelines }, cacheDir }: Pick<LoadedConfig, 'config' | 'cacheDir'>,
  env: NodeJS.ProcessEnv,
): SandboxSettings {
  const isRoot = process.getuid?.() === 0;
  return {
    ...pipelines,
    toolchains: pipelines.toolchains.map((folder) => expandPath(folder, '/')),
    scratch:
      pipelines.scratch === undefined
        ? isRoot
          ? SCRATCH_OF_ROOT
          : join(cacheDir, 'pipelines')
        : expandPath(pipelines.scratch, '/'),
    env,
  };
}
