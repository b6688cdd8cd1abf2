import { createWriteStream } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { pipeline } from 'node:stream/promises';
import { openBlobs } from '../../../activities/blobs/open-blobs.ts';
import { LonghaulError } from '../../../domain/shared/failures.ts';
import { temporaryPath } from '../../../platform/temporary.ts';
import type { CliContext } from '../../core/context.ts';
import { printable } from '../../core/sanitize.ts';
import { loadedConfig } from '../../core/servers.ts';

/**
 * `longhaul blob get`: prints the content with this digest, or writes it to a file, which is complete or not there. On a
 * terminal, control characters are replaced: programs of others wrote the content. Returns 0. Throws `InvalidInput`,
 * `BlobNotFound`, `BlobDamaged`, and what the blob store throws.
 */
export async function getBlob(
  context: CliContext,
  digest: string,
  { output }: { readonly output?: string },
): Promise<number> {
  if (!/^[0-9a-f]{64}$/.test(digest)) {
    throw new LonghaulError('InvalidInput', `${digest} is not a SHA-256: give 64 hexadecimal digits in lower case.`);
  }
  const content = await (await openBlobs(loadedConfig(context), context.env)).open(digest);
  const { stdout } = context;
  if (output !== undefined) {
    const file = temporaryPath(output);
    try {
      await pipeline(content, createWriteStream(file, { flags: 'wx' }));
      await rename(file, output);
    } finally {
      await rm(file, { force: true });
    }
  } else if (stdout.isTTY === true) {
    for await (const line of createInterface({ input: content, crlfDelay: Infinity }))
      stdout.write(`${printable(line)}\n`);
  } else {
    await pipeline(content, stdout, { end: false });
  }
  return 0;
}
