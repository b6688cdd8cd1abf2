import { CancellationScope, isCancellation, log, workflowInfo } from '@temporalio/workflow';
import type { AnnounceDeployment } from '../../activities/release/deployment/announce-deployment.ts';
import {
  changeEnvironmentFlow,
  type ChangeEnvironmentInput,
  type DeployReleaseResult,
  type EnvironmentChange,
} from '../../domain/release/flows/deploy-flows.ts';
import type { DeployPlace, DeployService, PlannedDeployment } from '../../domain/release/deployment/deployment.ts';
import { describeUndone } from '../../domain/release/deployment/describe.ts';
import { describeReasons } from '../../domain/release/deployment/reasons.ts';
import type { Watched } from '../../activities/release/deployment/watch-deployment.ts';
import type { CheckedOf } from '../../domain/shared/flow.ts';
import { type FailedUndo, ROLLBACK_INCOMPLETE } from '../../domain/shared/repair.ts';
import { logEvent } from '../shared/events.ts';
import { failureOf } from '../shared/failure.ts';
import { recordClaimsOutsideGates } from '../shared/gate.ts';
import { type Rollback, withRollback } from '../shared/rollback.ts';
import { type FlowStages, stagesOf } from '../shared/stages.ts';
import { takingTurns } from '../shared/turns.ts';
import { act, hasEvent, recordingRefusal } from '../shared/act.ts';
import {
  briefCommitActivities,
  changeActivities,
  forgeActivities,
  lastingLedgerActivities,
  ledgerActivities,
} from './activities.ts';
import { canaryServiceOf } from '../../domain/release/deployment/canary.ts';
import { approve, type Approved } from './approve-deployment.ts';
import { type Canaries, listenForCanary } from './canary.ts';
import { replacedIn, unhealthy } from './deployment-failures.ts';
import { type DeploymentHooks, hooksOf } from './deployment-hooks.ts';
import { deployServices, runHookStep } from './deploy-services.ts';
import { makePlan, placeOf } from './plan-deployment.ts';
import { type Keeping, listenForKeep } from './held-deployment.ts';
import { recordedContracts } from './read-environments.ts';
import { verifyUndone } from './verify-undone.ts';
import { keepBlind, watch } from './watch-environment.ts';

/** What each stage hands on. */
interface Outputs extends Record<string, unknown> {
  readonly plan: PlannedDeployment;
  readonly approval: Approved;
  readonly services: null;
  readonly watch: Watched;
}

/**
 * Has the lock of an environment, and changes it: plans, asks people, deploys the services, and watches them. Puts back
 * exactly what was there when anything goes wrong, or when a newer deployment takes its place.
 */
export function changeEnvironment(input: ChangeEnvironmentInput): Promise<DeployReleaseResult> {
  recordClaimsOutsideGates();
  const stages = stagesOf<Outputs>(['plan', 'approval', 'services', 'watch']);
  const keeping = listenForKeep();
  const recorded: Recorded = { deployment: null, isStarted: false, telling: [] };
  const canaries = listenForCanary(() => recorded.deployment);
  const work = (): Promise<DeployReleaseResult> =>
    takingTurns(input?.waiting ?? [], replacedIn(input?.environment), () =>
      recordingFailure(recorded, input, () =>
        withRollback(
          (rollback) =>
            act(changeEnvironmentFlow, input, (given) =>
              change(given, { stages, rollback, recorded, keeping, canaries }),
            ),
          { whenIncomplete: (failed) => waitsForRepair(recorded, input, failed) },
        ),
      ),
    );
  // a dry run is no act
  return input?.dryRun === true ? work() : recordingRefusal(changeEnvironmentFlow, input, work);
}

/** The row of the ledger. */
interface Recorded {
  /** Null while there is none. */
  deployment: string | null;
  /** True when the first change may have happened. */
  isStarted: boolean;
  /** The announcements that it is started, that it is rolled back, and that something could not be undone. */
  readonly telling: Promise<void>[];
}

/** Records how a deployment ended that does not stay, when everything is put back or a person has given up. */
async function recordingFailure<Result>(
  recorded: Recorded,
  input: ChangeEnvironmentInput,
  work: () => Promise<Result>,
): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    const { deployment } = recorded;
    if (deployment === null) throw error;
    const { type, error: message } = failureOf(error);
    await CancellationScope.nonCancellable(() =>
      lastingLedgerActivities.endDeployment.executeWithOptions({ summary: `record: ${type}` }, [
        {
          deployment,
          failed: { isCancelled: isCancellation(error), isIncomplete: type === ROLLBACK_INCOMPLETE },
          why: message,
          by: input.by ?? 'unknown',
        },
      ]),
    );
    await Promise.all(recorded.telling);
    // that it was rolled back has an event, which has the reason
    if (recorded.isStarted && type !== ROLLBACK_INCOMPLETE) hasEvent(error);
    throw error;
  }
}

/** Records that people must repair what could not be undone, and tells them. */
async function waitsForRepair(
  { deployment, telling }: Recorded,
  input: ChangeEnvironmentInput,
  failed: readonly FailedUndo[],
): Promise<void> {
  if (deployment === null) return;
  const why = `It waits for \`longhaul repair ${workflowInfo().workflowId}\`: ${failed.map(({ undo, error }) => `${undo}: ${error}`).join('; ')}`;
  const { repository, version, environment, by = 'unknown' } = input;
  // receivers know a repetition by its id
  telling.push(
    tell({ repository, version, environment, by }, deployment, 'deployment not undone', why.slice(0, 1_000)),
  );
  try {
    await ledgerActivities.recordIncomplete.executeWithOptions(
      // people may repair it without the ledger
      { summary: 'record: not everything is undone', scheduleToCloseTimeout: '1 minute' },
      [{ deployment, why: why.slice(0, 2_000) }],
    );
  } catch (error) {
    // the flow must stay open
    log.warn('It is not recorded that the deployment waits.', { deployment, error: failureOf(error).error });
  }
}

/** Tells the channels of releases. A channel that does not take it does not hold up the undo. */
function tell(
  { repository, version, environment, by }: Pick<EnvironmentChange, 'repository' | 'version' | 'environment' | 'by'>,
  deployment: string,
  event: AnnounceDeployment['event'],
  why: string,
): Promise<void> {
  return CancellationScope.nonCancellable(async () => {
    try {
      await briefCommitActivities.announceDeployment.executeWithOptions(
        { summary: `tell: ${event}`, scheduleToCloseTimeout: '10 minutes' },
        [{ deployment, event, repository, version, environment, by, why }],
      );
    } catch (error) {
      log.warn('A channel was not told.', { deployment, error: failureOf(error).error });
    }
  });
}

/** Comments on the issue that it was started for; what keeps that from happening does not hold up the undo. */
function tellIssue(
  { repository, version, environment, issue }: EnvironmentChange,
  deployment: string,
  why: string,
): Promise<void> {
  if (issue === undefined) return Promise.resolve();
  return CancellationScope.nonCancellable(async () => {
    try {
      await forgeActivities.putComment.executeWithOptions({ summary: `comment on issue ${issue}` }, [
        {
          repository,
          on: { kind: 'issue', number: issue },
          comment: {
            marker: `deployment/${deployment}`,
            body: describeUndone({ version, environment, deployment, why }),
          },
        },
      ]);
    } catch (error) {
      log.warn('The issue has no comment.', { deployment, issue, error: failureOf(error).error });
    }
  });
}

/** What a change works with. */
interface Work {
  readonly stages: FlowStages<Outputs>;
  readonly rollback: Rollback;
  readonly recorded: Recorded;
  readonly keeping: Keeping;
  readonly canaries: Canaries;
}

async function change(
  asked: CheckedOf<typeof changeEnvironmentFlow>,
  { stages, rollback, recorded, keeping, canaries }: Work,
): Promise<DeployReleaseResult> {
  // a shared file is read once: what is planned, carried out and undone is this text
  const { place, contracts } = await placeOf(asked, recordedContracts(asked));
  const given = { ...asked, contracts };
  const first = await stages.run('plan', () => makePlan(given, place));
  const { deployment } = first;
  if (!given.dryRun) recorded.deployment = deployment;
  const hooks = await hooksOf(given, place);
  if (given.dryRun) {
    const problems = [...first.problems, ...hooks.problems];
    const plan = { ...first, problems, irreversible: [...first.irreversible, ...hooks.lasting] };
    return { plan, isDeployed: false, samples: 0 };
  }
  const { plan, approvedBy } = await stages.run('approval', () => approve(given, { place, hooks, first }, stages.show));
  const carrying = carryOut(
    given,
    { place, hooks, plan, approvedBy },
    { stages, rollback, recorded, keeping, canaries },
  );
  const { samples } = await carrying.catch((error: unknown) => {
    // at once, while everything is put back
    if (recorded.isStarted) {
      const { error: why } = failureOf(error);
      recorded.telling.push(tell(given, deployment, 'deployment rolled back', why), tellIssue(given, deployment, why));
    }
    throw error;
  });
  // the point of no return: whether it is recorded must be known
  await CancellationScope.nonCancellable(() =>
    lastingLedgerActivities.endDeployment.executeWithOptions({ summary: 'record: it stays' }, [
      { deployment, failed: null, why: null, by: given.by },
    ]),
  );
  rollback.forget();
  recorded.deployment = null;
  await Promise.all(recorded.telling);
  const { repository, version, environment } = given;
  logEvent('deployment_done', { repo: repository, version, environment, deployment });
  return { plan, isDeployed: true, samples };
}

/** Changes the cluster, and watches what it does. */
async function carryOut(
  given: EnvironmentChange,
  { place, hooks, plan, approvedBy }: Approved & { readonly place: DeployPlace; readonly hooks: DeploymentHooks },
  { stages, rollback, recorded, keeping, canaries }: Work,
): Promise<Watched> {
  const { repository, contracts, environment, by, reason, overrideFreeze, version } = given;
  const { deployment, freezes } = plan;
  const target = { repository, contracts, environment, deployment };
  const before = await changeActivities.measureBaseline.executeWithOptions({ summary: 'what the metrics say now' }, [
    { repository, contracts, environment },
  ]);
  // the last undo of all
  rollback.before('everything is as it was, and healthy', () => verifyUndone(given, target, plan.previous));
  const reasons = await ledgerActivities.startDeployment.executeWithOptions(
    { summary: 'record: the first change comes next' },
    [
      {
        deployment,
        plan: plan.digest,
        approvedBy,
        reason: reason || null,
        overrideFreeze: freezes.length > 0 ? overrideFreeze : null,
        cause: given.alert?.text ?? null,
        // going back passes nothing over, and a commit that is not released begins where it is tried
        earlier: given.goBack || given.candidate !== undefined ? [] : place.earlier,
        by,
      },
    ],
  );
  recorded.isStarted = true;
  // not for every commit that a pipeline tries
  if (given.candidate === undefined) {
    const why = describeReasons(reasons).join('; ') || `by ${by}`;
    recorded.telling.push(tell(given, deployment, 'deployment started', why));
  }
  logEvent('deployment_started', { repo: repository, version, environment, deployment });
  await stages.run('services', async () => {
    const carried = {
      place,
      plan,
      target,
      hooks: hooks.services,
      rollback,
      canaries,
      watchCanary: (service: DeployService, seconds: number) =>
        watch(given, { services: [service], canaries: [canaryServiceOf(service.name)], seconds, target, before }),
      show: stages.show,
    };
    await deployServices(carried);
    if (plan.deletes) {
      rollback.before('what was deleted', () =>
        changeActivities.undoObjects.executeWithOptions({ summary: 'create again what was deleted' }, [target]),
      );
      await changeActivities.removeObjects.executeWithOptions({ summary: 'delete what the release has not' }, [target]);
    }
    for (const step of hooks.last) await runHookStep(carried, step);
    return null;
  });
  const seen = await stages.run('watch', () => {
    stages.show(`watched for ${place.watch} s`);
    return watch(given, { services: place.services, seconds: place.watch, target, before });
  });
  if (seen.breach !== null) throw unhealthy(given, seen.breach);
  if (seen.silent.length > 0) await keepBlind(given, plan, seen.silent.join('; '));
  if (before.problem !== null && !given.goBack) {
    await keepBlind(
      given,
      plan,
      `before the first change the metrics were bad already (${before.problem}), and did not decide`,
    );
  }
  if (given.candidate !== undefined) {
    stages.show(`held for ${given.candidate.run}`);
    await keeping.untilKept(given.candidate, deployment);
  }
  return seen;
}
