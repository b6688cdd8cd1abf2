import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { BlobStore } from '../../../activities/blobs/blob-store.ts';
import type { CliContext } from '../../core/context.ts';
import { shownError } from '../../core/errors.ts';
import { type Finding, fine, wrong } from './finding.ts';
import { loadedConfig } from '../../core/servers.ts';

const NAME = 'blob store';

const REMEDIES = {
  folder: 'Make it a folder that you may write to, or name another one: `blobs.path` in longhaul.yaml.',
  s3: 'Start that server, or correct `blobs` in longhaul.yaml, AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.',
} as const;

/** Whether the blob store takes a content, gives it back and forgets it. A folder that is not there yet is not made. */
export async function blobsFinding(context: CliContext): Promise<Finding> {
  const { config, dataDir, env } = context;
  const { openBlobs } = await import('../../../activities/blobs/open-blobs.ts');
  const blobs = await openBlobs(loadedConfig(context), env);
  if (config.blobs.type === 'folder' && !existsSync(config.blobs.path ?? join(dataDir, 'blobs'))) {
    return fine(NAME, `${blobs.place}, which the first write makes`);
  }
  try {
    await tryOut(blobs);
    return fine(NAME, `${blobs.place}, writable`);
  } catch (error) {
    return wrong(NAME, shownError(error).message, REMEDIES[config.blobs.type]);
  }
}

/** Nobody else has this content: it is in nobody's way. */
async function tryOut(blobs: BlobStore): Promise<void> {
  const draft = await blobs.draft();
  try {
    await draft.write(Buffer.from(`longhaul doctor ${randomUUID()}\n`));
    const { digest } = await draft.keep();
    await (await blobs.open(digest)).toArray();
    await blobs.delete(digest);
  } finally {
    await draft.discard();
  }
}
