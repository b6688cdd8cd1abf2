import type { CheckedOf } from '../../domain/shared/flow.ts';
import {
  repairWorkspaceFlow,
  type RepairWorkspaceInput,
  type RepairWorkspaceResult,
} from '../../domain/workspace/flows/repair-flow.ts';
import type { StoredRepairPlan } from '../../activities/workspace/repair/repair-activities.ts';
import { act, recordingRefusal } from '../shared/act.ts';
import { answerProgress } from '../shared/progress.ts';
import { type Rollback, withRollback } from '../shared/rollback.ts';
import { hostActivities, workspaceRecords } from './activities.ts';
import { carryOutPlan, type RecordState } from './apply-plan.ts';
import { losses, type LossQuestions } from './confirm-losses.ts';

/**
 * Repairs a workspace (docs/workspaces.md): what is gone is cloned again, what the manifest does not ask for any more leaves,
 * and what a person has changed waits for that person. A repair is a plan, and is applied as one.
 */
export function repairWorkspace(input: RepairWorkspaceInput): Promise<RepairWorkspaceResult> {
  let record: RecordState | undefined;
  const questions = losses();
  return recordingRefusal(repairWorkspaceFlow, input, () =>
    withRollback(
      (rollback) =>
        act(repairWorkspaceFlow, input, (given) =>
          repair(given, rollback, questions, (known) => void (record = known)),
        ),
      { whenIncomplete: (left) => record?.('failed', { left: left.map(({ error }) => error) }) ?? Promise.resolve() },
    ),
  );
}

async function repair(
  given: CheckedOf<typeof repairWorkspaceFlow>,
  rollback: Rollback,
  questions: LossQuestions,
  recordWith: (record: RecordState) => void,
): Promise<RepairWorkspaceResult> {
  const { host, root, asks, by } = given;
  const agreed = [...given.agreed];
  const machine = hostActivities(host);
  answerProgress(() => ({
    stage: questions.open().length > 0 ? 'waits for a person' : 'repairs the workspace',
    done: 0,
    total: 0,
    unit: 'repositories',
    lines: questions.open().map(({ name, work }) => `${name}: ${work.join('; ')}`),
    asks: null,
  }));
  const recordAct = (
    what: 'confirmed' | 'declined' | 'quarantined' | 'repaired',
    name: string,
    who: string,
    details: Readonly<Record<string, unknown>>,
  ): Promise<void> =>
    workspaceRecords.recordWorkspaceAct.executeWithOptions({ summary: `record: ${what} ${name}`.slice(0, 200) }, [
      { host, root, what, action: 'repair', name, by: who, details },
    ]);
  const look = (summary: string): Promise<StoredRepairPlan> =>
    machine.planRepair.executeWithOptions({ summary }, [
      { root, left: left.map(({ name }) => name), agreed, plan: given.plan ?? null },
    ]);

  const left: { name: string; work: readonly string[] }[] = [];
  const quarantined: { name: string; id: string }[] = [];
  let planned = await look('look what differs');
  for (let round = 1; planned.questions.length > 0; round++) {
    const { questions: asked } = planned;
    if (!asks) {
      left.push(...asked.map(({ name, work }) => ({ name, work })));
      planned = await look('look again');
      continue;
    }
    const paths = new Map(asked.map(({ name, path }) => [name, path]));
    const answers = await questions.ask(
      asked.map(({ name, work }) => ({ name, work })),
      ({ name, work, proceed, by: person }) =>
        recordAct(proceed ? 'confirmed' : 'declined', round === 1 ? name : `${name}#${round}`, person, { work }),
      { endsAtNo: false },
    );
    for (const { name, work, proceed, by: person } of answers) {
      const path = paths.get(name) ?? null;
      if (!proceed) left.push({ name, work });
      else if (path !== null) {
        agreed.push(name);
        const id = await machine.keepRepository.executeWithOptions({ summary: `keep ${name}`.slice(0, 200) }, [
          { root, path, by: person },
        ]);
        if (id === null) continue;
        quarantined.push({ name, id });
        await recordAct('quarantined', `${name} ${id}`, person, { id });
      }
    }
    planned = await look('look again');
  }
  const { plan, steps } = planned;
  const applied =
    plan === null ? { drift: [] } : await carryOutPlan({ host, root, plan, by, dryRun: false }, rollback, recordWith);
  if (plan !== null) await recordAct('repaired', root, by, { steps });
  return {
    repaired: plan === null ? [] : steps,
    quarantined,
    left: left.map(({ name, work }) => `${name}: ${work.join('; ')}`),
    drift: applied.drift,
  };
}
