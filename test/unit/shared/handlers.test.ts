import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { FLOWS } from '../../../domain/flows.ts';
import type { AnyFlow } from '../../../domain/shared/flow.ts';

/** The handlers that the flow under test has set. */
const handlers = { set: [] as { readonly type: string; readonly name: string }[] };
let workflows: Readonly<Record<string, unknown>> = {};

/** A scope outside of a flow. */
class Scope {
  static readonly current = (): object => ({ consideredCancelled: false });
  static readonly nonCancellable = (work: () => unknown): unknown => work();
  readonly run = (work: () => unknown): unknown => work();
}

// other files of this process have loaded the flows without the mock, or will
beforeAll(async () => {
  vi.resetModules();
  // a flow sets its handlers before its first step, which never ends here
  vi.doMock(import('@temporalio/workflow'), async (original) => {
    const never = (): Promise<never> => new Promise(() => undefined);
    const steps = new Proxy({}, { get: () => Object.assign(never, { executeWithOptions: never }) });
    const info = { workflowId: 'id', runId: 'run', startTime: new Date(0), unsafe: { isReplaying: false } };
    return {
      ...(await original()),
      setHandler: (definition: { type: string; name: string }) => void handlers.set.push(definition),
      proxyActivities: (() => steps) as never,
      proxyLocalActivities: (() => steps) as never,
      condition: never as never,
      sleep: never,
      workflowInfo: () => info as never,
      CancellationScope: Scope as never,
      patched: () => true,
      setCurrentDetails: () => undefined,
      upsertSearchAttributes: () => undefined,
    };
  });
  workflows = await import('../../../workflows/index.ts');
});
afterAll(() => {
  vi.doUnmock('@temporalio/workflow');
  vi.resetModules();
});

// every flow answers the query `progress`: its own answer replaces that of `workflows/shared/step-progress.ts`
test.each(FLOWS.all.map((flow: AnyFlow) => [flow.type, flow] as const))(
  '%s: has a handler for each declared signal, update and query, and declares each handler',
  (type, { signals, updates, queries, examples }) => {
    handlers.set = [];
    const run = (workflows as Readonly<Record<string, (input: unknown) => unknown>>)[type];
    void run?.(examples[0] ?? {});
    const named = (wanted: string): string[] =>
      handlers.set
        // refuses what is sent to the flow directly: it is no part of what a flow offers
        .filter(({ name }) => name !== 'decide')
        .flatMap(({ type: kind, name }) => (kind === wanted ? [name] : []))
        .sort();
    expect({
      signals: named('signal'),
      updates: named('update'),
      queries: named('query').filter((name) => name !== 'progress'),
    }).toEqual({
      signals: Object.keys(signals).sort(),
      updates: Object.keys(updates).sort(),
      queries: queries.toSorted(),
    });
  },
);
