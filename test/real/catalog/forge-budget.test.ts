import { Client } from '@temporalio/client';
import { expect } from 'vitest';
import { startFlow } from '../../../client/core/start-flow.ts';
import type { CatalogFleetResult } from '../../../domain/catalog/flows/fleet.ts';
import type { ForgeBudgetStatus } from '../../../domain/forge/forge-budget.ts';
import { NAMESPACE } from '../../support/namespace.ts';
import { test } from '../../support/catalog/flows.ts';
import { collectRuns } from '../../support/recorded-runs.ts';
import { place, expectBudgetSound } from '../../support/budget-place.ts';

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
