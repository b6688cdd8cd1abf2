import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { BlobStore } from '../../../activities/blobs/blob-store.ts';
import type { CliContext } from '../../core/context.ts';
import { shownError } from '../../core/errors.ts';
import type { Finding } from '../commands.ts';
import { fine, wrong } from '../finding.ts';
import { loadedConfig } from '../../core/servers.ts';

const NAME = 'blob store';

const REMEDIES = {
  folder: 'Use a folder that you can write to, or set another one: `blobs.path` in longhaul.yaml.',
  s3: 'Start that server, or correct `blobs` in longhaul.yaml, AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.',
} as const;

/** Checks that the blob store can write, read and delete a blob. A missing folder is not created. */
export async function blobsFinding(context: CliContext): Promise<Finding> {
  const { config, dataDir, env } = context;
  const { openBlobs } = await import('../../../activities/blobs/open-blobs.ts');
  const blobs = await openBlobs(loadedConfig(context), env);
  if (config.blobs.type === 'folder' && !existsSync(config.blobs.path ?? join(dataDir, 'blobs'))) {
    return fine(NAME, `${blobs.place}, created by the first write`);
  }
  try {
    await tryOut(blobs);
    return fine(NAME, `${blobs.place}, writable`);
  } catch (error) {
    return wrong(NAME, shownError(error).message, REMEDIES[config.blobs.type]);
  }
}

/** The content is unique, so it cannot conflict with stored blobs. */
async function tryOut(blobs: BlobStore): Promise<void> {
  const draft = await blobs.draft();
  try {
    await draft.write(Buffer.from(`longhaul doctor ${randomUUID()}\n`));
    const { digest } = await draft.commit();
    await (await blobs.open(digest)).toArray();
    await blobs.delete(digest);
  } finally {
    await draft.discard();
  }
}
