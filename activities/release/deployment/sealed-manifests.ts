import type { BlobStore } from '../../blobs/blob-store.ts';
import { type Manifests, readManifests } from './manifests.ts';
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

/**
 * Opens and reads what `renderManifests` stored. Manifests without any object are a problem. Throws `BlobNotFound`,
 * `BlobDamaged`, `InvalidConfiguration` for what another key sealed.
 */
export async function readSealedManifests(
  blobs: BlobStore,
  seal: Seal,
  { digest, namespace, about }: SealedManifests,
): Promise<Manifests> {
  const text = Buffer.from(await openSealed(blobs, seal, digest)).toString('utf8');
  const { objects, problems } = readManifests(text, namespace, about);
  const isEmpty = objects.length === 0 && problems.length === 0;
  return { objects, problems: isEmpty ? [`The ${about} have no object.`] : problems };
}
