import { StringDecoder } from 'node:string_decoder';
import { createStreamRedactor, redact } from '../../../domain/shared/redact.ts';
import type { Blob, BlobStore } from '../../blobs/blob-store.ts';

/** The output of a job, which becomes a blob. Secrets are replaced before anything is stored or shown. */
export interface JobLog {
  /** Appends output of a program. */
  write(piece: Uint8Array): Promise<void>;
  /** Appends a line of Longhaul's own, on a line of its own. */
  note(line: string): Promise<void>;
  /** The last characters, redacted, and how many there are: for heartbeats. */
  tail(): { readonly written: number; readonly tail: string };
  /** Stores the complete log. */
  commit(): Promise<Blob>;
  /** Deletes an unfinished log. */
  discard(): Promise<void>;
}

/** Characters of a {@link JobLog.tail}. */
const TAIL = 2_000;
/** Kept for the tail: a secret that begins before the tail must be seen whole. */
const TAIL_KEPT = 16_000;

/** Starts the log of a job. It is streamed: memory does not grow with the output. */
export async function createJobLog(blobs: BlobStore): Promise<JobLog> {
  const draft = await blobs.draft();
  const decoder = new StringDecoder('utf8');
  const redactor = createStreamRedactor();
  let last = '';
  let size = 0;

  async function append(text: string): Promise<void> {
    if (text === '') return;
    last = (last + text).slice(-TAIL_KEPT);
    size += text.length;
    const passed = redactor.push(text);
    if (passed !== '') await draft.write(Buffer.from(passed));
  }

  return {
    write: (piece) => append(decoder.write(Buffer.from(piece.buffer, piece.byteOffset, piece.byteLength))),
    note: (line) => append(`${last === '' || last.endsWith('\n') ? '' : '\n'}${line}\n`),
    tail: () => ({ written: size, tail: redact(last).slice(-TAIL) }),
    async commit() {
      await append(decoder.end());
      await draft.write(Buffer.from(redactor.end()));
      return draft.commit();
    },
    discard: () => draft.discard(),
  };
}
