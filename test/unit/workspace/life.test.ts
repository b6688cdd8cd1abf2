import { setTimeout as delay } from 'node:timers/promises';
import { ApplicationFailure, CancelledFailure, ChildWorkflowFailure } from '@temporalio/common';
import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import type { PrepareInput, PrepareResult } from '../../../domain/workspace/flows/prepare-flow.ts';
import type * as Flows from '../../../workflows/workspace/index.ts';

/** A life that runs in this process, with steps that a test gives (test/real/workspace/prepare.test.ts has those of Temporal). */
type Step = (input: never, signal: AbortSignal) => unknown;

const ROOT = '/work/login';
const given = { host: 'desk', root: ROOT, enter: 'requirements', checkSeconds: 1, by: 'ada' };
const handlers = new Map<string, { handle: (arg?: unknown) => unknown; validator?: (arg: unknown) => void }>();
/** What was done, in order: a child with its input, or a record. */
const done: [string, unknown][] = [];
let steps: Record<string, Step> = {};
let children: Record<string, Step> = {};
let isLong = false;
let flows: Pick<typeof Flows, 'prepareWorkspace' | 'repairWorkspace'>;
let workflowId = '';

/** One that goes on until it is cancelled. */
const endless = (_input: unknown, signal: AbortSignal): Promise<never> =>
  new Promise((_resolve, reject) =>
    signal.addEventListener('abort', () => reject(new CancelledFailure('cancelled')), { once: true }),
  );

function send(name: 'end' | 'extend', arg: unknown): unknown {
  handlers.get(name)?.validator?.(arg);
  return handlers.get(name)?.handle(arg);
}

const shown = (): readonly string[] | undefined =>
  (handlers.get('progress')?.handle() as { lines: string[] } | undefined)?.lines;

// other files of this process have loaded the flows without the mock, or will
beforeAll(async () => {
  vi.resetModules();
  vi.doMock(import('@temporalio/workflow'), async (original) => {
    let signal = new AbortController().signal;
    class Scope {
      static readonly current = (): object => ({ consideredCancelled: false });
      static readonly nonCancellable = (work: () => unknown): unknown => work();
      readonly #controller = new AbortController();
      readonly cancel = (): void => this.#controller.abort();
      run(work: () => unknown): unknown {
        const outer = signal;
        signal = this.#controller.signal;
        try {
          return work();
        } finally {
          signal = outer;
        }
      }
    }
    const step = (name: string) => async (input: unknown) => steps[name]?.(input as never, signal);
    const activities = new Proxy(
      {},
      {
        get: (_all, name: string) => ({
          executeWithOptions: (_options: unknown, [input]: [unknown]) => step(name)(input),
        }),
      },
    );
    return {
      ...(await original()),
      CancellationScope: Scope as never,
      proxyActivities: (() => activities) as never,
      proxyLocalActivities: (() => ({ checkInput: async ({ input }: { input: unknown }) => input })) as never,
      setCurrentDetails: () => undefined,
      setHandler: (({ name }: { name: string }, handle: () => unknown, more: object = {}) =>
        void handlers.set(name, { handle, ...more })) as never,
      workflowInfo: (() => ({ workflowId, continueAsNewSuggested: isLong })) as never,
      continueAsNew: (async (input: unknown) => {
        throw Object.assign(new Error('continued as new'), { input });
      }) as never,
      condition: (async (isTrue: () => boolean, ms = 60_000) => {
        for (const began = Date.now(); !isTrue(); await delay(1)) if (Date.now() - began >= ms) return false;
        return true;
      }) as never,
      executeChild: (async (type: string, { args: [input] }: { args: [unknown] }) => {
        done.push([type, input]);
        return children[type]?.(input as never, signal);
      }) as never,
    };
  });
  flows = await import('../../../workflows/workspace/index.ts');
});
afterAll(() => {
  vi.doUnmock('@temporalio/workflow');
  vi.resetModules();
});

beforeEach(() => {
  done.length = 0;
  handlers.clear();
  isLong = false;
  workflowId = `workspace-life/desk${ROOT}`;
  steps = {
    readRequirements: () => ({ repos: ['api'], ttlSeconds: null }),
    planPreparation: () => ({ id: 'snapshot', plan: null, operations: 0 }),
    planRepair: () => ({ plan: null, questions: [], steps: [] }),
    checkPlan: () => ({ plan: 'plan' }),
    digestOfWork: () => 'work',
    recordWorkspaceAct: ({ what }: { what: string }) => void done.push(['record', what]),
    watchWorkspace: endless,
  };
  children = {
    applyPlan: () => ({ outcome: 'committed' }),
    repairWorkspace: () => ({ repaired: [], quarantined: [], left: [], drift: [] }),
    teardownWorkspace: ({ mode }: { mode: string }) => ({ mode }),
  };
});

const start = (more: object = {}): Promise<PrepareResult> => {
  const life = flows.prepareWorkspace({ ...given, ...more } as PrepareInput);
  life.catch(() => undefined);
  return life;
};

const DRIFT = { seen: 'changed', isDrifted: true, isGone: false, repos: ['api'] };

test('an end that was accepted counts also when the history is long', async () => {
  const life = start();
  await vi.waitFor(() => expect(shown()).toEqual(['ready']));
  isLong = true;
  send('end', { mode: 'preserve', by: 'bo' });
  expect(await life).toEqual({ mode: 'preserve', teardown: { mode: 'preserve' } });
});

test('the next run of a life repairs what the former one has seen, and records ready once', async () => {
  steps['watchWorkspace'] = () => {
    isLong = true;
    return DRIFT;
  };
  const input = await start().catch((error: unknown) => (error as { input: object }).input);
  expect(input).toMatchObject({ continued: { watch: { isDrifted: true, isReady: false, isRecorded: true } } });
  isLong = false;
  steps['watchWorkspace'] = endless;
  const life = start(JSON.parse(JSON.stringify(input)) as object);
  await vi.waitFor(() => expect(shown()).toEqual(['ready']));
  send('end', { mode: 'clean' });
  await life;
  expect(done.map(([type, what]) => (type === 'record' ? what : type))).toEqual([
    'ready',
    'repairWorkspace',
    'teardownWorkspace',
  ]);
});

test('what a person must resolve is shown, and is no question that keeps the workspace', async () => {
  let looks = 0;
  steps['watchWorkspace'] = (input, signal) => (looks++ === 0 ? DRIFT : endless(input, signal));
  children['repairWorkspace'] = () => ({ left: ['api: It is on x instead of y.'], drift: [] });
  const life = start();
  await vi.waitFor(() =>
    expect(shown()).toEqual(['not as its manifest says', 'waits for a person: api: It is on x instead of y.']),
  );
  expect(done.find(([type]) => type === 'repairWorkspace')?.[1]).toMatchObject({ asks: false });
  send('end', { mode: 'detach' });
  expect(await life).toMatchObject({ mode: 'detach' });
});

test('a repair that goes on is cancelled by the end', async () => {
  steps['watchWorkspace'] = () => DRIFT;
  children['repairWorkspace'] = endless;
  const life = start();
  await vi.waitFor(() => expect(shown()).toEqual(['repairs what has drifted']));
  send('end', { mode: 'clean' });
  expect(await life).toMatchObject({ mode: 'clean' });
});

test('a watch that fails while it is cancelled does not fail the life', async () => {
  steps['watchWorkspace'] = (input, signal) =>
    endless(input, signal).catch(() => {
      throw ApplicationFailure.nonRetryable('the folder is unreadable', 'InvalidConfiguration');
    });
  const life = start();
  await vi.waitFor(() => expect(shown()).toEqual(['ready']));
  send('end', { mode: 'clean' });
  expect(await life).toMatchObject({ mode: 'clean' });
});

test('a loss that is declined lets the workspace live on for its time again', async () => {
  let ends = 0;
  children['teardownWorkspace'] = ({ mode }: { mode: string }) => {
    if (ends++ === 0) {
      const why = ApplicationFailure.nonRetryable('bo did not confirm api.', 'PlanPreconditionFailed');
      throw new ChildWorkflowFailure(
        undefined,
        { workflowId: 'id' },
        'teardownWorkspace',
        'NON_RETRYABLE_FAILURE',
        why,
      );
    }
    return { mode };
  };
  const began = Date.now();
  const life = start({ ttlSeconds: 1 });
  await vi.waitFor(() => expect(shown()).toContain('waits for a person: bo did not confirm api.'), 5_000);
  expect(await life).toMatchObject({ mode: 'clean', teardown: { mode: 'clean' } });
  expect([ends, Date.now() - began >= 2_000]).toEqual([2, true]);
});

test('a life that is entered at a plan has the time of the manifest', async () => {
  steps['readRequirements'] = () => ({ repos: ['api'], ttlSeconds: 3_600 });
  const life = start({ enter: 'plan', plan: 'a'.repeat(64) });
  await vi.waitFor(() => expect(shown()).toMatchObject(['ready', expect.stringMatching(/^ends at /)]));
  send('end', { mode: 'clean' });
  await life;
});

test('an end is moved by at most a year, to at most ten years from now', async () => {
  const life = start({ ttlSeconds: 3_600 });
  await vi.waitFor(() => expect(shown()).toHaveLength(2));
  for (const seconds of [9e15, 31_536_001, 0, 1.5, '1']) {
    expect(() => send('extend', { seconds })).toThrow('seconds: give a whole number from 1 to 31536000.');
  }
  const year = { seconds: 31_536_000 };
  for (let years = 0; years < 9; years++) send('extend', year);
  expect(() => send('extend', year)).toThrow(/would end after .*, ten years from now/);
  send('end', { mode: 'clean' });
  await life;
});

test('a repair that does not ask leaves what people decide, and does the rest', async () => {
  workflowId = `workspace/desk${ROOT}`;
  const question = { name: 'api', path: null, work: ['It is on x instead of y.'] };
  steps['planRepair'] = ({ left }: { left: string[] }) => ({
    plan: null,
    questions: left.includes('api') ? [] : [question],
    steps: [],
  });
  const repaired = flows.repairWorkspace({ host: 'desk', root: ROOT, by: 'ada', asks: false, agreed: [] });
  expect(await repaired).toMatchObject({ left: ['api: It is on x instead of y.'], drift: [] });
});

test('a life takes away only what an earlier manifest of it has asked for', async () => {
  const looks: object[] = [
    { seen: '1', isDrifted: false, isGone: false, repos: ['api', 'web'] },
    // a person is writing
    { seen: '2', isDrifted: false, isGone: false, repos: null },
    { seen: '3', isDrifted: true, isGone: false, repos: ['api'] },
    { seen: '4', isDrifted: false, isGone: false, repos: ['api'] },
    // attached by a person: no manifest has asked for it
    { seen: '5', isDrifted: true, isGone: false, repos: ['api'] },
  ];
  steps['watchWorkspace'] = (input, signal) => looks.shift() ?? endless(input, signal);
  const life = start();
  await vi.waitFor(() => expect(done.filter(([type]) => type === 'repairWorkspace')).toHaveLength(2));
  expect(done.flatMap(([type, input]) => (type === 'repairWorkspace' ? [input] : []))).toMatchObject([
    { agreed: ['web'] },
    { agreed: [] },
  ]);
  send('end', { mode: 'clean' });
  await life;
});

test('a life that is entered at a plan compares with what the plan makes', async () => {
  const plan = 'a'.repeat(64);
  const asked: unknown[] = [];
  let looks = 0;
  steps['planRepair'] = (input) => {
    asked.push(input);
    return { plan: null, questions: [], steps: [] };
  };
  steps['watchWorkspace'] = (input, signal) => {
    asked.push(input);
    return looks++ === 0 ? DRIFT : endless(input, signal);
  };
  const life = start({ enter: 'plan', plan });
  await vi.waitFor(() => expect(asked).toHaveLength(3));
  asked.push(done.find(([type]) => type === 'repairWorkspace')?.[1]);
  expect(asked).toMatchObject([{ plan }, { plan }, { plan }, { plan }]);
  send('end', { mode: 'clean' });
  await life;
});
