import { ApplicationFailure, continueAsNew, sleep, workflowInfo } from '@temporalio/workflow';
import type { CheckedOf } from '../../domain/shared/flow.ts';
import { applyPlanFlow } from '../../domain/workspace/flows/apply-plan-flow.ts';
import {
  prepareFlow,
  type PrepareInput,
  type PrepareOutputs,
  type PrepareResult,
  PREPARE_STAGES,
  type WatchedLife,
} from '../../domain/workspace/flows/prepare-flow.ts';
import { repairWorkspaceFlow } from '../../domain/workspace/flows/repair-flow.ts';
import { teardownFlow, type TeardownMode } from '../../domain/workspace/flows/teardown-flow.ts';
import type { WorkspaceLook } from '../../activities/workspace/prepare/look-at-workspace.ts';
import { asAct } from '../shared/act.ts';
import { isLocked, runChild } from '../shared/child.ts';
import { failureOf } from '../shared/failure.ts';
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
  const made = given.plan ?? null;

  for (const stage of ['intent', 'discovery', 'opportunity'] as const) {
    await stages.run(stage, async () => {
      if (enter === 'requirements' || enter === 'plan') return null;
      throw ApplicationFailure.nonRetryable(
        `The stage ${stage} cannot be done by this version: enter at requirements, with a manifest, or at plan.`,
        'InvalidInput',
      );
    });
  }
  const requirements = await stages.run('requirements', () =>
    machine.readRequirements.executeWithOptions({ summary: 'read the manifest' }, [{ root, plan: made }]),
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
      { root, left: [], agreed: [], plan: made },
    ]);
    if (ttl !== null) life.live(ttl);
    return { isReady: missing === null && questions.length === 0 };
  });
  let watch = given.continued?.watch ?? {
    work: ttl === null ? null : await digestOfWork(given),
    seen: null,
    repos: requirements?.repos ?? [],
    former: [],
    isReady,
    isRecorded: false,
    isDrifted: !isReady,
    waiting: [],
  };
  for (;;) {
    const { mode } = await stages.run('repair', async () => {
      const { mode: end, ...last } = await liveOn(given, life, stages, watch, ttl);
      watch = last;
      return { mode: end };
    });
    const asked = life.asked();
    try {
      const teardown = await stages.run('teardown', async () =>
        mode === null ? null : whenFree(stages, () => runChild(teardownFlow, { ...at, by: asked?.by ?? by, mode })),
      );
      return { mode, teardown };
    } catch (error) {
      const { type, error: why } = failureOf(error);
      if (type !== 'PlanPreconditionFailed') throw error;
      // it stays: a person keeps what would be lost, or it cannot be kept. An end that was asked for meanwhile counts
      if (life.asked() === asked) life.live(ttl);
      watch = { ...watch, waiting: [why] };
    }
  }
}

/** Watches and repairs until the workspace shall end. Returns how, null when it has ended already, and what it knows. */
async function liveOn(
  given: CheckedOf<typeof prepareFlow>,
  life: WorkspaceLife,
  stages: FlowStages<PrepareOutputs>,
  before: WatchedLife,
  ttl: number | null,
): Promise<WatchedLife & { readonly mode: TeardownMode | null }> {
  const { host, root, plan, by, checkSeconds } = given;
  const machine = hostActivities(host);
  let watch = before;
  for (;;) {
    // first: the next run does not know it
    const asked = life.asked();
    if (asked !== null) return { ...watch, mode: asked.mode };
    if (workflowInfo().continueAsNewSuggested) {
      const position = { from: stages.position(), endsAt: life.endsAt(), watch };
      await continueAsNew<typeof prepareWorkspace>({ ...given, continued: position });
    }
    if (life.isOver()) {
      const work = await digestOfWork(given);
      if (work === watch.work) return { ...watch, mode: 'clean' };
      // work moves the end
      watch = { ...watch, work };
      if (life.asked() === null) life.live(ttl);
      continue;
    }
    if (watch.isDrifted) {
      stages.show('repairs what has drifted');
      // a question would keep the workspace from all others, also from its end
      const repaired = await life.unlessOver(() =>
        whenFree(stages, () =>
          runChild(repairWorkspaceFlow, {
            host,
            root,
            by,
            asks: false,
            agreed: watch.former,
            ...(plan === undefined ? {} : { plan }),
          }),
        ),
      );
      if (repaired === null) continue;
      const { left, drift } = repaired;
      watch = { ...watch, former: [], isDrifted: false, isReady: left.length + drift.length === 0, waiting: left };
    }
    if (watch.isReady && !watch.isRecorded) {
      await workspaceRecords.recordWorkspaceAct.executeWithOptions({ summary: 'record: ready' }, [
        { host, root, what: 'ready', action: 'prepare', name: root, by },
      ]);
      watch = { ...watch, isRecorded: true };
    }
    const end = life.endsAt();
    stages.show(
      watch.isReady ? 'ready' : 'not as its manifest says',
      ...watch.waiting.map((each) => `waits for a person: ${each}`),
      ...(end === null ? [] : [`ends at ${new Date(end).toISOString()}, unless there is new work`]),
    );
    const { seen } = watch;
    const look = await life.unlessOver(() =>
      machine.watchWorkspace.executeWithOptions({ summary: 'watch' }, [
        { root, seen, plan: plan ?? null, checkSeconds, hours: LONGEST_WATCH_HOURS },
      ]),
    );
    if (look === null) continue;
    if (look.isGone) return { ...watch, mode: null };
    const isNew = look.seen !== seen;
    const waiting = look.isDrifted || !isNew ? watch.waiting : [];
    watch = {
      ...watch,
      ...namesOf(watch, look),
      seen: look.seen,
      isDrifted: look.isDrifted && isNew,
      isReady: !look.isDrifted,
      waiting,
    };
  }
}

/** What the workspace shall have after a look, and what it should have before and still has. */
function namesOf({ repos, former }: WatchedLife, look: WorkspaceLook): Pick<WatchedLife, 'repos' | 'former'> {
  if (look.repos === null) return { repos, former };
  const left = new Set([...former, ...repos]);
  for (const name of look.repos) left.delete(name);
  return { repos: look.repos, former: look.isDrifted ? [...left] : [] };
}

function digestOfWork({ host, root }: CheckedOf<typeof prepareFlow>): Promise<string> {
  return hostActivities(host).digestOfWork.executeWithOptions({ summary: 'look for work' }, [{ root }]);
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
