import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openVectorCache, textKey } from '../../../activities/index/store/vector-cache.ts';

const MODEL = '0123456789abcdef';
let folder: string;
let file: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'longhaul-vectors-'));
  file = join(folder, 'below', 'cache.sqlite');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const entry = (text: string, ...vector: number[]): [Buffer, Float32Array] => [textKey(text), Float32Array.from(vector)];

describe('the vector cache', () => {
  test('returns stored vectors, only for the same model, also after reopening', () => {
    const cache = openVectorCache(file);
    cache.putVectors(MODEL, [entry('a', 1, -0.5), entry('b', 0.1, 3e-8)]);
    cache.close();
    const again = openVectorCache(file);
    const keys = ['b', 'unknown', 'a'].map(textKey);
    expect(again.getVectors(MODEL, keys)).toEqual([
      Float32Array.from([0.1, 3e-8]),
      undefined,
      Float32Array.from([1, -0.5]),
    ]);
    expect(again.getVectors('fedcba9876543210', keys)).toEqual([undefined, undefined, undefined]);
    again.close();
  });

  test('counts chunks by analysis, content and name', () => {
    const cache = openVectorCache(file);
    cache.putCounts('x', [
      { blob: '1', name: 'a.ts', chunks: 3 },
      { blob: '2', name: 'a.ts', chunks: 0 },
    ]);
    cache.putCounts('x', [{ blob: '1', name: 'a.ts', chunks: 4 }]);
    const keys = [
      { blob: '1', name: 'a.ts' },
      { blob: '2', name: 'a.ts' },
      { blob: '1', name: 'b.ts' },
    ];
    expect(cache.getCounts('x', keys)).toEqual([4, 0, undefined]);
    expect(cache.getCounts('y', keys)).toEqual([undefined, undefined, undefined]);
    cache.close();
  });

  test('a failed batch stores nothing, and the cache continues to work', () => {
    const cache = openVectorCache(file);
    const broken = [textKey('b'), null as unknown as Float32Array] as const;
    expect(() => cache.putVectors(MODEL, [entry('a', 1), broken])).toThrow(TypeError);
    expect(cache.getVectors(MODEL, [textKey('a')])).toEqual([undefined]);
    cache.putVectors(MODEL, [entry('a', 1)]);
    expect(cache.getVectors(MODEL, [textKey('a')])).toEqual([Float32Array.from([1])]);
    cache.close();
  });

  test('a file that is not SQLite is moved aside and recreated', () => {
    openVectorCache(file).close();
    writeFileSync(file, 'this is no database, whatever its name says, and long enough to be looked at'.repeat(100));
    const cache = openVectorCache(file);
    cache.putVectors(MODEL, [entry('a', 1)]);
    expect(cache.getVectors(MODEL, [textKey('a')])).toEqual([Float32Array.from([1])]);
    cache.close();
    expect(readdirSync(join(folder, 'below')).filter((name) => name.includes('.damaged-'))).toHaveLength(1);
  });

  test('a file with damaged pages is moved aside when the damage is found', () => {
    const cache = openVectorCache(file);
    for (let batch = 0; batch < 20; batch++) {
      cache.putVectors(
        MODEL,
        Array.from({ length: 100 }, (_, i) => entry(`${batch} ${i}`, ...Array<number>(64).fill(i))),
      );
    }
    cache.close();
    const bytes = readFileSync(file);
    bytes.fill(0xab, 4096 * 3);
    writeFileSync(file, bytes);
    const damaged = openVectorCache(file);
    const keys = Array.from({ length: 100 }, (_, i) => textKey(`7 ${i}`));
    expect(damaged.getVectors(MODEL, keys)).toEqual(keys.map(() => undefined));
    damaged.putVectors(MODEL, [entry('after', 2)]);
    expect(damaged.getVectors(MODEL, [textKey('after')])).toEqual([Float32Array.from([2])]);
    damaged.close();
  });

  test('a locked file stores nothing, and is used when it is free again', () => {
    let locked = 0;
    const cache = openVectorCache(file, { busyTimeout: 20, onLocked: () => locked++ });
    cache.putVectors(MODEL, [entry('before', 1)]);
    const other = new DatabaseSync(file);
    other.exec('BEGIN IMMEDIATE');
    expect(cache.putVectors(MODEL, [entry('a', 1), entry('b', 1)])).toBe(2);
    expect(cache.putVectors(MODEL, [entry('a', 1)])).toBe(1);
    cache.putCounts('x', [{ blob: '1', name: 'a.ts', chunks: 3 }]);
    expect(locked).toBe(3);
    expect(cache.getVectors(MODEL, [textKey('a'), textKey('before')])).toEqual([undefined, Float32Array.from([1])]);
    expect(cache.getCounts('x', [{ blob: '1', name: 'a.ts' }])).toEqual([undefined]);
    other.exec('COMMIT');
    other.close();
    expect(cache.putVectors(MODEL, [entry('a', 1)])).toBe(1);
    expect(cache.getVectors(MODEL, [textKey('a')])).toEqual([Float32Array.from([1])]);
    expect(locked).toBe(3);
    cache.close();
  });

  test('a file that is locked while it is opened is opened by a later call', () => {
    mkdirSync(dirname(file));
    const other = new DatabaseSync(file);
    other.exec('BEGIN EXCLUSIVE');
    const cache = openVectorCache(file, { busyTimeout: 20 });
    expect(cache.getVectors(MODEL, [textKey('a')])).toEqual([undefined]);
    expect(cache.putVectors(MODEL, [entry('a', 1)])).toBe(1);
    other.exec('COMMIT');
    other.close();
    cache.putVectors(MODEL, [entry('a', 1)]);
    expect(cache.getVectors(MODEL, [textKey('a')])).toEqual([Float32Array.from([1])]);
    cache.close();
  });

  test('a folder that cannot be created is reported', () => {
    writeFileSync(join(folder, 'below'), 'a file');
    expect(() => openVectorCache(file)).toThrow(expect.objectContaining({ type: 'DiskFailed' }));
  });

  test('processes that write concurrently from the start all succeed', { timeout: 60_000 }, async () => {
    const writers = Array.from({ length: 4 }, (_, i) => startWriter(file, `writer ${i}`, 40));
    const codes = await Promise.all(writers.map(async (child) => (await once(child, 'exit')) as [number]));
    expect(codes.map(([code]) => code)).toEqual([0, 0, 0, 0]);
    const cache = openVectorCache(file);
    for (let i = 0; i < 4; i++) {
      const keys = Array.from({ length: 40 * 50 }, (_, n) => textKey(`writer ${i} ${n}`));
      expect(cache.getVectors(MODEL, keys).filter((vector) => vector?.length === 256)).toHaveLength(keys.length);
    }
    cache.close();
  });

  test('a killed writer leaves only whole batches, and no lock', { timeout: 60_000 }, async () => {
    const child = startWriter(file, 'killed', 1_000_000);
    await once(child, 'message');
    child.kill('SIGKILL');
    await once(child, 'exit');
    const cache = openVectorCache(file);
    const keys = Array.from({ length: 50 }, (_, n) => textKey(`killed ${n}`));
    expect(cache.getVectors(MODEL, keys).filter(Boolean)).toHaveLength(50);
    let batch = 0;
    for (;;) {
      const next = Array.from({ length: 50 }, (_, n) => textKey(`killed ${batch * 50 + n}`));
      const found = cache.getVectors(MODEL, next).filter(Boolean).length;
      if (found === 0) break;
      expect(found).toBe(50);
      batch++;
    }
    cache.putVectors(MODEL, [entry('mine', 1)]);
    cache.close();
  });
});

function startWriter(target: string, prefix: string, batches: number) {
  const script = fileURLToPath(new URL('./vector-cache-writer.ts', import.meta.url));
  return fork(script, [target, MODEL, prefix, String(batches)], {
    execArgv: [],
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
}
