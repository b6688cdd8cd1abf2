import { expect, test } from 'vitest';
import { forEach } from '../../../activities/shared/each.ts';

test('a failure does not stop the work for the items after it, and the first is thrown', async () => {
  const done: number[] = [];
  const work = async (item: number): Promise<void> => {
    if (item % 2 === 0) throw new Error(`no ${item}`);
    done.push(item);
  };
  await expect(forEach([1, 2, 3, 4, 5], work)).rejects.toThrow('no 2');
  expect(done).toEqual([1, 3, 5]);
});
