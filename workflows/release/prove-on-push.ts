import { isCancellation } from '@temporalio/workflow';
import type { PendingEvolution } from '../../domain/release/evolutions/evolution.ts';
import { proveChangeFlow } from '../../domain/release/flows/evolution-flows.ts';
import {
  proveOnPushFlow,
  type ProveOnPushInput,
  type ProveOnPushResult,
} from '../../domain/release/flows/push-flow.ts';
import type { PackedCommit } from '../../domain/release/pipelines/job.ts';
import type { CheckedOf } from '../../domain/shared/flow.ts';
import { runChild } from '../shared/child.ts';
import { asAct } from './act.ts';
import { commitActivities, ledgerActivities, pipelineActivities } from './activities.ts';
import { pipelineFailure } from './failed-run.ts';

type Given = CheckedOf<typeof proveOnPushFlow>;

/**
 * Proves the pending evolutions of the changes that a pushed commit names (docs/release.md). Who pushed it is of no
 * importance: the pipeline decides. A change that is not proven is a result.
 */
export function proveOnPush(input: ProveOnPushInput): Promise<ProveOnPushResult> {
  return asAct(proveOnPushFlow, input, prove);
}

async function prove(given: Given): Promise<ProveOnPushResult> {
  const { repository, commit } = given;
  const pending = await ledgerActivities.pendingEvolutions.executeWithOptions({ summary: 'what is pending' }, [
    { repository },
  ]);
  // most pushes: the commit is not even fetched
  if (pending.length === 0) return { evolutions: [], unclear: [] };
  const packed = await commitActivities.packCommit.executeWithOptions({ summary: `pack ${commit.slice(0, 12)}` }, [
    { repository, commit },
  ]);
  const { named } = await pipelineActivities.readCommit.executeWithOptions({ summary: 'read the commit' }, [
    { repository, packed },
  ]);
  const meant = pending.filter(({ change }) => named.includes(change));
  const isClear = ({ change }: PendingEvolution): boolean => meant.filter((one) => one.change === change).length === 1;
  const evolutions: ProveOnPushResult['evolutions'][number][] = [];
  const problems: unknown[] = [];
  for (const evolution of meant.filter(isClear)) {
    try {
      evolutions.push({ tag: evolution.tag, status: await proveOne(given, packed, evolution) });
    } catch (error) {
      if (isCancellation(error)) throw error;
      // the others are proven first
      problems.push(error);
    }
  }
  if (problems.length > 0) throw problems[0];
  return { evolutions, unclear: meant.filter((one) => !isClear(one)).map(({ tag }) => tag) };
}

async function proveOne(
  { repository, commit, branch }: Given,
  packed: PackedCommit,
  { tag: evolution, pipeline }: PendingEvolution,
): Promise<'pass' | 'fail'> {
  const by = `push to ${branch}`.slice(0, 200);
  try {
    await runChild(proveChangeFlow, {
      repository,
      pipeline,
      commit,
      branch,
      packed,
      evolution,
      event: 'push',
      supersedes: [],
      by,
    });
    return 'pass';
  } catch (error) {
    if (pipelineFailure(error) === null) throw error;
    return 'fail';
  }
}
