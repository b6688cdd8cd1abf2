import { Gauge, type Registry } from 'prom-client';
import { cachedBytes } from '../mgit/cache-limit.ts';

/** Shows in a registry how much mirrors and spooled contents of a cache take, once that was counted, and how much they may. */
export function showCache(registry: Registry, cacheDir: string, maxBytes: number): void {
  const registers = [registry];
  const held: Gauge = new Gauge({
    name: 'longhaul_cache_bytes',
    help: 'Bytes that mirrors and spooled contents take; not there before they were counted',
    registers,
    collect: () => {
      const bytes = cachedBytes(cacheDir);
      if (bytes === null) held.remove();
      else held.set(bytes);
    },
  });
  const limit = new Gauge({
    name: 'longhaul_cache_limit_bytes',
    help: 'Bytes that mirrors and spooled contents may take together: cache.maxBytes',
    registers,
  });
  limit.set(maxBytes);
}
