import type { CatalogFleetResult } from './fleet.ts';
import { defineFlow } from '../../shared/flow.ts';
import type { FleetWatch } from '../groups/fleet-watch.ts';
import {
  type ApplySyncGroupsInput,
  type ApplySyncGroupsResult,
  MOST_DECLARED_BYTES,
  type SyncGroupInput,
} from '../groups/sync-groups.ts';
import { branchList, parallel } from './inputs.ts';

/** Makes the schedules match what a file declares. */
export const applySyncGroupsFlow = defineFlow<ApplySyncGroupsInput, ApplySyncGroupsResult>()({
  type: 'applySyncGroups',
  input: (z) =>
    z.strictObject({
      document: z
        .string()
        .min(1, 'give the text of sync-groups.yaml')
        .max(MOST_DECLARED_BYTES, `must not be longer than ${MOST_DECLARED_BYTES} bytes`),
      source: z.strictObject({
        file: z.string().min(1).max(4_096),
        commit: z
          .string()
          .regex(/^[0-9a-f]{40}([0-9a-f]{24})?$/, 'must be a whole commit id')
          .nullable()
          .default(null),
        by: z.string().min(1).max(200),
      }),
      prune: z.boolean().default(false),
    }),
  does: 'creates, updates and deletes schedules as the file declares ([sync groups](sync-groups.md))',
  examples: [
    {
      document: '<text of sync-groups.yaml>',
      source: { file: 'sync-groups.yaml', commit: null, by: 'alice' },
      prune: false,
    },
  ],
  startedBy: ['people', 'services'],
  // one declaration is applied at a time
  id: () => 'sync-groups',
  whenRunning: 'wait',
  summary: () => 'apply sync groups',
  person: 'source.by',
});

/** The workflow id of a run of a sync group. */
function groupRunId(name: string): string {
  return `sync-group/${name}`;
}

/**
 * The id of a group's schedule, and the prefix of the ids of its runs. It contains the index name, because several
 * indexes may share a Temporal namespace.
 */
export function groupScheduleId(indexName: string, group: string): string {
  return groupRunId(`${indexName}/${group}`);
}

/** One run of a sync group. */
export const syncGroupFlow = defineFlow<SyncGroupInput, CatalogFleetResult>()({
  type: 'syncGroup',
  input: (z) =>
    z.strictObject({
      name: z
        .string()
        .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/, 'use letters, digits, dot, dash and underscore, at most 100'),
      description: z.string().max(1_000).default(''),
      schedule: z.string().max(200).default(''),
      timezone: z.string().default('UTC'),
      jitterSeconds: z.int().min(0).max(3_600).default(0),
      patterns: z.array(z.string().min(1).max(300)).max(1_000).min(1, 'give at least one pattern'),
      exclude: z.array(z.string().min(1).max(300)).max(1_000).default([]),
      branches: branchList(z).default([]),
      parallel: parallel(z),
      priority: z.int().min(1).max(5).default(3),
      paused: z.boolean().default(false),
    }),
  does: 'indexes new repositories of the group and syncs those that moved; started by the schedule of the group',
  examples: [],
  startedBy: ['schedules', 'people'],
  id: ({ name }) => groupRunId(name),
  // when and how fast it runs does not change the result
  question: ({ name, patterns, exclude, branches }) => ({ name, patterns, exclude, branches }),
  summary: ({ name }) => `sync group ${name}`,
});

/** Raises and resolves alerts. */
export const watchFleetFlow = defineFlow<Record<string, never>, FleetWatch>()({
  type: 'watchFleet',
  input: (z) => z.strictObject({}),
  does: 'notifies the channels of raised and resolved alerts ([alerts](alerts.md)); started by its schedule',
  examples: [],
  startedBy: ['schedules'],
  id: () => 'watch-fleet',
  summary: () => 'alerts',
});
