import { basename } from 'node:path';
import { fetchGoProgram } from './fetch-go-program.ts';
import pins from './pins.json' with { type: 'json' };
import type { FetchOptions } from './server-cache.ts';

/** The cache entry that {@link fetchWeaviate} makes. */
export const PINNED_WEAVIATE = {
  name: 'weaviate',
  version: pins.weaviate.version,
  program: basename(pins.weaviate.package),
} as const;

/** The pinned Weaviate server: see {@link fetchGoProgram}. */
export function fetchWeaviate(options: FetchOptions): Promise<string> {
  const otherwise = 'or put `weaviate` on PATH, or give the address of a server in WEAVIATE_URL';
  return fetchGoProgram({ ...pins.weaviate, name: 'weaviate', title: 'the Weaviate server', otherwise }, options);
}
