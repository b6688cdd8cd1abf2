import { LonghaulError } from '../../../domain/shared/failures.ts';
import { type DeploymentView, describedKind } from '../../../domain/release/deployment/describe.ts';
import type { KubernetesObject } from '../../../domain/kubernetes/object.ts';
import type { BlobStore } from '../../blobs/blob-store.ts';
import { type LedgerDatabase, withLedger } from '../../ledger/open-ledger.ts';
import { readObjects } from './deployment-objects.ts';
import type { Seal } from './sealed.ts';

/** Which deployments to list. */
export interface DeploymentQuery {
  /** Null for all repositories. */
  readonly repository: string | null;
  /** @default all environments */
  readonly environment?: string;
  /** @default any */
  readonly status?: DeploymentView['status'];
  /** After the latest so many. @default 0 */
  readonly from?: number;
  /** So many. */
  readonly limit: number;
}

/** The deployments of a query, the latest first, without objects and samples. */
export function listDeployments(url: string, query: DeploymentQuery): Promise<readonly DeploymentView[]> {
  return withLedger(url, (ledger) => readDeployments(ledger, query));
}

/** See {@link listDeployments}. */
export async function readDeployments(ledger: LedgerDatabase, query: DeploymentQuery): Promise<DeploymentView[]> {
  const { repository, environment, status, from = 0, limit } = query;
  const rows = await ledger
    .selectFrom('deployments')
    .selectAll()
    .$if(repository !== null, (only) => only.where('repository', '=', repository ?? ''))
    .$if(environment !== undefined, (only) => only.where('environment', '=', environment ?? ''))
    .$if(status !== undefined, (only) => only.where('status', '=', status ?? 'deployed'))
    .orderBy('sequence', 'desc')
    .offset(from)
    .limit(limit)
    .execute();
  return rows.map(viewOf);
}

/** A deployment with its objects and samples, by its id or the beginning of it. Throws `InvalidInput`. */
export function showDeployment(url: string, id: string): Promise<DeploymentView> {
  return withLedger(url, (ledger) => readDeployment(ledger, id));
}

/** See {@link showDeployment}. */
export async function readDeployment(ledger: LedgerDatabase, id: string): Promise<DeploymentView> {
  const row = await rowOf(ledger, id);
  const of = row.deployment_id;
  const objects = await ledger
    .selectFrom('deployment_objects')
    .select(['position', 'service', 'api_version', 'kind', 'context', 'namespace', 'name', 'change', 'state', 'kept'])
    .where('deployment_id', '=', of)
    .where('change', '!=', 'none')
    .orderBy('position')
    .execute();
  const samples = await ledger
    .selectFrom('deployment_samples')
    .select(['taken_at', 'verdict', 'why', 'sample'])
    .where('deployment_id', '=', of)
    .orderBy('sequence')
    .execute();
  return {
    ...viewOf(row),
    objects: objects.map(({ api_version: apiVersion, change, kept, ...rest }) => ({
      ...rest,
      what: describedKind({ apiVersion, ...rest }, row.context),
      action: change,
      kept: kept.map(({ path }) => String(path)),
    })),
    samples: samples.map(({ taken_at: at, verdict, why, sample }) => ({
      at: at.toISOString(),
      verdict,
      why,
      sample: sample as unknown as DeploymentView['samples'][number]['sample'],
    })),
  };
}

/** The difference of a plan as text, values of secrets masked, by its digest. */
export async function readDifference(blobs: BlobStore, digest: string): Promise<string> {
  const content = (await (await blobs.open(digest)).toArray()) as Buffer[];
  return Buffer.concat(content).toString('utf8');
}

/** An object as it was before a deployment. Throws `InvalidInput` for one that was not there. */
export function objectBefore(
  url: string,
  seal: Seal,
  { id, position }: { readonly id: string; readonly position: number },
): Promise<KubernetesObject> {
  return withLedger(url, async (ledger) => {
    const { deployment_id: deployment } = await rowOf(ledger, id);
    const [object] = await readObjects(ledger, seal, { deployment, position });
    if (object?.before) return object.before;
    const why = object === undefined ? 'changes no object at this position' : 'created this object';
    throw new LonghaulError('InvalidInput', `The deployment ${deployment} ${why}: ${position}.`);
  });
}

async function rowOf(ledger: LedgerDatabase, id: string): Promise<Row> {
  const [row, other] = await ledger
    .selectFrom('deployments')
    .selectAll()
    .where('deployment_id', 'like', `${id.replaceAll(/[^0-9a-f-]/gu, '') || 'none'}%`)
    .limit(2)
    .execute();
  if (row === undefined) throw new LonghaulError('InvalidInput', `The ledger has no deployment ${id}.`);
  if (other !== undefined)
    throw new LonghaulError('InvalidInput', `Several deployments begin with ${id}: give more of the id.`);
  return row;
}

interface Row {
  readonly deployment_id: string;
  readonly repository: string;
  readonly environment: string;
  readonly context: string;
  readonly version: string;
  readonly commit: string;
  readonly services: readonly string[];
  readonly goes_back: boolean;
  readonly status: DeploymentView['status'];
  readonly plan_digest: string | null;
  readonly diff_blob: string | null;
  readonly why: string | null;
  readonly reason: string | null;
  readonly passed_over: readonly string[];
  readonly override_freeze: string | null;
  readonly approved_by: readonly string[];
  readonly shared: unknown;
  readonly images_by_tag: readonly string[];
  readonly created_by: string;
  readonly created_at: Date;
  readonly started_at: Date | null;
  readonly ended_at: Date | null;
  readonly workflow_id: string;
}

function viewOf(row: Row): DeploymentView {
  return {
    id: row.deployment_id,
    repository: row.repository,
    environment: row.environment,
    context: row.context,
    version: row.version,
    commit: row.commit,
    services: row.services,
    goesBack: row.goes_back,
    status: row.status,
    plan: row.plan_digest,
    diff: row.diff_blob,
    why: row.why,
    reason: row.reason,
    passedOver: row.passed_over,
    overrideFreeze: row.override_freeze,
    approvedBy: row.approved_by,
    // written by `planDeployment`
    shared: row.shared as DeploymentView['shared'],
    imagesByTag: row.images_by_tag,
    by: row.created_by,
    workflowId: row.workflow_id,
    plannedAt: row.created_at.toISOString(),
    startedAt: row.started_at?.toISOString() ?? null,
    endedAt: row.ended_at?.toISOString() ?? null,
    objects: [],
    samples: [],
  };
}
