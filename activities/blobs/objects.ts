import { Readable } from 'node:stream';

/** Complete contents under names, in any kind of storage: the base of a {@link BlobStore}. */
export interface Objects {
  /** Where they are, for messages: `the folder /var/blobs`, `the bucket longhaul`. */
  readonly place: string;
  /** Stores a file's content under a name, atomically replacing what is there. May move the file away. */
  putFile(name: string, file: string, size: number): Promise<void>;
  /** Stores small content under a new name. Returns false and changes nothing when the name exists. */
  create(name: string, content: Uint8Array): Promise<boolean>;
  /** Streams the content under a name; null when it does not exist. */
  open(name: string): Promise<Readable | null>;
  /** Whether there is an object of this key. */
  has(name: string): Promise<boolean>;
  /** The names below a folder (`a/b/`), in byte order. */
  list(folder: string): AsyncIterable<string>;
  /** Does nothing when the name does not exist. */
  delete(name: string): Promise<void>;
}

/** A stream derived from another one by `read`; destroying it destroys the source, even if it is never read. */
export function streamOver(source: Readable, read: (source: Readable) => AsyncIterable<Uint8Array>): Readable {
  return Readable.from(read(source), { objectMode: false }).once('close', () => source.destroy());
}
