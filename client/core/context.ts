import { loadConfig } from '../../activities/shared/config.ts';
import type { Config } from '../../domain/config/config.schema.ts';

/** What every command knows: the configuration, its folders, and where to write. */
export interface CliContext {
  readonly config: Config;
  /** Absolute path of `longhaul.yaml`; null when there is none. */
  readonly configPath: string | null;
  readonly dataDir: string;
  readonly cacheDir: string;
  readonly env: NodeJS.ProcessEnv;
  readonly stdout: NodeJS.WriteStream;
  readonly stderr: NodeJS.WriteStream;
}

/** The context of this process. Throws `InvalidConfiguration`. */
export function openContext(options: { config?: string | undefined; data?: string | undefined }): CliContext {
  const env = options.data === undefined ? process.env : { ...process.env, LONGHAUL_DATA_DIR: options.data };
  const { config, path, dataDir, cacheDir } = loadConfig({ path: options.config, env });
  return { config, configPath: path, dataDir, cacheDir, env, stdout: process.stdout, stderr: process.stderr };
}
