import { parse, v5 } from 'uuid';
import { DEFAULT_REF } from '../../../domain/git/snapshot.ts';

/** The namespace of Longhaul's UUIDs: UUIDv5 of the URL namespace and `https://longhaul.dev/object`. */
const NAMESPACE = parse(v5('https://longhaul.dev/object', v5.URL));

/** The components of an object's identity (docs/architecture.md, Identity). */
export interface ObjectKey {
  /** Digest of chunker, model and schema. */
  readonly digest: string;
  readonly repository: string;
  /** The path; its exact bytes in base64 when they are not UTF-8. */
  readonly path: string;
  /** Blob oid. */
  readonly blob: string;
}

/** Ids of the objects of one file: one per chunk, in order. Writing the same file twice writes the same objects. */
export function objectIds(key: ObjectKey, chunks: number): string[] {
  return Array.from({ length: chunks }, (_, ordinal) => objectId(key, ordinal));
}

/** Id of the object of one chunk of a file. */
export function objectId({ digest, repository, path, blob }: ObjectKey, ordinal: number): string {
  return v5(`${digest}\0${repository}\0${path}\0${blob}\0${ordinal}`, NAMESPACE);
}

/** Id of the receipt of a repository at a ref. */
export function receiptId(repository: string, ref: string = DEFAULT_REF): string {
  return v5(`receipt\0${repository}\0${ref}`, NAMESPACE);
}
