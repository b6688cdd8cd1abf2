import type { Readable } from 'node:stream';
import { loadConfig } from '../../activities/shared/config.ts';
import type { Config } from '../../domain/config/config.schema.ts';

/** A stream to write to: a terminal, a pipe, or the memory of a test. */
export type Output = NodeJS.WritableStream & { readonly isTTY?: boolean; readonly columns?: number };

/** A stream to read from. A person can be asked when it is a terminal. */
export type Input = Readable & { readonly isTTY?: boolean };

/** What a command reads from, writes to and listens to. */
export interface CliIo {
  readonly stdin: Input;
  readonly stdout: Output;
  readonly stderr: Output;
  readonly env: NodeJS.ProcessEnv;
  /** Where `SIGINT`, `SIGTERM` and `SIGHUP` arrive: the process, or an `EventEmitter` of a test. */
  readonly signals: Pick<NodeJS.EventEmitter, 'on' | 'once' | 'off'>;
}

/** What every command knows: the configuration, its folders, and where to read and write. */
export interface CliContext extends CliIo {
  readonly config: Config;
  /** Absolute path of `longhaul.yaml`; null when there is none. */
  readonly configPath: string | null;
  readonly dataDir: string;
  readonly cacheDir: string;
}

/** Streams, environment and signals of this process. */
export function processIo(): CliIo {
  const { stdin, stdout, stderr, env } = process;
  return { stdin, stdout, stderr, env, signals: process };
}

/** The context of a command. Throws `InvalidConfiguration`. */
export function openContext(
  options: { config?: string | undefined; data?: string | undefined },
  io: CliIo = processIo(),
): CliContext {
  const env = options.data === undefined ? io.env : { ...io.env, LONGHAUL_DATA_DIR: options.data };
  const { config, path, dataDir, cacheDir } = loadConfig({ path: options.config, env });
  return { ...io, config, configPath: path, dataDir, cacheDir, env };
}
