import { expect, test } from 'vitest';
import { createSemaphore } from '../../../platform/semaphore.ts';

test('as many tasks run in parallel as there are permits, the others in order of arrival', async () => {
  const semaphore = createSemaphore(2);
  const order: number[] = [];
  let working = 0;
  let most = 0;
  await Promise.all(
    Array.from({ length: 6 }, async (_, at) => {
      const release = await semaphore.acquire();
      order.push(at);
      most = Math.max(most, ++working);
      await new Promise(setImmediate);
      working--;
      release();
    }),
  );
  expect(most).toBe(2);
  expect(order).toEqual([0, 1, 2, 3, 4, 5]);
});

test('an abort ends a wait immediately, and the permit goes to the next task', async () => {
  const semaphore = createSemaphore(1);
  const release = await semaphore.acquire();
  const stop = new AbortController();
  const given = semaphore.acquire(stop.signal);
  const next = semaphore.acquire();
  stop.abort(new Error('enough'));
  await expect(given).rejects.toThrow('enough');
  await expect(semaphore.acquire(stop.signal)).rejects.toThrow('enough');
  release();
  // a second call does not release another permit
  release();
  const releaseNext = await next;
  const third = semaphore.acquire(AbortSignal.abort(new Error('held')));
  await expect(third).rejects.toThrow('held');
  releaseNext();
  (await semaphore.acquire())();
});
