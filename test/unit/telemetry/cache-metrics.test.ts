import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Registry } from 'prom-client';
import { expect, onTestFinished, test } from 'vitest';
import { mirrorsFolder, noteContent, tidyCache } from '../../../activities/mgit/cache-limit.ts';
import { showCache } from '../../../activities/telemetry/cache-metrics.ts';
import { samplesIn } from '../../support/scrape.ts';

test('the size of a cache is shown as soon as it was counted, and follows it', async () => {
  const cacheDir = mkdtempSync(join(tmpdir(), 'longhaul-cache-'));
  onTestFinished(() => rmSync(cacheDir, { recursive: true }));
  const addMirror = (name: string, bytes: number): void => {
    const pack = join(mirrorsFolder(cacheDir), 'work', 'acme', `${name}.git`, 'objects', 'pack');
    mkdirSync(pack, { recursive: true });
    writeFileSync(join(pack, 'a.pack'), Buffer.alloc(bytes));
  };
  const registry = new Registry();
  showCache(registry, cacheDir, 10_000);
  const shown = async (): Promise<unknown> => Object.fromEntries(samplesIn(await registry.metrics()));
  addMirror('api', 3_000);
  expect(await shown()).toEqual({ longhaul_cache_limit_bytes: 10_000 });
  await tidyCache(cacheDir, 10_000);
  expect(await shown()).toEqual({ longhaul_cache_limit_bytes: 10_000, longhaul_cache_bytes: 3_000 });
  noteContent(cacheDir, 8_000);
  addMirror('web', 9_000);
  expect(await shown()).toMatchObject({ longhaul_cache_bytes: 11_000 });
  // it is counted again when it is full, and the least recently used mirror is removed
  await tidyCache(cacheDir, 10_000);
  expect(await shown()).toMatchObject({ longhaul_cache_bytes: 9_000 });
});
