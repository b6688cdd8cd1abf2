import { StringDecoder } from 'node:string_decoder';
import { createStreamRedactor } from '../../../domain/shared/redact.ts';
import type { Blob, BlobStore } from '../../blobs/blob-store.ts';
import { createOutputTail } from './output-tail.ts';

/** The end of a log. */
export interface JobLogTail {
  /** Characters so far. */
  readonly written: number;
  readonly tail: string;
}

/** The output of a job, which becomes a blob. Secrets are replaced before anything is stored or shown. */
export interface JobLog {
  /** Appends output of a program. */
  write(piece: Uint8Array): Promise<void>;
  /** Appends a line of Longhaul's own, on a line of its own. */
  note(line: string): Promise<void>;
  /** The last characters, redacted, and how many there are: for heartbeats. */
  tail(): JobLogTail;
  /** Stores the complete log. */
  commit(): Promise<Blob>;
  /** Deletes an unfinished log. */
  discard(): Promise<void>;
}

/** Characters of a {@link JobLog.tail}. */
const TAIL = 2_000;
/** How often the tail is reported, in milliseconds, while there is something new. */
const TAIL_EVERY_MS = 1_000;

/** Starts the log of a job. It is streamed: memory does not grow with the output. */
export async function createJobLog(blobs: BlobStore): Promise<JobLog> {
  const draft = await blobs.draft();
  const decoder = new StringDecoder('utf8');
  const redactor = createStreamRedactor();
  const last = createOutputTail();
  let isAtLineStart = true;
  let size = 0;

  async function append(text: string): Promise<void> {
    if (text === '') return;
    last.write(text);
    isAtLineStart = text.endsWith('\n');
    size += text.length;
    const passed = redactor.push(text);
    if (passed !== '') await draft.write(Buffer.from(passed));
  }

  return {
    write: (piece) => append(decoder.write(Buffer.from(piece.buffer, piece.byteOffset, piece.byteLength))),
    note: (line) => append(`${isAtLineStart ? '' : '\n'}${line}\n`),
    tail: () => ({ written: size, tail: last.text(TAIL) }),
    async commit() {
      await append(decoder.end());
      await draft.write(Buffer.from(redactor.end()));
      return draft.commit();
    },
    discard: () => draft.discard(),
  };
}

/**
 * Reports the tail of a log each second in which it, or `state`, has changed. Returns the function that stops it.
 */
export function followTail(log: JobLog, onTail: (tail: JobLogTail) => void, state = (): string => ''): () => void {
  let reported = '';
  const timer = setInterval(() => {
    const tail = log.tail();
    const seen = `${tail.written} ${state()}`;
    if (seen !== reported) onTail(tail);
    reported = seen;
  }, TAIL_EVERY_MS);
  return () => clearInterval(timer);
}
