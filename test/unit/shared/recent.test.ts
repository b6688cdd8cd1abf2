import { describe, expect, test } from 'vitest';
import { createRecent } from '../../../activities/shared/recent.ts';

describe('a recent value', () => {
  test('is read again when it is older than the bound', async () => {
    let time = 0;
    let reads = 0;
    const recent = createRecent(
      () => Promise.resolve(++reads),
      1_000,
      () => time,
    );
    expect(await recent.get()).toBe(1);
    time = 999;
    expect(await recent.get()).toBe(1);
    time = 1_000;
    expect(await recent.get()).toBe(2);
    recent.forget();
    expect(await recent.get()).toBe(3);
  });

  test('is read once for concurrent calls', async () => {
    let reads = 0;
    const recent = createRecent(() => Promise.resolve(++reads), 1_000);
    expect(await Promise.all([recent.get(), recent.get()])).toEqual([1, 1]);
  });

  test('is read again after a failure', async () => {
    let reads = 0;
    const recent = createRecent(
      () => (++reads === 1 ? Promise.reject(new Error('down')) : Promise.resolve(reads)),
      1_000,
    );
    await expect(recent.get()).rejects.toThrow('down');
    expect(await recent.get()).toBe(2);
  });
});
