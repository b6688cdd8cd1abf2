import type { Readable } from 'node:stream';

/** A stream to write to: a terminal, a pipe, or the memory of a test. */
export type Output = NodeJS.WritableStream & {
  readonly isTTY?: boolean;
  readonly columns?: number;
  readonly rows?: number;
};

/** A stream to read from. Only a terminal can be asked for confirmation. */
export type Input = Readable & { readonly isTTY?: boolean };

/** A command's streams, environment and signals. */
export interface CliIo {
  readonly stdin: Input;
  readonly stdout: Output;
  readonly stderr: Output;
  readonly env: NodeJS.ProcessEnv;
  /** Where `SIGINT`, `SIGTERM` and `SIGHUP` arrive: the process, or an `EventEmitter` of a test. */
  readonly signals: Pick<NodeJS.EventEmitter, 'on' | 'once' | 'off'>;
}

/** Streams, environment and signals of this process. */
export function processIo(): CliIo {
  const { stdin, stdout, stderr, env } = process;
  return { stdin, stdout, stderr, env, signals: process };
}
