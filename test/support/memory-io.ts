import { EventEmitter } from 'node:events';
import { PassThrough, Readable } from 'node:stream';
import type { CliIo } from '../../client/core/io.ts';

/** Streams in memory for a program that runs in this process. */
export interface MemoryIo extends CliIo {
  /** `SIGINT` and `SIGTERM` are emitted here. */
  readonly signals: EventEmitter;
  /** What was written so far. */
  readonly out: () => string;
  readonly err: () => string;
}

/** Streams in memory: `input` is what the program reads, nothing by default. No stream is a terminal. */
export function memoryIo(env: NodeJS.ProcessEnv = {}, input = ''): MemoryIo {
  const [out, err] = [collected(), collected()];
  return {
    stdin: Readable.from(input === '' ? [] : [Buffer.from(input)]),
    stdout: out.stream,
    stderr: err.stream,
    env,
    signals: new EventEmitter(),
    out: out.text,
    err: err.text,
  };
}

function collected(): { stream: PassThrough; text: () => string } {
  const stream = new PassThrough();
  const chunks: string[] = [];
  stream.setEncoding('utf8').on('data', (chunk: string) => chunks.push(chunk));
  return { stream, text: () => chunks.join('') };
}
