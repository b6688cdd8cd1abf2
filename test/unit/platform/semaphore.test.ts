import { expect, test } from 'vitest';
import { createTurns } from '../../../platform/semaphore.ts';

const never = new AbortController().signal;

test('as many as there are turns work at the same time, the others in the order in which they came', async () => {
  const turns = createTurns(2);
  const order: number[] = [];
  let working = 0;
  let most = 0;
  await Promise.all(
    Array.from({ length: 6 }, async (_, at) => {
      const end = await turns.take(never);
      order.push(at);
      most = Math.max(most, ++working);
      await new Promise(setImmediate);
      working--;
      end();
    }),
  );
  expect(most).toBe(2);
  expect(order).toEqual([0, 1, 2, 3, 4, 5]);
});

test('who is aborted while waiting leaves at once, and takes no turn from the others', async () => {
  const turns = createTurns(1);
  const end = await turns.take(never);
  const stop = new AbortController();
  const given = turns.take(stop.signal);
  const next = turns.take(never);
  stop.abort(new Error('enough'));
  await expect(given).rejects.toThrow('enough');
  await expect(turns.take(stop.signal)).rejects.toThrow('enough');
  end();
  (await next)();
  (await turns.take(never))();
});
