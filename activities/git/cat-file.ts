import { once } from 'node:events';
import type { Readable } from 'node:stream';
import { LonghaulError } from '../../domain/shared/failures.ts';
import type { Git, ObjectStore } from './git.ts';

/** One object as returned by `git cat-file`. */
export interface GitObject {
  readonly oid: string;
  /** Null when the store does not have the object. */
  readonly type: string | null;
  /** Bytes; 0 when it is missing. */
  readonly size: number;
  /** Null when the object is missing or larger than the limit. */
  readonly content: Uint8Array | null;
}

/** An object to read. */
export interface ObjectRequest {
  readonly oid: string;
  /** The content of a larger object is not read. */
  readonly maxBytes: number;
}

/** One `git cat-file` process for many requests, one after the other. Close it. */
export interface ObjectReader {
  /** Returns the objects among these that are not in the store. */
  missing(oids: readonly string[]): Promise<string[]>;
  /**
   * Reads objects in this order. Reads ahead no more than pipes hold, so memory is bounded by `maxBytes`; larger
   * contents are discarded without buffering.
   */
  read(requests: Iterable<ObjectRequest>): AsyncGenerator<GitObject, void>;
  /** Stops git. */
  close(): void;
}

/** Requests are written in blocks of about this size. */
const BLOCK = 16_384;

/** Starts an object reader. An abort stops it. */
export async function openObjectReader(
  git: Git,
  store: ObjectStore,
  options: { readonly about: string; readonly signal?: AbortSignal | undefined },
): Promise<ObjectReader> {
  const child = await git.start(['cat-file', '--batch-command', '--buffer'], { ...options, store });
  const source = byteSource(child.stdout, async () => {
    await child.ended;
    throw new LonghaulError('GitFailed', `git cat-file of ${options.about} ended before it had answered.`);
  });

  async function ask(question: 'info' | 'contents', oids: Iterable<string>): Promise<void> {
    let block = '';
    for (const oid of oids) {
      block += `${question} ${oid}\n`;
      if (block.length < BLOCK) continue;
      if (!child.stdin.write(block)) await Promise.race([once(child.stdin, 'drain'), child.ended]);
      block = '';
    }
    child.stdin.write(`${block}flush\n`);
  }

  async function answer(): Promise<Omit<GitObject, 'content'>> {
    const [oid = '', type = '', size] = (await source.line()).split(' ');
    return size === undefined ? { oid, type: null, size: 0 } : { oid, type, size: Number(size) };
  }

  return {
    async missing(oids) {
      const asked = ask('info', oids);
      // a failed write ends git, which the read below reports
      asked.catch(() => undefined);
      const gone: string[] = [];
      for (const oid of oids) if ((await answer()).type === null) gone.push(oid);
      await asked;
      return gone;
    },
    async *read(requests) {
      const requested = [...requests];
      const asked = ask(
        'contents',
        requested.map(({ oid }) => oid),
      );
      asked.catch(() => undefined);
      for (const { maxBytes } of requested) {
        const object = await answer();
        if (object.type === null) {
          yield { ...object, content: null };
          continue;
        }
        const fits = object.size <= maxBytes;
        const content = fits ? await source.bytes(object.size) : null;
        await source.skip(fits ? 1 : object.size + 1);
        yield { ...object, content };
      }
      await asked;
    },
    close: () => child.kill(),
  };
}

interface ByteSource {
  line(): Promise<string>;
  bytes(length: number): Promise<Uint8Array>;
  skip(length: number): Promise<void>;
}

function byteSource(stream: Readable, onEnd: () => Promise<never>): ByteSource {
  const chunks = stream[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
  let rest: Buffer = Buffer.alloc(0);

  async function pull(): Promise<Buffer> {
    const next = await chunks.next();
    return next.done ? onEnd() : next.value;
  }

  return {
    async line() {
      for (;;) {
        const end = rest.indexOf(0x0a);
        if (end >= 0) {
          const line = rest.toString('latin1', 0, end);
          rest = rest.subarray(end + 1);
          return line;
        }
        rest = Buffer.concat([rest, await pull()]);
      }
    },
    async bytes(length) {
      const content = new Uint8Array(length);
      for (let at = 0; ;) {
        const part = rest.subarray(0, length - at);
        content.set(part, at);
        at += part.length;
        rest = rest.subarray(part.length);
        if (at === length) return content;
        rest = await pull();
      }
    },
    async skip(length) {
      for (let left = length; ; rest = await pull()) {
        const part = Math.min(left, rest.length);
        rest = rest.subarray(part);
        left -= part;
        if (left === 0) return;
      }
    },
  };
}
