import { CancellationScope } from '@temporalio/workflow';
import { type Needing, startable } from '../../domain/shared/startable.ts';

/** How {@link inOrder} goes through its items. */
export interface InOrder<Item> {
  /** How many may be at work in parallel. */
  readonly atOnce: number;
  readonly work: (item: Item) => Promise<void>;
  /** Receives how many are done, and the names of those at work, when that changes. */
  readonly onChange: (done: number, atWork: readonly string[]) => void;
}

/**
 * Does the work of items, each when that of those that it needs is done. The first failure cancels those at work and
 * starts no more: it is thrown when all have ended, so that what undoes them never runs at the same time.
 */
export async function inOrder<Item extends Needing>(
  items: readonly Item[],
  { atOnce, work, onChange }: InOrder<Item>,
): Promise<void> {
  const done = new Set<string>();
  const running = new Map<string, Promise<void>>();
  const failures: unknown[] = [];
  const scope = new CancellationScope();
  const start = async (item: Item): Promise<void> => {
    try {
      await scope.run(() => work(item));
      done.add(item.name);
    } catch (error) {
      failures.push(error);
      scope.cancel();
    } finally {
      running.delete(item.name);
    }
  };
  for (;;) {
    if (failures.length === 0) {
      const ready = startable(items, done, new Set(running.keys()));
      for (const item of ready.slice(0, atOnce - running.size)) running.set(item.name, start(item));
    }
    if (running.size === 0) break;
    onChange(done.size, [...running.keys()]);
    await Promise.race(running.values());
  }
  if (failures.length > 0) throw failures[0];
}
