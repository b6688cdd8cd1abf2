import {
  ApplicationFailure,
  CancellationScope,
  continueAsNew,
  isCancellation,
  sleep,
  workflowInfo,
} from '@temporalio/workflow';
import type { CheckedOf } from '../../domain/shared/flow.ts';
import { applyPlanFlow } from '../../domain/workspace/flows/apply-plan-flow.ts';
import {
  prepareFlow,
  type PrepareInput,
  type PrepareOutputs,
  type PrepareResult,
  PREPARE_STAGES,
} from '../../domain/workspace/flows/prepare-flow.ts';
import { repairWorkspaceFlow } from '../../domain/workspace/flows/repair-flow.ts';
import { teardownFlow, type TeardownMode } from '../../domain/workspace/flows/teardown-flow.ts';
import type { WorkspaceLook } from '../../activities/workspace/prepare/look-at-workspace.ts';
import { asAct } from '../shared/act.ts';
import { isLocked, runChild } from '../shared/child.ts';
import { type FlowStages, stagesOf } from '../shared/stages.ts';
import { hostActivities, workspaceRecords } from './activities.ts';
import { type WorkspaceLife, workspaceLife } from './workspace-life.ts';

/** The longest look at a quiet workspace: below the time limit of an activity. */
const LONGEST_WATCH_HOURS = 5;

/**
 * The life of a workspace (docs/workspaces.md): prepares it as its manifest says, watches it, repairs what has drifted, and
 * ends it when a person says so, or when its time is over and it has no new work. Changes are made by children, each of which
 * has the lock of the workspace while it works.
 */
export function prepareWorkspace(input: PrepareInput): Promise<PrepareResult> {
  const life = workspaceLife(input?.continued?.endsAt ?? null);
  const stages = stagesOf<PrepareOutputs>(PREPARE_STAGES, input?.continued?.from ?? null);
  return asAct(prepareFlow, input, (given) => prepare(given, life, stages));
}

async function prepare(
  given: CheckedOf<typeof prepareFlow>,
  life: WorkspaceLife,
  stages: FlowStages<PrepareOutputs>,
): Promise<PrepareResult> {
  const { host, root, enter, by } = given;
  const machine = hostActivities(host);
  const at = { host, root, by };

  for (const stage of ['intent', 'discovery', 'opportunity'] as const) {
    await stages.run(stage, async () => {
      if (enter === 'requirements' || enter === 'plan') return null;
      throw ApplicationFailure.nonRetryable(
        `The stage ${stage} cannot be done by this version: enter at requirements, with a manifest, or at plan.`,
        'InvalidInput',
      );
    });
  }
  const requirements = await stages.run('requirements', async () =>
    enter === 'plan' ? null : machine.readRequirements.executeWithOptions({ summary: 'read the manifest' }, [{ root }]),
  );
  const snapshot = await stages.run('snapshot', async () =>
    enter === 'plan' ? null : machine.planPreparation.executeWithOptions({ summary: 'plan' }, [{ root }]),
  );
  const plan = await stages.run('plan', async () => given.plan ?? snapshot?.plan ?? null);
  await stages.run('validation', async () => {
    if (plan === null) return null;
    const question = { root, plan, maxAgeSeconds: null, now: new Date().toISOString() };
    return (await machine.checkPlan.executeWithOptions({ summary: 'look at the plan' }, [question])).plan;
  });
  await stages.run('materialization', async () => {
    if (plan === null) return null;
    const { outcome } = await whenFree(stages, () => runChild(applyPlanFlow, { ...at, plan, dryRun: false }));
    return outcome === 'verified' ? null : outcome;
  });
  const ttl = given.ttlSeconds ?? requirements?.ttlSeconds ?? null;
  const { isReady } = await stages.run('observation', async () => {
    const { plan: missing, questions } = await machine.planRepair.executeWithOptions({ summary: 'observe' }, [
      { root, left: [] },
    ]);
    if (ttl !== null) life.live(ttl);
    return { isReady: missing === null && questions.length === 0 };
  });
  const { mode } = await stages.run('repair', async () => ({ mode: await liveOn(given, life, stages, isReady, ttl) }));
  const teardown = await stages.run('teardown', async () =>
    mode === null ? null : whenFree(stages, () => runChild(teardownFlow, { ...at, by: life.asked()?.by ?? by, mode })),
  );
  return { mode, teardown };
}

/** Watches and repairs until the workspace shall end. Returns how; null when it has ended already. */
async function liveOn(
  given: CheckedOf<typeof prepareFlow>,
  life: WorkspaceLife,
  stages: FlowStages<PrepareOutputs>,
  isReady: boolean,
  ttl: number | null,
): Promise<TeardownMode | null> {
  const { host, root, by, checkSeconds, continued } = given;
  const machine = hostActivities(host);
  const digestOfWork = (): Promise<string> =>
    machine.digestOfWork.executeWithOptions({ summary: 'look for work' }, [{ root }]);
  let isDrifted = !isReady && continued === undefined;
  let seen = continued?.seen ?? null;
  let work = continued?.work ?? (ttl === null ? null : await digestOfWork());
  let isRecorded = continued !== undefined;
  for (;;) {
    if (workflowInfo().continueAsNewSuggested) {
      const position = { from: stages.position(), endsAt: life.endsAt(), work, seen };
      await continueAsNew<typeof prepareWorkspace>({ ...given, continued: position });
    }
    const asked = life.asked();
    if (asked !== null) return asked.mode;
    if (isDrifted) {
      stages.show('repairs what has drifted');
      const { left, drift } = await whenFree(stages, () => runChild(repairWorkspaceFlow, { host, root, by }));
      isDrifted = false;
      isReady = left.length + drift.length === 0;
    }
    if (isReady && !isRecorded) {
      await workspaceRecords.recordWorkspaceAct.executeWithOptions({ summary: 'record: ready' }, [
        { host, root, what: 'ready', action: 'prepare', name: root, by },
      ]);
      isRecorded = true;
    }
    const end = life.endsAt();
    stages.show(
      isReady ? 'ready' : 'not as its manifest says',
      ...(end === null ? [] : [`ends at ${new Date(end).toISOString()}, unless there is new work`]),
    );
    const look = await watched(life, () =>
      machine.watchWorkspace.executeWithOptions({ summary: 'watch' }, [
        { root, seen, checkSeconds, hours: LONGEST_WATCH_HOURS },
      ]),
    );
    if (look !== null) {
      if (look.isGone) return null;
      isDrifted = look.isDrifted && look.seen !== seen;
      isReady = !look.isDrifted;
      seen = look.seen;
    } else if (life.asked() === null && life.isOver()) {
      const now = await digestOfWork();
      if (now === work || ttl === null) return 'clean';
      // work moves the end
      work = now;
      life.live(ttl);
    }
  }
}

/** What a watch has found; null when the workspace shall end first. Then the watch is cancelled, and has ended. */
async function watched(life: WorkspaceLife, watch: () => Promise<WorkspaceLook>): Promise<WorkspaceLook | null> {
  const scope = new CancellationScope();
  let isDone = false;
  const watching = scope.run(watch).finally(() => (isDone = true));
  watching.catch(() => undefined);
  await life.until(() => isDone);
  if (isDone) return watching;
  scope.cancel();
  try {
    await watching;
  } catch (error) {
    if (!isCancellation(error) || CancellationScope.current().consideredCancelled) throw error;
  }
  return null;
}

/** Runs a child when no other run has the workspace. */
async function whenFree<Result>(stages: FlowStages<PrepareOutputs>, run: () => Promise<Result>): Promise<Result> {
  for (;;) {
    try {
      return await run();
    } catch (error) {
      if (!isLocked(error)) throw error;
      stages.show('waits until another run has ended its work on the workspace');
      await sleep('30 seconds');
    }
  }
}
