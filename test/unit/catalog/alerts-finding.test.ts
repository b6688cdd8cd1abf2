import { type Client, ScheduleNotFoundError, WorkflowFailedError } from '@temporalio/client';
import { ApplicationFailure, WorkflowNotFoundError } from '@temporalio/common';
import { expect, test } from 'vitest';
import { alertsFinding } from '../../../client/cli/catalog/alerts-finding.ts';
import type { Finding } from '../../../client/cli/commands.ts';
import { configSchema } from '../../../domain/config/config.schema.ts';

const NOW = new Date('2026-11-29T12:00:00Z');
const ID = 'watch-fleet/Code';

type Run = readonly [minutes: number, status: string | null];

interface Scripted {
  readonly isPaused?: boolean;
  /** Minutes ago. */
  readonly created?: number;
  /** Runs, oldest first: minutes ago, and Temporal's status, which is null for a deleted run. */
  readonly runs?: readonly Run[];
}

function minutesAgo(minutes: number): Date {
  return new Date(NOW.getTime() - minutes * 60_000);
}

/** Doctor's finding for this alert schedule; null: there is no schedule. */
function findingOf(schedule: Scripted | null, channels: readonly string[] = ['oncall', 'chat']): Promise<Finding> {
  const { isPaused = false, created = 600, runs = [] } = schedule ?? {};
  const client = {
    schedule: {
      getHandle: (id: string) => ({
        describe: () => {
          expect(id).toBe(ID);
          if (schedule === null) return Promise.reject(new ScheduleNotFoundError('gone', id));
          const recentActions = runs.map(([ago]) => ({
            takenAt: minutesAgo(ago),
            action: { workflow: { workflowId: `${ID}-${ago}` } },
          }));
          return Promise.resolve({
            state: { paused: isPaused },
            info: { createdAt: minutesAgo(created), recentActions },
          });
        },
      }),
    },
    workflow: {
      getHandle: (id: string) => ({
        describe: () => {
          const name = runs.find(([ago]) => id === `${ID}-${ago}`)?.[1] ?? null;
          if (name === null) return Promise.reject(new WorkflowNotFoundError('gone', id, undefined));
          return Promise.resolve({ status: { name } });
        },
        result: () => {
          const cause = ApplicationFailure.nonRetryable(`the channel of ${id} does not answer`, 'AlertNotSent');
          return Promise.reject(new WorkflowFailedError('Workflow execution failed', cause, 'NON_RETRYABLE_FAILURE'));
        },
      }),
    },
  } as unknown as Client;
  const config = configSchema.parse({
    index: { name: 'Code' },
    alerts: { channels: channels.map((name) => ({ name, type: 'webhook', urlEnv: 'URL' })) },
  });
  return alertsFinding({ config }, client, NOW);
}

test.for<[Scripted | null, string]>([
  [
    {
      runs: [
        [9, 'COMPLETED'],
        [4, 'COMPLETED'],
      ],
    },
    'oncall, chat; checked at 2026-11-29T11:56:00.000Z',
  ],
  // a run in progress
  [
    {
      runs: [
        [9, 'COMPLETED'],
        [4, 'RUNNING'],
      ],
    },
    'oncall, chat; checked at 2026-11-29T11:56:00.000Z',
  ],
  [
    {
      runs: [
        [9, 'FAILED'],
        [4, 'COMPLETED'],
      ],
    },
    'oncall, chat; checked at 2026-11-29T11:56:00.000Z',
  ],
  [
    {
      runs: [
        [9, null],
        [4, 'RUNNING'],
      ],
    },
    'oncall, chat; checked at 2026-11-29T11:56:00.000Z',
  ],
  [{ created: 1 }, 'oncall, chat; not checked yet'],
])('an alert schedule that works: %j', async ([schedule, found]) => {
  expect(await findingOf(schedule)).toEqual({ name: 'alerts', ok: true, found, remedy: null });
});

test.for<[Scripted | null, string, RegExp]>([
  [null, `oncall, chat; the schedule ${ID} does not exist`, /Restart the worker/],
  [{ isPaused: true, runs: [[4, 'COMPLETED']] }, `the schedule ${ID} is paused`, /--unpause -s watch-fleet\/Code/],
  [{ runs: [[16, 'COMPLETED']] }, `the schedule ${ID} last started a run at 2026-11-29T11:44:00.000Z`, /Temporal UI/],
  [{ created: 16 }, `the schedule ${ID} last started a run at 2026-11-29T11:44:00.000Z`, /Temporal UI/],
  [
    {
      runs: [
        [9, 'FAILED'],
        [4, 'RUNNING'],
      ],
    },
    `the last check failed: the channel of ${ID}-9 does not answer`,
    /channel/,
  ],
  [
    {
      runs: [
        [9, 'COMPLETED'],
        [4, 'TERMINATED'],
      ],
    },
    `the last check failed: the channel of ${ID}-4 does not answer`,
    /channel/,
  ],
])('an alert schedule that does not work: %j', async ([schedule, found, remedy]) => {
  const finding = await findingOf(schedule);
  expect(finding).toMatchObject({ name: 'alerts', ok: false, found });
  expect(finding.remedy).toMatch(remedy);
});

test('without channels no schedule is expected', async () => {
  expect(await findingOf(null, [])).toMatchObject({ ok: true, found: 'no channels in longhaul.yaml' });
});
