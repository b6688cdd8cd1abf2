import type { BlobStore } from '../../blobs/blob-store.ts';
import type { Manifests } from './manifests.ts';
import type { ReadManifests } from './manifests-reader.ts';
import { openSealed, type Seal } from './sealed.ts';

/** Rendered manifests of one service. */
export interface SealedManifests {
  /** Digest of the sealed stream in the blob store. */
  readonly digest: string;
  /** Of objects that name none. */
  readonly namespace: string;
  /** What they are, for messages: `manifests of api`. */
  readonly about: string;
}

/** What sealed manifests are read with. */
export interface SealedReader {
  readonly blobs: BlobStore;
  readonly seal: Seal;
  readonly read: ReadManifests;
}

/**
 * Opens and reads what `renderManifests` stored. Manifests without any object are a problem. Throws `BlobNotFound`,
 * `BlobDamaged`, `InvalidConfiguration` for what another key sealed.
 */
export async function readSealedManifests(
  { blobs, seal, read }: SealedReader,
  { digest, namespace, about }: SealedManifests,
): Promise<Manifests> {
  const bytes = await openSealed(blobs, seal, digest);
  const { objects, problems } = await read({ bytes, namespace, about });
  const isEmpty = objects.length === 0 && problems.length === 0;
  return { objects, problems: isEmpty ? [`The ${about} have no object.`] : problems };
}
