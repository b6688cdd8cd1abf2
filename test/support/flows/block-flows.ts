import { CancellationScope, condition, defineSignal, proxyActivities, setHandler, sleep } from '@temporalio/workflow';
import type { StartFrom } from '../../../domain/shared/stages.ts';
import { withRollback } from '../../../workflows/shared/rollback.ts';
import { stagesOf } from '../../../workflows/shared/stages.ts';
import { listenForTurns, takingTurns } from '../../../workflows/shared/turns.ts';

/** The steps and undos of {@link buildTower}. */
export interface TowerActivities {
  build(floor: string): Promise<string>;
  remove(floor: string): Promise<void>;
}

const { build, remove } = proxyActivities<TowerActivities>({
  startToCloseTimeout: '10 seconds',
  scheduleToCloseTimeout: '20 seconds',
  retry: { maximumAttempts: 1 },
  cancellationType: 'WAIT_CANCELLATION_COMPLETED',
});

/** Builds floors; `final` is the one after which nothing is undone, and `waits` one after which it waits for ever. */
export async function buildTower(input: {
  readonly floors: readonly string[];
  readonly final?: string;
  readonly waits?: string;
}): Promise<readonly string[]> {
  return withRollback(async (rollback) => {
    const built: string[] = [];
    for (const floor of input.floors) {
      rollback.before(`remove ${floor}`, () => remove(floor));
      built.push(await build(floor));
      if (floor === input.final) rollback.forget();
      if (floor === input.waits) await sleep('1 day');
    }
    return built;
  });
}

/** How {@link enterTower} behaves while another is in the tower. */
export interface TowerEntry {
  /** Its name, and that of the tower. */
  readonly name: string;
  readonly tower: string;
  readonly whenTaken: 'wait' | 'replace' | 'refuse';
}

const REPLACED = { type: 'Replaced', message: 'another took its place' };

/** Is in a tower, alone, until it gets the signal `leave`. Signals of a flow that waits are those of its child. */
export async function enterTower({ name, tower, whenTaken }: TowerEntry): Promise<string> {
  const turns = listenForTurns();
  return turns.run<string>(
    (waiting) => ({
      type: 'beInTower',
      input: { name, waiting },
      workflowId: tower,
      summary: name,
      busy: { type: 'PushRefused', message: 'another is in the tower' },
    }),
    { whenTaken, replaced: REPLACED, onWait: () => undefined },
  );
}

/** The child of {@link enterTower}, whose workflow id is the lock. */
export function beInTower({
  name,
  waiting,
}: {
  readonly name: string;
  readonly waiting: readonly string[];
}): Promise<string> {
  let hasLeft = false;
  setHandler(defineSignal('leave'), () => void (hasLeft = true));
  return takingTurns(waiting, REPLACED, () =>
    withRollback(async (rollback) => {
      rollback.before(`remove ${name}`, () => remove(name));
      const built = await build(name);
      await condition(() => hasLeft);
      return built;
    }),
  );
}

/** The outputs of {@link climbStages}. */
interface Outputs extends Record<string, unknown> {
  readonly first: string;
  readonly second: { readonly of: string };
  readonly third: string;
}

/** Three stages, of which the second waits for a signal. */
export async function climbStages(from: StartFrom<Outputs> | null): Promise<string> {
  let isOn = false;
  setHandler(defineSignal('on'), () => void (isOn = true));
  const stages = stagesOf<Outputs>(['first', 'second', 'third'], from);
  const first = await stages.run('first', () => build('first'));
  const second = await stages.run('second', async () => {
    stages.show('waits for the signal');
    await condition(() => isOn);
    return { of: first };
  });
  return stages.run('third', () => CancellationScope.nonCancellable(async () => `third after ${second.of}`));
}
