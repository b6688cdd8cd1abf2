import { Readable } from 'node:stream';
import type { DeploymentEnd } from '../../../domain/release/deployment/deployment.ts';
import type { DeploymentReasons } from '../../../domain/release/deployment/reasons.ts';
import { LonghaulError } from '../../../domain/shared/failures.ts';
import { recordEvent, storable } from '../../ledger/audit.ts';
import type { LedgerTransaction } from '../../ledger/open-ledger.ts';
import type { RunningFlow } from '../../ledger/acting-flow.ts';
import type { LedgerTools } from '../ledger-tools.ts';
import { contextsOfDeployment } from './deployment-objects.ts';
import { readDeployment } from './read-deployments.ts';
import type { ReleaseKey } from './released.ts';

/** A deployment whose first change comes next. */
export interface StartDeployment {
  readonly deployment: string;
  /** Digest of the plan that is carried out. */
  readonly plan: string;
  /** The people who approved it, as text. */
  readonly approvedBy: readonly string[];
  /** Why it is urgent; null for no reason. */
  readonly reason: string | null;
  /** Why it is deployed during a freeze; null outside of one. */
  readonly overrideFreeze: string | null;
  /** The alert for which it goes back; null for one that people started. */
  readonly cause: string | null;
  /** The environments that should have had the release before; empty where that does not matter. */
  readonly earlier: readonly string[];
  readonly by: string;
}

/**
 * Records that a deployment begins to change the environment, and why. Does nothing when that is recorded. Throws
 * `DeploymentRefused` when the ledger has another plan than the one that is carried out.
 */
export async function startDeployment(
  { ledger }: Pick<LedgerTools, 'ledger'>,
  { deployment, plan, approvedBy, reason, overrideFreeze, cause, earlier }: StartDeployment,
  flow: RunningFlow,
): Promise<DeploymentReasons> {
  return ledger.transaction().execute(async (trx) => {
    const row = await lockDeployment(trx, deployment);
    if (row.status !== 'planned') return { reason, overrideFreeze, passedOver: row.passed_over };
    if (row.plan_digest !== plan) {
      throw new LonghaulError(
        'DeploymentRefused',
        `The plan of the deployment ${deployment} was made again: start it again.`,
      );
    }
    const passedOver = await withoutRelease(trx, row, earlier);
    await trx
      .updateTable('deployments')
      .set({
        status: 'deploying',
        started_at: new Date(),
        reason: storable(reason),
        passed_over: JSON.stringify(passedOver),
        override_freeze: storable(overrideFreeze),
        approved_by: JSON.stringify(storable(approvedBy)),
      })
      .where('deployment_id', '=', deployment)
      .execute();
    await recordEvent(trx, {
      ...eventOf(row, flow),
      event_type: 'deployment.started',
      action: 'deploy',
      status: 'success',
      why: overrideFreeze ?? reason,
      details: {
        ...factsOf(row, await contextsOfDeployment(trx, deployment)),
        approvedBy,
        passedOver,
        ...(reason === null ? {} : { reason }),
        ...(overrideFreeze === null ? {} : { overrideFreeze }),
        ...(cause === null ? {} : { cause }),
      },
    });
    return { reason, overrideFreeze, passedOver };
  });
}

/** Those of the environments in which a release has never stayed. */
async function withoutRelease(
  trx: LedgerTransaction,
  { repository, version }: ReleaseKey,
  environments: readonly string[],
): Promise<readonly string[]> {
  if (environments.length === 0) return [];
  const rows = await trx
    .selectFrom('deployments')
    .select('environment')
    .distinct()
    .where('repository', '=', repository)
    .where('version', '=', version)
    .where('status', '=', 'deployed')
    .where('environment', 'in', environments)
    .execute();
  const had = new Set(rows.map(({ environment }) => environment));
  return environments.filter((environment) => !had.has(environment));
}

/** How a deployment ended. */
export interface EndDeployment {
  readonly deployment: string;
  /** Null for one that stays. */
  readonly failed: {
    readonly isCancelled: boolean;
    /** True when a person gave up although not everything was put back. */
    readonly isIncomplete: boolean;
  } | null;
  /** Why it does not stay; null for one that does. */
  readonly why: string | null;
  readonly by: string;
}

/** A deployment of which something could not be undone. */
export interface IncompleteDeployment {
  readonly deployment: string;
  /** What people must do, and what could not be undone. */
  readonly why: string;
}

/** Records that a deployment waits for people to repair what could not be undone. Does nothing when its end is recorded. */
export async function recordIncomplete(
  { ledger }: Pick<LedgerTools, 'ledger'>,
  { deployment, why }: IncompleteDeployment,
): Promise<void> {
  await ledger
    .updateTable('deployments')
    .set({ status: 'not undone', why: storable(why) })
    .where('deployment_id', '=', deployment)
    .where('started_at', 'is not', null)
    .where('ended_at', 'is', null)
    .execute();
}

/** The kind of the evidence of a deployment: all that the ledger has of it, when it has ended. */
const DEPLOYMENT_KIND = 'deployment';

/** Records how a deployment ended, and its evidence. Does nothing when that is recorded. */
export async function endDeployment(
  { ledger, blobs }: Pick<LedgerTools, 'ledger' | 'blobs'>,
  { deployment, failed, why }: EndDeployment,
  flow: RunningFlow,
): Promise<void> {
  await ledger.transaction().execute(async (trx) => {
    const row = await lockDeployment(trx, deployment);
    if (row.ended_at !== null) return;
    const end = endOf(failed, row.started_at !== null);
    await trx
      .updateTable('deployments')
      .set({ status: end, why: storable(why), ended_at: new Date() })
      .where('deployment_id', '=', deployment)
      .execute();
    // what was refused or cancelled before the first change has an event of its flow
    if (row.started_at === null) return;
    const ended = JSON.stringify(await readDeployment(trx, deployment));
    const { digest } = await blobs.put(Readable.from([Buffer.from(ended)]));
    await trx
      .insertInto('evidence')
      .values({
        digest,
        kind: DEPLOYMENT_KIND,
        subject: `deployment ${deployment}`,
        repository: row.repository,
        blob: digest,
      })
      .execute();
    await recordEvent(trx, {
      ...eventOf(row, flow),
      event_type: `deployment.${end.replace(' ', '_')}`,
      action: end === 'deployed' ? 'deploy' : 'roll back',
      status: end === 'deployed' ? 'success' : 'failure',
      why: null,
      details: {
        ...factsOf(row, await contextsOfDeployment(trx, deployment)),
        evidence: digest,
        ...(why === null ? {} : { reason: why }),
      },
    });
  });
}

function endOf(failed: EndDeployment['failed'], isStarted: boolean): DeploymentEnd {
  if (failed === null) return 'deployed';
  if (!isStarted) return failed.isCancelled ? 'cancelled' : 'refused';
  return failed.isIncomplete ? 'not undone' : 'undone';
}

type DeploymentRow = Awaited<ReturnType<typeof lockDeployment>>;

async function lockDeployment(trx: LedgerTransaction, deployment: string) {
  const row = await trx
    .selectFrom('deployments')
    .selectAll()
    .where('deployment_id', '=', deployment)
    .forUpdate()
    .executeTakeFirst();
  if (row === undefined) throw new LonghaulError('InvalidInput', `The ledger has no deployment ${deployment}.`);
  return row;
}

function eventOf(row: DeploymentRow, { workflowId, runId, who }: RunningFlow) {
  return {
    repository: row.repository,
    resource_type: 'environment',
    resource_id: row.environment,
    ...who,
    workflow_id: workflowId,
    run_id: runId,
  };
}

function factsOf(row: DeploymentRow, contexts: readonly string[]) {
  return {
    version: row.version,
    commit: row.commit,
    deployment: row.deployment_id,
    plan: row.plan_digest,
    services: row.services,
    contexts,
    ...(row.shared === null ? {} : { shared: row.shared }),
  };
}
