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
import { asAct } from '../shared/act.ts';
import { commitActivities, ledgerActivities } from './activities.ts';
import { pipelineFailure } from './failed-run.ts';

type Given = CheckedOf<typeof proveOnPushFlow>;

/** Evolutions that one push proves: more are a mistake. */
const MOST_PROVEN = 50;

/**
 * Proves the pending evolutions of the changes that pushed commits name (docs/release.md), each at the newest commit that
 * names its change. Who pushed is of no importance: the pipeline decides. A change that is not proven is a result.
 */
export function proveOnPush(input: ProveOnPushInput): Promise<ProveOnPushResult> {
  return asAct(proveOnPushFlow, input, prove);
}

async function prove(given: Given): Promise<ProveOnPushResult> {
  const { repository, commit, before } = given;
  const pending = await ledgerActivities.pendingEvolutions.executeWithOptions({ summary: 'what is pending' }, [
    { repository },
  ]);
  // most pushes: the commit is not even fetched
  if (pending.length === 0) return { evolutions: [], unclear: [] };
  const packed = await pack(repository, commit);
  const named = await commitActivities.findNamedCommits.executeWithOptions({ summary: 'what the commits name' }, [
    { repository, packed, before: before ?? null, changes: [...new Set(pending.map(({ change }) => change))] },
  ]);
  const meant = pending.filter(({ change }) => named.some((each) => each.change === change));
  const isClear = ({ change }: PendingEvolution): boolean => meant.filter((one) => one.change === change).length === 1;
  const evolutions: ProveOnPushResult['evolutions'][number][] = [];
  const problems: unknown[] = [];
  for (const evolution of meant.filter(isClear).slice(0, MOST_PROVEN)) {
    const at = named.find(({ change }) => change === evolution.change)?.commit ?? commit;
    try {
      const own = at === commit ? packed : await pack(repository, at);
      evolutions.push({ tag: evolution.tag, commit: at, status: await proveOne(given, own, evolution) });
    } catch (error) {
      if (isCancellation(error)) throw error;
      // the others are proven first
      problems.push(error);
    }
  }
  if (problems.length > 0) throw problems[0];
  return { evolutions, unclear: meant.filter((one) => !isClear(one)).map(({ tag }) => tag) };
}

function pack(repository: string, commit: string): Promise<PackedCommit> {
  return commitActivities.packCommit.executeWithOptions({ summary: `pack ${commit.slice(0, 12)}` }, [
    { repository, commit },
  ]);
}

async function proveOne(
  { repository, branch }: Given,
  packed: PackedCommit,
  { tag: evolution, pipeline }: PendingEvolution,
): Promise<'pass' | 'fail'> {
  const { commit } = packed;
  const event = 'push';
  const by = `push to ${branch}`.slice(0, 200);
  try {
    await runChild(proveChangeFlow, {
      repository,
      pipeline,
      commit,
      branch,
      packed,
      evolution,
      event,
      supersedes: [],
      by,
    });
    return 'pass';
  } catch (error) {
    if (pipelineFailure(error) === null) throw error;
    return 'fail';
  }
}
