import { fc, test } from '@fast-check/vitest';
import { describe, expect } from 'vitest';
import { inLanes } from '../../../workflows/shared/lanes.ts';

describe('lanes', () => {
  test.prop([fc.array(fc.integer(), { maxLength: 50 }), fc.integer({ min: 1, max: 10 })])(
    'do every item once and never more than the limit at a time',
    async (items, limit) => {
      const done: number[] = [];
      let running = 0;
      let most = 0;
      await inLanes(
        items.map((_, index) => index),
        limit,
        async (index) => {
          most = Math.max(most, ++running);
          await Promise.resolve();
          done.push(index);
          running--;
        },
      );
      expect(done.sort((a, b) => a - b)).toEqual(items.map((_, index) => index));
      expect(most).toBeLessThanOrEqual(limit);
    },
  );

  test('a failure stops new items, waits for running ones, and is thrown', async () => {
    const finished: number[] = [];
    let open = (): void => undefined;
    const gate = new Promise<void>((resolve) => {
      open = resolve;
    });
    const work = inLanes([0, 1, 2, 3, 4, 5], 2, async (item) => {
      if (item === 1) {
        // when the failure has been seen
        setImmediate(open);
        throw new Error('broken');
      }
      await gate;
      finished.push(item);
    });
    await expect(work).rejects.toThrow('broken');
    expect(finished).toEqual([0]);
  });
});
