import { readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { sha256 } from '../../../platform/sha256.ts';
import { writeWhole } from '../../../platform/whole-file.ts';

/** JSON with sorted keys. */
export function canonical(value: unknown): string {
  return JSON.stringify(value, (_, inner: unknown) =>
    typeof inner === 'object' && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );
}

/**
 * The digest (64 hex digits) that `compute` returns for `files`, cached in `cacheDir` as long as name, size and time of
 * all of them stay the same. Rejects with the error of `stat` when one is missing.
 */
export async function rememberedDigest(
  cacheDir: string,
  files: readonly string[],
  compute: () => Promise<string>,
): Promise<string> {
  const identities = await Promise.all(files.map(identityOf));
  const memory = path.join(cacheDir, 'digests', sha256(identities.join('\n')).slice(0, 32));
  const remembered = await readFile(memory, 'latin1').catch(() => '');
  if (/^[0-9a-f]{64}$/.test(remembered)) return remembered;
  const digest = await compute();
  await writeWhole(memory, digest);
  return digest;
}

async function identityOf(file: string): Promise<string> {
  const { size, mtimeNs, ino, dev } = await stat(file, { bigint: true });
  return [file, size, mtimeNs, ino, dev].join('|');
}
