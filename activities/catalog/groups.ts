import { getClient } from '@temporalio/activity';
import type { CatalogPlan, RepositoryPage } from '../../domain/catalog/flows/fleet.ts';
import {
  type ApplySyncGroupsResult,
  type GroupChange,
  type GroupsPlan,
  type GroupsSource,
  planGroups,
} from '../../domain/catalog/groups/sync-groups.ts';
import type { PlanRequest } from '../../domain/fleet/plan.ts';
import type { CatalogTools } from './catalog.ts';
import { applicationsFolder } from './groups/applications.ts';
import { createGroupSchedules, type GroupSchedules } from './groups/schedules.ts';
import { parseSyncGroups } from './groups/sync-groups-file.ts';
import { forEach } from '../shared/each.ts';
import { heartbeating } from '../shared/heartbeating.ts';
import { planPage } from '../shared/plan-pages.ts';

/** The activities of sync groups. Task queue `longhaul-repos`, whose workers know the providers and the index. */
export interface GroupActivities {
  /** The changes that applying a declaration would make. Throws `InvalidConfiguration` with file and line. */
  planGroups(request: {
    readonly document: string;
    readonly file: string;
    readonly prune: boolean;
  }): Promise<GroupsPlan>;
  /** Applies the changes to the schedules. A failing change does not stop the others; the first failure is thrown. */
  applyGroups(request: { readonly changes: readonly GroupChange[]; readonly source: GroupsSource }): Promise<void>;
  /** Records an application permanently: who, when, from which file and commit. */
  recordApplication(request: { readonly runId: string; readonly result: ApplySyncGroupsResult }): Promise<void>;
  /**
   * Starts a run of each group now, unless one is running. A failing start does not stop the others; the first failure
   * is thrown.
   */
  startGroups(request: { readonly names: readonly string[] }): Promise<void>;
  /** Repositories of a group that are not indexed, have a moved ref, or lack a branch of the group. */
  findGroupWork(
    request: {
      /** The group's name, for the log. */
      readonly group: string;
      readonly patterns: readonly string[];
      readonly exclude: readonly string[];
      /** Branches to index in addition to HEAD. @default none */
      readonly branches?: readonly string[];
    } & PlanRequest,
  ): Promise<RepositoryPage>;
}

/** Dependencies of the activities of sync groups. */
export interface GroupTools extends CatalogTools {
  /** `index.name` in longhaul.yaml. */
  readonly indexName: string;
  /** Names of the configured providers. */
  readonly providers: readonly string[];
}

/** See {@link GroupActivities}. */
export function createGroupActivities(tools: GroupTools): GroupActivities {
  const schedules = (): GroupSchedules => createGroupSchedules(getClient(), tools.indexName);
  return {
    planGroups: ({ document, file, prune }) =>
      heartbeating(async () => {
        const { groups, warnings } = parseSyncGroups(document, { file, providers: tools.providers });
        // listings lag behind recent changes, so the declared groups are also read by name
        const [listed, named] = await Promise.all([
          schedules().list(),
          schedules().find(groups.map(({ name }) => name)),
        ]);
        const running = new Map([...listed, ...named].map((applied) => [applied.group.name, applied]));
        return { changes: planGroups(groups, [...running.values()], { prune }), warnings };
      }),

    applyGroups: ({ changes, source }) =>
      heartbeating(async () => {
        await forEach(changes, (change) => schedules().apply(change, source));
      }),

    recordApplication: ({ runId, result }) =>
      heartbeating(async () => {
        const name = `${applicationsFolder(tools.indexName)}${result.appliedAt.replaceAll(':', '-')}-${runId}.json`;
        await tools.blobs.putRecord(name, Buffer.from(JSON.stringify(result)));
      }),

    startGroups: ({ names }) =>
      heartbeating(async () => {
        await forEach(names, (name) => schedules().run(name));
      }),

    findGroupWork: ({ patterns, exclude, branches = [], ...request }) =>
      heartbeating(async (signal) => {
        const { digest, planner } = await tools.index();
        const make = (): Promise<CatalogPlan> => planner.group({ patterns, exclude, branches }, { signal });
        return planPage(tools.blobs, request, { basis: digest, make });
      }),
  };
}
