import { existsSync } from 'node:fs';
import { statfs } from 'node:fs/promises';
import { readOnlyCollections } from '../../../stack/weaviate.ts';
import type { WeaviateTarget } from '../../../stack/weaviate-connection.ts';

/** Weaviate's default: its store becomes read-only when its disk is fuller, in per cent. */
const READ_ONLY_ABOVE = 90;

/**
 * Why Weaviate takes no writes to the index, or soon will not; null when it does. `folder` has its data, if it is on
 * this machine.
 */
export async function diskProblem(
  target: WeaviateTarget,
  { index, folder }: { readonly index: string; readonly folder: string | null },
): Promise<string | null> {
  const isOurs = new RegExp(`^${index}(?:Chunk|Receipt)_`);
  const readOnly = (await readOnlyCollections(target)).filter((name) => isOurs.test(name));
  const full = folder === null || !existsSync(folder) ? null : await percentUsed(folder);
  const disk = full === null ? `the disk of ${target.url}` : `the disk of ${folder}, ${full.toFixed(0)} % full`;
  if (readOnly.length > 0) return `read-only: ${readOnly.join(', ')}; ${disk}`;
  return full !== null && full > READ_ONLY_ABOVE ? `becomes read-only: ${disk}` : null;
}

/** As Weaviate computes it. */
async function percentUsed(folder: string): Promise<number> {
  const { blocks, bfree } = await statfs(folder);
  return 100 * (1 - bfree / blocks);
}
