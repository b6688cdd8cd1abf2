import { Readable } from 'node:stream';

/** Whole contents under names, wherever they are kept: what a {@link BlobStore} is made of. */
export interface Objects {
  /** Where they are, for messages: `the folder /var/blobs`, `the bucket longhaul`. */
  readonly place: string;
  /** Keeps the content of a file under a name, replacing what is there; nobody ever sees half of it. The file may be gone afterwards. */
  putFile(name: string, file: string, size: number): Promise<void>;
  /** Keeps a small content under a name that is free. False, and nothing is changed, when it is taken. */
  create(name: string, content: Uint8Array): Promise<boolean>;
  /** The content under a name, read as it is asked for; null when there is none. */
  open(name: string): Promise<Readable | null>;
  /** Whether there is an object of this key. */
  has(name: string): Promise<boolean>;
  /** The names below a folder (`a/b/`), in the order of their bytes. */
  list(folder: string): AsyncIterable<string>;
  /** Nothing happens when there is no such name. */
  delete(name: string): Promise<void>;
}

/** A stream of what `read` makes of another one, which is let go with it: also when nobody ever reads. */
export function streamOver(source: Readable, read: (source: Readable) => AsyncIterable<Uint8Array>): Readable {
  return Readable.from(read(source), { objectMode: false }).once('close', () => source.destroy());
}
