import { randomUUID } from 'node:crypto';
import { Client, WithStartWorkflowOperation } from '@temporalio/client';
import { expect, inject } from 'vitest';
import { fingerprintOf } from '../../../activities/forges/account.ts';
import { startFlow } from '../../../client/core/start-flow.ts';
import { FLOWS_QUEUE } from '../../../domain/shared/queues.ts';
import type { CatalogFleetResult } from '../../../domain/catalog/flows/fleet.ts';
import type { FlowProgress } from '../../../domain/shared/progress.ts';
import { type ForgeBudgetStatus, GITHUB_LIMITS } from '../../../domain/forge/forge-budget.ts';
import { NAMESPACE } from '../../support/namespace.ts';
import { test } from '../../support/catalog/flows.ts';
import { collectRuns } from '../../support/recorded-runs.ts';
import { replayAll } from '../../support/replay.ts';
import { place, expectBudgetSound } from '../../support/budget-place.ts';

test(
  'flows visibly wait for a forge that asks to wait, even when workers are killed',
  { timeout: 400_000 },
  async ({ connections }) => {
    const { forge, host, budget, work } = await place(['acme/api', 'beta/web'], { limits: {} }, {});
    const client = new Client({ connection: connections.connection, namespace: NAMESPACE });
    const first = await work();
    const found = await (await startFlow(client, 'onboardRepositories', { patterns: ['work/*/*'] })).result();
    expect(found).toMatchObject({ succeeded: 2, failed: 0 });

    forge.requests.length = 0;
    const { enforcement } = forge;
    forge.refuse = () => {
      forge.refuse = null;
      return enforcement?.block(60_000) ?? null;
    };
    const one = await startFlow(client, 'syncRepositories', { patterns: ['work/acme/*'] });
    const isWaiting = expect.stringMatching(`waiting for ${host} until \\d{4}-.*Z`) as string;
    const waiting = { lines: expect.arrayContaining([isWaiting]) as string[] };
    await expect.poll(() => one.query<FlowProgress>('progress')).toMatchObject(waiting);
    const { currentDetails } = await one.query<{ currentDetails: string }>('__temporal_workflow_metadata');
    expect(currentDetails).toContain(`| waiting | waiting for ${host} until 2`);

    await first.kill();
    await work();
    const other = await startFlow(client, 'syncRepositories', { patterns: ['work/beta/*'] });
    await expect.poll(() => other.query<FlowProgress>('progress')).toMatchObject(waiting);
    const status = await client.workflow.getHandle(budget).query<ForgeBudgetStatus>('budget');
    expect(status.blockedUntil).toMatch(/^2/);
    expect(forge.requests).toEqual(['POST /api/graphql']);

    expect(await one.result()).toMatchObject({ matched: 1, skipped: 1, failed: 0 });
    expect(await other.result()).toMatchObject({ matched: 1, skipped: 1, failed: 0 });
    expect(enforcement?.violations).toEqual([]);
    expect(forge.requests).toHaveLength(3);
    const started = [one, other].map(
      ({ workflowId, firstExecutionRunId }) => [workflowId, firstExecutionRunId] as const,
    );
    await replayAll(await collectRuns(client, started), inject('stack').workflowBundle);
    await expectBudgetSound(client, budget);
  },
);

test(
  'a continuously used budget has small histories, and loses nothing at continue-as-new',
  {
    timeout: 300_000,
  },
  async ({ flows }) => {
    const { client } = flows;
    const budget = `forge/forge.example/${fingerprintOf(randomUUID())}`;
    const update = <Answer>(name: string, given: object): Promise<Answer> =>
      client.workflow.executeUpdateWithStart<() => Promise<void>, Answer, [object]>(name, {
        args: [given],
        startWorkflowOperation: new WithStartWorkflowOperation('forgeBudget', {
          workflowId: budget,
          taskQueue: FLOWS_QUEUE,
          args: [],
          workflowIdConflictPolicy: 'USE_EXISTING',
        }),
      });
    const said = { hourly: { limit: 5_000, remaining: 4_321, resetInMs: 3_000_000 } };
    const holder = { holder: 'a', line: 'rest', turn: 0, used: 0, busy: 0, said } as const;
    await expect(update('lease', { ...holder, busy: -1 })).rejects.toMatchObject({ cause: { type: 'InvalidInput' } });
    await update('report', holder);
    const [first] = await Promise.all([
      client.workflow.getHandle(budget).describe(),
      ...Array.from({ length: 8 }, async (_, lane) => {
        for (let times = 0; times < 70; times++) {
          const ask = {
            ...holder,
            holder: `h${lane}`,
            line: 'git',
            said: {},
            limits: GITHUB_LIMITS,
            atLeast: 0,
            points: 0,
          };
          expect(await update('lease', { ...ask, turn: times, places: 1 })).toMatchObject({ points: 0, places: 1 });
        }
      }),
    ]);
    const runs = await collectRuns(client, [[budget, first.runId]]);
    expect(runs).toHaveLength(2);
    for (const { history } of runs) expect(history.events?.length).toBeLessThan(4_000);
    const status = await client.workflow.getHandle(budget).query<ForgeBudgetStatus>('budget');
    expect(status).toMatchObject({ places: 8, rest: { hour: { remaining: 4_321 } } });
    await expectBudgetSound(client, budget);
    await replayAll(runs, inject('stack').workflowBundle);
  },
);

test(
  'two workers share one budget: nothing is refused, everything is done',
  { timeout: 400_000 },
  async ({ connections }) => {
    const names = Array.from({ length: 24 }, (_, at) => `org${at % 12}/r${Math.floor(at / 12)}`);
    const limits = { concurrency: 4, restPerMinute: 60, graphqlPerMinute: 40 };
    const { forge, budget, work } = await place(names, { limits }, { limits });
    const client = new Client({ connection: connections.connection, namespace: NAMESPACE });
    await Promise.all([work(), work()]);
    const first = await (await startFlow(client, 'onboardRepositories', { patterns: ['work/*/*'] })).result();
    expect(first).toMatchObject({ matched: 24, succeeded: 24, failed: 0 });

    const groups = Array.from({ length: 12 }, (_, at) => [`work/org${at}/*`]);
    const handles = await Promise.all(groups.map((patterns) => startFlow(client, 'syncRepositories', { patterns })));
    const results = await Promise.all(handles.map((handle): Promise<CatalogFleetResult> => handle.result()));
    expect(results).toEqual(groups.map(() => expect.objectContaining({ matched: 2, skipped: 2, failed: 0 }) as object));

    expect(forge.enforcement?.violations).toEqual([]);
    const runs = await collectRuns(
      client,
      handles.map(({ workflowId, firstExecutionRunId }) => [workflowId, firstExecutionRunId] as const),
    );
    const workers = runs.flatMap(({ history }) =>
      (history.events ?? []).flatMap(({ activityTaskStartedEventAttributes: started }) => started?.identity ?? []),
    );
    expect(new Set(workers).size).toBe(2);
    const status = await client.workflow.getHandle(budget).query<ForgeBudgetStatus>('budget');
    expect(status.graphql.hour).toMatchObject({ limit: 5_000 });
    expect(status.graphql.minute).toBeGreaterThan(0);
    await expectBudgetSound(client, budget);
  },
);
