import { ApplicationFailure, CancellationScope } from '@temporalio/workflow';
import type { CheckedOf } from '../../domain/shared/flow.ts';
import {
  applyPlanFlow,
  type ApplyPlanInput,
  type ApplyPlanResult,
} from '../../domain/workspace/flows/apply-plan-flow.ts';
import type { PermittedPlan } from '../../activities/workspace/host-activities.ts';
import type { ApplyState } from '../../domain/workspace/plan-states.ts';
import { act, recordingRefusal } from '../shared/act.ts';
import { passGate } from '../shared/gate.ts';
import { type Rollback, withRollback } from '../shared/rollback.ts';
import { hostActivities, lastingHostActivities, workspaceRecords } from './activities.ts';

/** Records that the plan has come to a state. */
export type RecordState = (state: ApplyState, details?: object) => Promise<void>;

/**
 * Applies a plan to a workspace (docs/workspaces.md): looks at it on the machine, waits for the owner where the machine
 * wants that, and changes everything or nothing. What a dead worker has left is continued or undone on the same machine.
 */
export function applyPlan(input: ApplyPlanInput): Promise<ApplyPlanResult> {
  let record: RecordState | undefined;
  const work = (): Promise<ApplyPlanResult> =>
    withRollback(
      (rollback) =>
        act(applyPlanFlow, input, (given) => carryOutPlan(given, rollback, (known) => void (record = known))),
      { whenIncomplete: (left) => record?.('failed', { left: left.map(({ error }) => error) }) ?? Promise.resolve() },
    );
  // a dry run is no act
  return input?.dryRun === true ? work() : recordingRefusal(applyPlanFlow, input, work);
}

/**
 * Looks at a plan, waits for the owner, and applies it. `recordWith` gets what records a state of the plan, for a rollback that
 * stays incomplete.
 */
export async function carryOutPlan(
  given: CheckedOf<typeof applyPlanFlow>,
  rollback: Rollback,
  recordWith: (record: RecordState) => void,
): Promise<ApplyPlanResult> {
  const { host, root, plan: digest, maxAgeSeconds = null, dryRun, confirmed = [], by } = given;
  const machine = hostActivities(host);
  const look = (summary: string): Promise<PermittedPlan> =>
    machine.checkPlan.executeWithOptions({ summary }, [
      { root, plan: digest, maxAgeSeconds, now: new Date().toISOString() },
    ]);
  const { plan, operations, owner, isThere } = await look('look at the plan');
  if (dryRun) return { plan, operations, outcome: 'verified', drift: [], kept: [] };
  if (isThere) return { plan, operations, outcome: 'unchanged', drift: [], kept: [] };
  const record: RecordState = (state, details = {}) =>
    workspaceRecords.recordApplyState.executeWithOptions({ summary: `record: ${state}` }, [
      { host, root, plan, state, by, details: { digest, ...details } },
    ]);
  recordWith(record);
  await record('planned', { operations, ...(confirmed.length === 0 ? {} : { confirmed }) });
  if (owner !== null) {
    await askOwner(given, { plan, operations, owner });
    // the owner may have taken days
    await look('look at the approved plan');
  }
  await record('verified');
  // the worker undoes a plan that fails; this is for one that has died or was cancelled, and for what is left
  rollback.before(`put ${root} back`, async () => {
    const end = await lastingHostActivities(host).undoPlan.executeWithOptions(
      { summary: 'undo what is left of the plan' },
      [{ root, plan }],
    );
    // one whose operations had all succeeded stays
    await record(end === 'committed' ? 'committed' : 'rolled_back');
  });
  await record('executing');
  const applied = await machine.executePlan.executeWithOptions({ summary: 'apply the plan' }, [{ root, plan: digest }]);
  rollback.forget();
  // also when the flow is cancelled now
  await CancellationScope.nonCancellable(() => record('committed', { outcome: applied.outcome, drift: applied.drift }));
  return { ...applied, operations };
}

/** Waits for the approval of the machine's owner. Throws `PlanPreconditionFailed` when it is rejected. */
async function askOwner(
  { host, root, plan: digest, by }: CheckedOf<typeof applyPlanFlow>,
  { plan, operations, owner }: { readonly plan: string; readonly operations: number; readonly owner: string },
): Promise<void> {
  const verdict = await passGate({
    kind: 'workspace',
    subject: `${host} at ${root}, changed by the plan ${plan}`,
    digest,
    requestedBy: by,
    requester: 'person',
    approvals: { needed: 1, from: [owner], excludeAuthors: [] },
    evidence: [`operations: ${operations}`, `the plan: longhaul blob get ${digest}`],
  });
  if (verdict.status !== 'rejected') return;
  const why = verdict.decisions.map(({ person, why: reason }) => `${person}: ${reason}`).join('; ');
  throw ApplicationFailure.nonRetryable(
    `The owner of ${host} has rejected the plan: ${why}.`,
    'PlanPreconditionFailed',
  );
}
