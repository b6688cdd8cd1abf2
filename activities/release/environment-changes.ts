import { setTimeout as delay } from 'node:timers/promises';
import { activityInfo } from '@temporalio/activity';
import { ApplicationFailure } from '@temporalio/common';
import { applyStepOf } from '../../domain/kubernetes/apply-order.ts';
import { isJob, isRemovedWhenDone } from '../../domain/kubernetes/job.ts';
import type { Environment } from '../../domain/release/contracts/environments.schema.ts';
import { contextsOf } from '../../domain/release/deployment/service-place.ts';
import type { PlanDeployment, PlannedDeployment } from '../../domain/release/deployment/deployment.ts';
import type { Measured, MetricsBefore } from '../../domain/release/deployment/watch.ts';
import { LonghaulError } from '../../domain/shared/failures.ts';
import type { BlobStore } from '../blobs/blob-store.ts';
import type { OpenCluster } from '../kubernetes/cluster.ts';
import { type Absences, clustersOf, type PlacedReference } from '../kubernetes/clusters.ts';
import { ledgerFailure } from '../ledger/ledger-failure.ts';
import type { LedgerDatabase } from '../ledger/open-ledger.ts';
import { heartbeating } from '../shared/heartbeating.ts';
import { runningFlow } from '../shared/running-flow.ts';
import { timeLeft } from '../shared/time-left.ts';
import { readContracts } from './contracts/stored-contracts.ts';
import { type AllowedContexts, problemOfCandidate, problemOfContext } from './deployment/allowed-context.ts';
import { allowedEnvironment, type EnvironmentOfCommit } from './deployment/allowed-environment.ts';
import { type AppliedService, applyService, type DeploymentTools, removeObjects } from './deployment/apply-service.ts';
import { type AwaitedObject, awaitReady } from './deployment/await-ready.ts';
import { contextsOfDeployment, type DeploymentObject, readObjects } from './deployment/deployment-objects.ts';
import { type ChangingAttempt, takeFence } from './deployment/fence.ts';
import { askHealth } from './deployment/health.ts';
import { planDeployment } from './deployment/plan-deployment.ts';
import { findReleased } from './deployment/released.ts';
import type { Seal } from './deployment/sealed.ts';
import { applyCanary, removeCanary, routeCanary } from './deployment/run-canary.ts';
import { compareUndone, undoService } from './deployment/undo-service.ts';
import { metricsBefore, watchDeployment, type Watched } from './deployment/watch-deployment.ts';

/** Tools of the activities that change environments. */
export interface ChangeTools {
  readonly openCluster: OpenCluster;
  /** Since when clusters do not answer. */
  readonly absences: Absences;
  readonly blobs: BlobStore;
  readonly ledger: LedgerDatabase;
  /** The address of the ledger, for messages. */
  readonly ledgerUrl: string;
  readonly seal: Seal;
  /** Who may use which context (`deploy.contexts`). */
  readonly contexts: AllowedContexts;
  /** Milliseconds for which a deployment to several clusters waits for one that does not answer (`deploy.unreachable`). */
  readonly unreachableMs: number;
}

/** A deployment, and the environment that it changes. */
export interface DeploymentInput extends EnvironmentOfCommit {
  /** Id of the deployment. */
  readonly deployment: string;
}

/** A part of a deployment: one of its services. */
export interface ServiceInput extends DeploymentInput {
  readonly service: string;
}

/** An undo to compare with what was before. */
export interface VerifyUndone extends DeploymentInput {
  /** The services that were there before, and the digest of the contracts with their health checks; null for none. */
  readonly before: { readonly contracts: string; readonly services: readonly string[] } | null;
  /** So many seconds until everything must be ready. */
  readonly seconds: number;
}

/** Activities of the role `deploy` that change clusters. Each can be repeated, by any worker that has the key of the role. */
export interface ChangeActivities {
  /** Plans a deployment, and records what every object is before it. Changes nothing in the cluster. */
  planDeployment(input: PlanDeployment): Promise<PlannedDeployment>;
  /** What the metrics say before the first change. */
  measureBaseline(input: EnvironmentOfCommit): Promise<MetricsBefore>;
  /** Applies the objects of a service. Throws `DriftDetected`. Returns their number. */
  applyService(input: ServiceInput & AppliedService): Promise<number>;
  /** Gives the canary of a service this percentage of the pods of its workloads. Throws `DriftDetected`. Returns the number of its workloads. */
  applyCanary(input: ServiceInput & { readonly percent: number }): Promise<number>;
  /** Lets the route of a service send its canary the share of a step. Throws `DriftDetected`. Returns the number of routes. */
  routeCanary(input: ServiceInput & { readonly step: number }): Promise<number>;
  /** Deletes the canary of a service. Returns the number of its workloads. */
  removeCanary(input: ServiceInput): Promise<number>;
  /** Waits for so many seconds until the objects of a service are ready. Returns why they are not, a sentence each. */
  awaitReady(input: ServiceInput & { readonly seconds: number }): Promise<readonly string[]>;
  /** Deletes what the release before had and this one has not. Returns the number of objects. */
  removeObjects(input: DeploymentInput): Promise<number>;
  /** Watches a deployment for so many seconds, or until a sample says that it must be rolled back. */
  watchDeployment(
    input: DeploymentInput & {
      readonly services: readonly string[];
      readonly baseline: Measured;
      /** False where the metrics are about what was there before. */
      readonly byMetrics: boolean;
      readonly seconds: number;
    },
  ): Promise<Watched>;
  /** Puts the objects of a service back; without `service` those that were deleted. Throws `UndoFailed`. */
  undoObjects(input: DeploymentInput & { readonly service?: string }): Promise<void>;
  /**
   * What is not as it was after an undo, a sentence each: objects that differ, are not ready, or services that are not
   * healthy by the checks of the release before.
   */
  verifyUndone(input: VerifyUndone): Promise<readonly string[]>;
}

/** How often it is asked whether an object is deleted. */
const DELETION_POLL_MS = 1_000;

/** What an activity that only reads changes. */
const NOTHING = null;
/** All services of an environment: an undo of one also puts back definitions of others. */
const EVERYTHING = { service: null } as const;

/** A worker that was away must not change what another one has undone meanwhile. */
const AWAY = { endsWhenAway: true } as const;

/** Creates the activities. */
export function createChangeActivities(tools: ChangeTools): ChangeActivities {
  const { openCluster, ledger, absences } = tools;

  /** Work in the clusters of an environment. Writes are made only while no later attempt changes the same. */
  const inClusters = <Result>(
    input: EnvironmentOfCommit & Partial<Pick<DeploymentInput, 'deployment'>>,
    changes: Pick<ChangingAttempt, 'service'> | typeof NOTHING,
    work: (
      opened: DeploymentTools & { readonly environment: Environment },
      report: (details: unknown) => void,
    ) => Promise<Result>,
  ): Promise<Result> =>
    heartbeating(async (signal, report) => {
      const environment = await allowedEnvironment(tools, input);
      const { context: home } = environment;
      const problemOf = (context: string): string | null => problemOfContext(tools.contexts, input.repository, context);
      try {
        const scheduledAt = new Date(activityInfo().currentAttemptScheduledTimestampMs);
        const beforeWrite =
          changes === NOTHING ? undefined : await takeFence(ledger, { ...input, ...changes, scheduledAt });
        const clusters = clustersOf(openCluster, { problemOf, signal, sharedBy: runningFlow().runId, beforeWrite });
        return await work({ ledger, clusters, home, seal: tools.seal, signal, environment }, report);
      } catch (error) {
        // a failure of the cluster may say what one of the database says
        if (!(error instanceof LonghaulError)) throw ledgerFailure(error, tools.ledgerUrl);
        if (error.type === 'ClusterUnavailable' && input.deployment !== undefined)
          await refuseToWait(input.deployment, error);
        throw error;
      }
    }, AWAY);

  /**
   * A cluster that does not answer is waited for; but not for long where others have a part of the deployment: they are put
   * back instead.
   */
  async function refuseToWait(deployment: string, { type, message }: LonghaulError): Promise<void> {
    const contexts = await contextsOfDeployment(ledger, deployment);
    if (contexts.length <= 1 || contexts.every((context) => absences.of(context) < tools.unreachableMs)) return;
    throw ApplicationFailure.nonRetryable(message, type);
  }

  return {
    planDeployment: (input) =>
      // what is read must not be changed by a run before, which may have been terminated
      inClusters(input, input.isDryRun ? NOTHING : EVERYTHING, async ({ clusters, environment, signal }) => {
        // also where the flow was started with something else in Temporal
        const problem = input.isCandidate
          ? problemOfCandidate(tools.contexts, contextsOf(environment))
          : await problemOfRelease(ledger, input);
        if (problem !== null) throw new LonghaulError('DeploymentRefused', problem);
        const { workflowId, runId: deployment } = runningFlow();
        const contexts = {
          problemOf: (context: string) => problemOfContext(tools.contexts, input.repository, context),
          isRetired: (context: string) =>
            Object.hasOwn(tools.contexts, context) && tools.contexts[context]?.retired === true,
        };
        return planDeployment({ ...tools, clusters, contexts, signal }, input, {
          deployment,
          workflowId,
          environment,
          shared: (await readContracts(tools.blobs, input.contracts, input.repository)).shared,
        });
      }),
    measureBaseline: (input) =>
      inClusters(input, NOTHING, ({ environment, signal }) => metricsBefore(environment, signal)),
    applyService: (input) => inClusters(input, input, (opened) => applyService(opened, input)),
    applyCanary: (input) => inClusters(input, input, (opened) => applyCanary(opened, input)),
    routeCanary: (input) => inClusters(input, input, (opened) => routeCanary(opened, input)),
    removeCanary: (input) => inClusters(input, input, (opened) => removeCanary(opened, input)),
    awaitReady: (input) =>
      inClusters(input, NOTHING, async (opened) => {
        const objects = await lastingObjects(opened, input, [input.service]);
        const since = await beginningOf(ledger, input);
        const until = Date.now() + timeLeft(input.seconds);
        const { why } = await awaitReady(opened.clusters, { ...opened, objects, until, since });
        return why;
      }),
    removeObjects: (input) => inClusters(input, EVERYTHING, (opened) => removeObjects(opened, input)),
    watchDeployment: (input) =>
      inClusters(input, NOTHING, async (opened, report) => {
        // a Job ends, and may be removed then
        const objects = (await lastingObjects(opened, input, input.services)).filter((object) => !isJob(object));
        const { activityId: watch } = activityInfo();
        const left = timeLeft(input.seconds);
        return watchDeployment(opened, { ...input, environment: opened.environment, objects, watch, left }, report);
      }),
    undoObjects: (input) => inClusters(input, EVERYTHING, (opened) => undoService(opened, input)),
    verifyUndone: (input) =>
      inClusters(input, NOTHING, async (opened) => {
        const until = Date.now() + timeLeft(input.seconds);
        let compared = await compareUndone(opened, input.deployment);
        // a namespace is empty first, and objects may wait for their finalizers
        while (compared.isDeleting && Date.now() < until) {
          await delay(DELETION_POLL_MS, undefined, { signal: opened.signal });
          compared = await compareUndone(opened, input.deployment);
        }
        const { differences } = compared;
        const objects = await objectsBefore(opened, input.deployment);
        const { why } = await awaitReady(opened.clusters, { ...opened, objects, until });
        const { before, repository, environment: name } = input;
        if (before === null) return [...differences, ...why.map((each) => `${each}.`)];
        const environment = await allowedEnvironment(tools, {
          repository,
          contracts: before.contracts,
          environment: name,
        });
        const sick = await unhealthy(environment, before.services, opened.signal);
        return [...differences, ...why.map((each) => `${each}.`), ...sick];
      }),
  };
}

/** Why a commit is not that of the release, in one sentence; null when it is. Throws `InvalidInput` for one that is not promoted. */
async function problemOfRelease(
  ledger: LedgerDatabase,
  { repository, version, commit }: PlanDeployment,
): Promise<string | null> {
  const released = await findReleased(ledger, { repository, version });
  return released.commit === commit
    ? null
    : `${version} of ${repository} is released at ${released.commit}, not at ${commit}.`;
}

/** When a deployment made its first change, milliseconds since 1970. */
async function beginningOf(
  ledger: LedgerDatabase,
  { deployment }: Pick<DeploymentInput, 'deployment'>,
): Promise<number> {
  const { started_at: started, created_at: created } = await ledger
    .selectFrom('deployments')
    .select(['started_at', 'created_at'])
    .where('deployment_id', '=', deployment)
    .executeTakeFirstOrThrow();
  return (started ?? created).getTime();
}

/** The objects of services that something runs in, or that a controller of their own looks after. */
async function lastingObjects(
  { ledger, seal }: DeploymentTools,
  { deployment }: Pick<DeploymentInput, 'deployment'>,
  services: readonly string[],
): Promise<readonly AwaitedObject[]> {
  const objects = await readObjects(ledger, seal, { deployment, actions: ['create', 'update', 'none'] });
  return objects
    .filter(({ service }) => services.includes(service))
    .map((object) => ({ ...referenceOf(object), mayBeGone: mayBeGone(object) }))
    .filter((object) => applyStepOf(object) === 'workloads' || applyStepOf(object) === 'definitions');
}

/** The workloads that a deployment found, but for those that others have taken since. */
async function objectsBefore({ ledger, seal }: DeploymentTools, deployment: string): Promise<readonly AwaitedObject[]> {
  const objects = await readObjects(ledger, seal, { deployment, exceptLeft: true });
  return objects
    .filter(({ before }) => before !== null && applyStepOf(before) === 'workloads')
    .map((object) => ({ ...referenceOf(object), mayBeGone: mayBeGone(object) }));
}

/** True for a Job that its cluster may have removed. What is in one that stays as it is is not recorded. */
function mayBeGone({ action, apiVersion, key: { kind }, before, wanted, written }: DeploymentObject): boolean {
  if (action === 'none') return isJob({ apiVersion, kind });
  return [before, wanted, written].some((object) => object !== null && isRemovedWhenDone(object));
}

function referenceOf({
  apiVersion,
  key: { context, kind, namespace, name },
}: Pick<DeploymentObject, 'apiVersion' | 'key'>): PlacedReference {
  return { context, apiVersion, kind, metadata: { name, ...(namespace === '' ? {} : { namespace }) } };
}

/** Asks the health checks of services as often as a watch would, until each was healthy once. */
async function unhealthy(
  environment: Environment,
  services: readonly string[],
  signal: AbortSignal,
): Promise<readonly string[]> {
  const checks = services.flatMap((service) =>
    (environment.services[service]?.health ?? []).flatMap(({ name, http, timeout, interval }) =>
      http === undefined ? [] : [{ name: `${service}: ${name}`, http, timeout, interval }],
    ),
  );
  const found = await Promise.all(
    checks.map(async ({ name, http, timeout, interval }) => {
      for (let tries = 1; ; tries++) {
        const why = await askHealth(http, timeout * 1_000, signal);
        if (why === null) return [];
        if (tries >= environment.failed_checks) return [`${name}: ${why}.`];
        await delay(interval * 1_000, undefined, { signal });
      }
    }),
  );
  return found.flat();
}
