import { AsyncLocalStorage } from 'node:async_hooks';
import { setTimeout as delay } from 'node:timers/promises';
import { expect, test, vi } from 'vitest';
import { inOrder } from '../../../workflows/shared/in-order.ts';

/** A scope whose work ends when it is cancelled, as in a flow (test/real/flows/blocks.test.ts has the scopes of Temporal). */
const scopes = vi.hoisted(() => ({ current: null as unknown as AsyncLocalStorage<AbortController> }));
vi.mock(import('@temporalio/workflow'), async (original) => {
  scopes.current = new AsyncLocalStorage<AbortController>();
  class Scope {
    readonly #controller = new AbortController();
    readonly run = (work: () => unknown): unknown => scopes.current.run(this.#controller, work);
    readonly cancel = (): void => this.#controller.abort();
  }
  return { ...(await original()), CancellationScope: Scope as never };
});

/** Waits until the scope is cancelled, and then so long for what is at work to end. */
async function untilCancelled(endsAfterMs: number): Promise<never> {
  const signal = scopes.current.getStore()?.signal;
  await delay(60_000, undefined, signal === undefined ? {} : { signal }).catch(() => undefined);
  await delay(endsAfterMs);
  throw new Error('cancelled');
}

const needing = (name: string, ...needs: string[]) => ({ name, needs });

/** Does work, and writes down what began and ended. */
function recorded(works: Readonly<Record<string, () => Promise<unknown>>>) {
  const seen: string[] = [];
  const shown: string[] = [];
  return {
    seen,
    shown,
    atOnce: 16,
    async work({ name }: { readonly name: string }): Promise<void> {
      seen.push(`${name} begins`);
      try {
        await works[name]?.();
      } finally {
        seen.push(`${name} ends`);
      }
    },
    onChange: (done: number, atWork: readonly string[]) => void shown.push(`${done}: ${atWork.join(' ')}`),
  };
}

test('work is done when what it needs is done', async () => {
  const given = recorded({});
  await inOrder([needing('c', 'a', 'b'), needing('b', 'a'), needing('a')], given);
  expect(given.seen).toEqual(['a', 'b', 'c'].flatMap((name) => [`${name} begins`, `${name} ends`]));
  expect(given.shown).toEqual(['0: a', '1: b', '2: c']);
});

test('the first failure cancels what is at work, starts no more, and is thrown when all have ended', async () => {
  const given = recorded({ long: () => untilCancelled(50), bad: () => Promise.reject(new Error('bad')) });
  const items = [needing('long'), needing('a'), needing('bad', 'a'), needing('never', 'bad')];
  await expect(inOrder(items, given)).rejects.toThrow('bad');
  expect(given.seen).toEqual(['long begins', 'a begins', 'a ends', 'bad begins', 'bad ends', 'long ends']);
});

test('no more are at work than there may be', async () => {
  const given = { ...recorded({}), atOnce: 2 };
  await inOrder([needing('a'), needing('b'), needing('c')], given);
  expect(given.seen.slice(0, 2)).toEqual(['a begins', 'b begins']);
  expect(given.shown.map((line) => line.split(' ').length - 1)).toEqual(expect.arrayContaining([2, 1]));
  expect(given.seen).toHaveLength(6);
});
