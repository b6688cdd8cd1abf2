import { describe, expect, test } from 'vitest';
import { createReused } from '../../../activities/shared/reused.ts';

describe('a reused value', () => {
  test('is read again when it is older than the bound', async () => {
    let time = 0;
    let reads = 0;
    const reused = createReused(
      () => Promise.resolve(++reads),
      1_000,
      () => time,
    );
    expect(await reused.get()).toBe(1);
    time = 999;
    expect(await reused.get()).toBe(1);
    time = 1_000;
    expect(await reused.get()).toBe(2);
    reused.forget();
    expect(await reused.get()).toBe(3);
  });

  test('is read once for concurrent calls', async () => {
    let reads = 0;
    const reused = createReused(() => Promise.resolve(++reads), 1_000);
    expect(await Promise.all([reused.get(), reused.get()])).toEqual([1, 1]);
  });

  test('is read again after a failure', async () => {
    let reads = 0;
    const reused = createReused(
      () => (++reads === 1 ? Promise.reject(new Error('down')) : Promise.resolve(reads)),
      1_000,
    );
    await expect(reused.get()).rejects.toThrow('down');
    expect(await reused.get()).toBe(2);
  });
});
