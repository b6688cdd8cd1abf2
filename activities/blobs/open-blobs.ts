import { join } from 'node:path';
import type { LoadedConfig } from '../shared/config.ts';
import { type BlobStore, createBlobStore } from './blob-store.ts';
import { createFolderObjects } from './folder-objects.ts';

/** Opens the blob store that `blobs` in longhaul.yaml configures. Accesses nothing before its first use. */
export async function openBlobs(
  { config: { blobs }, dataDir, cacheDir }: Pick<LoadedConfig, 'config' | 'dataDir' | 'cacheDir'>,
  env: NodeJS.ProcessEnv,
): Promise<BlobStore> {
  if (blobs.type === 's3') {
    // the client is large: load it only when needed
    const { createS3Objects } = await import('./s3-objects.ts');
    return createBlobStore(createS3Objects(blobs, env), join(cacheDir, 'blobs'));
  }
  const folder = blobs.path ?? join(dataDir, 'blobs');
  return createBlobStore(createFolderObjects(folder), join(folder, 'making'));
}
