import { basename } from 'node:path';
import { fetchGoProgram } from './fetch-go-program.ts';
import pins from './pins.json' with { type: 'json' };
import type { FetchOptions } from './server-cache.ts';

/** The cache entry of {@link fetchWeaviate}. */
export const PINNED_WEAVIATE = {
  name: 'weaviate',
  version: pins.weaviate.version,
  program: basename(pins.weaviate.package),
} as const;

/** The pinned Weaviate server: see {@link fetchGoProgram}. */
export function fetchWeaviate(options: FetchOptions): Promise<string> {
  const otherwise = 'or put `weaviate` on PATH, or set WEAVIATE_URL to the address of a server';
  return fetchGoProgram({ ...pins.weaviate, name: 'weaviate', title: 'the Weaviate server', otherwise }, options);
}
