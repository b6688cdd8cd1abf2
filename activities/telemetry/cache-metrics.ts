import { Gauge, type Registry } from 'prom-client';
import { cachedBytes } from '../mgit/cache-limit.ts';

/** Registers the size of a cache's mirrors, spooled contents and pages, once it is known, and their limit. */
export function showCache(registry: Registry, cacheDir: string, maxBytes: number): void {
  const registers = [registry];
  const held: Gauge = new Gauge({
    name: 'longhaul_cache_bytes',
    help: 'Bytes of mirrors, spooled contents and pages of listings; absent before they are counted',
    registers,
    collect: () => {
      const bytes = cachedBytes(cacheDir);
      if (bytes === null) held.remove();
      else held.set(bytes);
    },
  });
  const limit = new Gauge({
    name: 'longhaul_cache_limit_bytes',
    help: 'Limit in bytes for mirrors, spooled contents and pages of listings together: cache.maxBytes',
    registers,
  });
  limit.set(maxBytes);
}
