import { setCurrentDetails, sleep, workflowInfo } from '@temporalio/workflow';
import {
  type ApplySyncGroupsInput,
  type ApplySyncGroupsResult,
  describeGroupsPlan,
  type GroupChange,
  isEffective,
} from '../../domain/catalog/groups/sync-groups.ts';
import { writtenId } from '../../domain/shared/flow.ts';
import { pauseAfter } from '../../domain/shared/pauses.ts';
import { isLocked, runChild } from '../shared/child.ts';
import { logEvent } from '../shared/events.ts';
import { applySyncGroupsFlow } from '../../domain/catalog/flows/group-flows.ts';
import { checked } from '../shared/input.ts';
import { isPatched } from '../shared/patches.ts';
import { groupActivities } from './activities.ts';

/**
 * Pauses while another declaration is applied, which takes seconds. A lock held for an hour costs fewer than 100
 * events.
 */
const PAUSES = { shortestMs: 2_000, longestMs: 1_200_000, withinMs: 3_600_000 };

/**
 * Makes the schedules match `sync-groups.yaml` (docs/sync-groups.md). The planned changes are in the history before the
 * first is made, so the flow completes even if a worker is killed. Groups that are new, or cover other repositories
 * than before, run immediately. Declarations are applied one at a time: a run whose id is not the lock starts a child
 * with that id as soon as it is free.
 */
export async function applySyncGroups(input: ApplySyncGroupsInput): Promise<ApplySyncGroupsResult> {
  const given = await checked(applySyncGroupsFlow, input);
  const hasLock = workflowInfo().workflowId === writtenId(applySyncGroupsFlow, given);
  return hasLock || !isPatched('one-declaration-at-a-time') ? apply(given) : inTurn(given);
}

async function inTurn(given: Required<ApplySyncGroupsInput>): Promise<ApplySyncGroupsResult> {
  for (const since = Date.now(); ;) {
    try {
      return await runChild(applySyncGroupsFlow, given);
    } catch (error) {
      const ms = isLocked(error) ? pauseAfter(Date.now() - since, PAUSES) : null;
      if (ms === null) throw error;
      await sleep(ms, { summary: 'another declaration is being applied' });
    }
  }
}

async function apply({ document, source, prune }: Required<ApplySyncGroupsInput>): Promise<ApplySyncGroupsResult> {
  const { file } = source;
  const plan = await groupActivities.planGroups.executeWithOptions(
    { summary: `compare ${file} with the schedules`.slice(0, 200) },
    [{ document, file, prune }],
  );
  setCurrentDetails(describeGroupsPlan(plan));
  const changes = plan.changes.filter(isEffective);
  if (changes.length > 0) {
    await groupActivities.applyGroups.executeWithOptions({ summary: `${changes.length} schedules` }, [
      { changes, source },
    ]);
  }
  const result = { ...plan, source, appliedAt: new Date().toISOString() };
  if (changes.length > 0) {
    const { runId } = workflowInfo();
    await groupActivities.recordApplication.executeWithOptions({ summary: 'record the application' }, [
      { runId, result },
    ]);
  }
  const names = changes.filter(wantsRun).map(({ name }) => name);
  if (names.length > 0) {
    await groupActivities.startGroups.executeWithOptions({ summary: `run ${names.join(', ')}`.slice(0, 200) }, [
      { names },
    ]);
  }
  logEvent('sync_groups_applied', {
    by: source.by,
    file,
    commit: source.commit,
    changes: changes.map(({ kind, name }) => ({ kind, name })),
  });
  return result;
}

/** The group may now cover repositories or branches without a receipt. */
function wantsRun({ kind, group, fields }: GroupChange): boolean {
  if (group === null || group.paused) return false;
  const coversOthers = fields.some(({ field }) => ['patterns', 'exclude', 'branches'].includes(field));
  return kind === 'created' || coversOthers;
}
