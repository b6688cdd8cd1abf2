import { AsyncLocalStorage } from 'node:async_hooks';
import { setTimeout as delay } from 'node:timers/promises';
import { CancelledFailure, WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import { expect, test, vi } from 'vitest';
import { listenForTurns, takingTurns } from '../../../workflows/shared/turns.ts';

/** A flow that runs in this process (test/real/flows/blocks.test.ts has those of Temporal). */
interface Flow {
  readonly workflowId: string;
  readonly handlers: Map<string, (arg: unknown) => void>;
}

const { flows, open, scopes } = vi.hoisted(() => ({
  flows: { current: null as unknown as AsyncLocalStorage<Flow> },
  scopes: { current: null as unknown as AsyncLocalStorage<AbortSignal | undefined> },
  open: new Map<string, Flow>(),
}));

function run<Result>(workflowId: string, work: () => Promise<Result>): Promise<Result> {
  const flow: Flow = { workflowId, handlers: new Map() };
  open.set(workflowId, flow);
  return flows.current.run(flow, () => scopes.current.run(undefined, work)).finally(() => open.delete(workflowId));
}

vi.mock(import('@temporalio/workflow'), async (original) => {
  flows.current = new AsyncLocalStorage<Flow>();
  scopes.current = new AsyncLocalStorage<AbortSignal | undefined>();
  class Scope {
    static readonly nonCancellable = (work: () => unknown): unknown => scopes.current.run(undefined, work);
    readonly #controller = new AbortController();
    readonly run = (work: () => unknown): unknown => scopes.current.run(this.#controller.signal, work);
    readonly cancel = (): void => this.#controller.abort();
  }
  return {
    ...(await original()),
    CancellationScope: Scope as never,
    log: { info: () => undefined } as never,
    workflowInfo: (() => flows.current.getStore()) as never,
    setHandler: ((signal: { readonly name: string }, handler: (arg: unknown) => void) =>
      void flows.current.getStore()?.handlers.set(signal.name, handler)) as never,
    getExternalWorkflowHandle: ((id: string) => ({
      async signal({ name }: { readonly name: string }, arg: unknown) {
        await delay(1);
        const flow = open.get(id);
        if (flow === undefined) throw new Error(`${id} has ended`);
        flow.handlers.get(name)?.(arg);
      },
    })) as never,
    condition: (async (isTrue: () => boolean, ms = 60_000) => {
      const signal = scopes.current.getStore();
      for (const began = Date.now(); Date.now() - began < ms; await delay(1)) {
        if (signal?.aborted) throw new CancelledFailure('cancelled');
        if (isTrue()) return true;
      }
      return false;
    }) as never,
    executeChild: (async (type: string, { workflowId, args }: { workflowId: string; args: [Held] }) => {
      if (open.has(workflowId)) throw new WorkflowExecutionAlreadyStartedError('it runs', workflowId, type);
      // the failure of a child is the cause of another one
      return run(workflowId, () => hold(args[0])).catch((error: unknown) => {
        throw new Error((error as Error).message);
      });
    }) as never,
  };
});

interface Held {
  readonly name: string;
  readonly waiting: readonly string[];
}

const REPLACED = { type: 'DeploymentReplaced', message: 'a newer one has taken its place' };
const LOCK = 'lock';
const done: string[] = [];
let mayEnd = false;

/** Has the lock until it may end, also when it is cancelled. */
async function hold({ name, waiting }: Held): Promise<string> {
  return takingTurns(waiting, REPLACED, async () => {
    done.push(`${name} begins`);
    const { condition, CancellationScope } = await import('@temporalio/workflow');
    try {
      await condition(() => mayEnd);
      return name;
    } finally {
      await CancellationScope.nonCancellable(() => condition(() => mayEnd));
      done.push(`${name} ends`);
    }
  });
}

function take(name: string, whenTaken: 'wait' | 'replace'): Promise<string> {
  return run(name, () =>
    listenForTurns().run<string>(
      (waiting) => ({
        type: 'hold',
        input: { name, waiting },
        workflowId: LOCK,
        summary: name,
        busy: { type: 'EnvironmentBusy', message: 'another one is at work' },
      }),
      { whenTaken, replaced: REPLACED, onWait: () => undefined },
    ),
  );
}

async function takeAll(whenTaken: 'wait' | 'replace'): Promise<readonly unknown[]> {
  done.length = 0;
  mayEnd = false;
  const all = [];
  for (const name of ['first', 'second', 'third']) {
    const one = take(name, whenTaken).catch((error: unknown) => (error as Error).message);
    all.push(one);
    // each comes when the one before has the lock, or waits for it
    await delay(100);
  }
  mayEnd = true;
  return Promise.all(all);
}

test('flows that wait take turns in their order', async () => {
  expect(await takeAll('wait')).toEqual(['first', 'second', 'third']);
  expect(done).toEqual(['first', 'second', 'third'].flatMap((name) => [`${name} begins`, `${name} ends`]));
});

test('the newest that replaces comes next, and those that waited before it end as replaced', async () => {
  expect(await takeAll('replace')).toEqual([REPLACED.message, REPLACED.message, 'third']);
  expect(done).toEqual(['first begins', 'first ends', 'third begins', 'third ends']);
});
