import { loadConfig } from '../../activities/shared/config.ts';
import { knowConfiguredSecrets } from '../../activities/shared/configured-secrets.ts';
import type { Config } from '../../domain/config/config.schema.ts';
import { type CliIo, processIo } from './io.ts';

/** The context of every command: configuration, folders and streams. */
export interface CliContext extends CliIo {
  readonly config: Config;
  /** Absolute path of `longhaul.yaml`; null when there is none. */
  readonly configPath: string | null;
  readonly dataDir: string;
  readonly cacheDir: string;
}

/** The context of a command. Throws `InvalidConfiguration`. */
export function openContext(
  options: { config?: string | undefined; data?: string | undefined },
  io: CliIo = processIo(),
): CliContext {
  const env = options.data === undefined ? io.env : { ...io.env, LONGHAUL_DATA_DIR: options.data };
  const { config, path, dataDir, cacheDir } = loadConfig({ path: options.config, env });
  knowConfiguredSecrets(config, env);
  return { ...io, config, configPath: path, dataDir, cacheDir, env };
}
