import { ApplicationFailure, CancellationScope } from '@temporalio/workflow';
import type { CheckedOf } from '../../domain/shared/flow.ts';
import { teardownFlow, type TeardownInput, type TeardownResult } from '../../domain/workspace/flows/teardown-flow.ts';
import type { StoredTeardownPlan } from '../../activities/workspace/teardown/teardown-activities.ts';
import { act, recordingRefusal } from '../shared/act.ts';
import { answerProgress } from '../shared/progress.ts';
import { type Rollback, withRollback } from '../shared/rollback.ts';
import { hostActivities, workspaceRecords } from './activities.ts';
import { carryOutPlan, type RecordState } from './apply-plan.ts';
import { losses, type LossQuestions } from './confirm-losses.ts';

const NOTHING: StoredTeardownPlan = { plan: null, operations: 0, losses: [], needed: [] };

/**
 * Ends a workspace (docs/workspaces.md): asks about everything that may be lost, each by its name, keeps it in quarantine,
 * applies the plan that takes the workspace back, and forgets the workspace when it is as it was before.
 */
export function teardownWorkspace(input: TeardownInput): Promise<TeardownResult> {
  let record: RecordState | undefined;
  const questions = losses();
  return recordingRefusal(teardownFlow, input, () =>
    withRollback(
      (rollback) =>
        act(teardownFlow, input, (given) => tearDown(given, rollback, questions, (known) => void (record = known))),
      { whenIncomplete: (left) => record?.('failed', { left: left.map(({ error }) => error) }) ?? Promise.resolve() },
    ),
  );
}

async function tearDown(
  given: CheckedOf<typeof teardownFlow>,
  rollback: Rollback,
  questions: LossQuestions,
  recordWith: (record: RecordState) => void,
): Promise<TeardownResult> {
  const { host, root, mode, by } = given;
  const machine = hostActivities(host);
  let stage = 'looks what the workspace has';
  answerProgress(() => ({
    stage,
    done: 0,
    total: 0,
    unit: 'repositories',
    lines: questions.open().map(({ name, work }) => `waits for a person: ${name}: ${work.join('; ')}`),
    asks: null,
  }));
  const record = (
    what: Parameters<typeof workspaceRecords.recordWorkspaceAct>[0]['what'],
    name: string,
    who: string,
    details: Readonly<Record<string, unknown>> = {},
  ): Promise<void> =>
    workspaceRecords.recordWorkspaceAct.executeWithOptions({ summary: `record: ${what} ${name}`.slice(0, 200) }, [
      { host, root, what, action: 'tear down', name, by: who, details },
    ]);

  const planned =
    mode === 'preserve'
      ? NOTHING
      : await machine.planTeardown.executeWithOptions({ summary: 'plan the end' }, [{ root, mode }]);
  stage = 'asks what may be lost';
  const agreed = new Map<string, string>();
  const answers = await questions.ask(
    planned.losses.map(({ name, work }) => ({ name, work })),
    async ({ name, work, proceed, by: person }) => {
      agreed.set(name, person);
      await record(proceed ? 'confirmed' : 'declined', name, person, { work });
    },
    { endsAtNo: true },
  );
  const declined = answers.find(({ proceed }) => !proceed);
  if (declined !== undefined) {
    throw ApplicationFailure.nonRetryable(
      `${declined.by} did not confirm ${declined.name}: ${declined.work.join('; ')}. Nothing was changed.`,
      'PlanPreconditionFailed',
    );
  }
  stage = 'keeps what would be lost';
  const quarantined: { name: string; id: string }[] = [];
  for (const { name, path } of planned.losses) {
    if (path === null) continue;
    const person = agreed.get(name) ?? by;
    const id = await machine.keepRepository.executeWithOptions({ summary: `keep ${name}`.slice(0, 200) }, [
      { root, path, by: person },
    ]);
    if (id === null) continue;
    quarantined.push({ name, id });
    await record('quarantined', name, person, { id });
  }
  stage = 'takes the workspace back';
  const applied =
    planned.plan === null
      ? { drift: [], kept: [] }
      : await carryOutPlan({ host, root, plan: planned.plan, by, dryRun: false, confirmed: [] }, rollback, recordWith);
  const { operations, needed } = planned;
  const result = { mode, operations, quarantined, needed };
  if (applied.drift.length > 0) return { ...result, drift: applied.drift, kept: applied.kept };
  // also when the flow is cancelled now: the plan is committed
  return CancellationScope.nonCancellable(async () => {
    stage = 'forgets the workspace';
    const left = await machine.endWorkspace.executeWithOptions({ summary: 'forget the workspace' }, [
      { root, keepsFiles: mode === 'preserve' },
    ]);
    await record('torn_down', mode, by, { quarantined, needed });
    return { ...result, drift: [], kept: [...applied.kept, ...left] };
  });
}
