import { kubernetesKeyOf, type KubernetesObject } from '../../../domain/kubernetes/object.ts';
import { isSamePlaced, type PlacedKey } from '../../../domain/kubernetes/placed.ts';
import type { KeptField } from '../../../domain/kubernetes/restore.ts';
import type { ObjectAction, PreviousRelease } from '../../../domain/release/deployment/deployment.ts';
import type { InventoryItem } from '../../../domain/release/deployment/inventory.ts';
import type { PackedCommit } from '../../../domain/release/pipelines/job.ts';
import { LonghaulError } from '../../../domain/shared/failures.ts';
import type { Insertable } from 'kysely';
import type { LedgerDatabase, LedgerTransaction } from '../../ledger/open-ledger.ts';
import type { LedgerTables } from '../../ledger/tables.ts';
import type { Seal } from './sealed.ts';

/** The contents of an object around its change. */
export interface ObjectContents {
  /** The object before the first change; null for a new one. */
  readonly before: KubernetesObject | null;
  /** What is applied; null for one that is deleted. */
  readonly wanted: KubernetesObject | null;
  /** What the server said it would become; null for one that is deleted, and for a new one. */
  readonly written: KubernetesObject | null;
  /**
   * What it is until the workloads of its service are ready, in this order; empty for one that stays as it is until then.
   * Absent for one that is applied at once.
   */
  readonly interim?: readonly InterimObject[];
}

/** What an object is for a while. */
export interface InterimObject {
  /** What is applied. */
  readonly wanted: KubernetesObject;
  /** What the server said it would become. */
  readonly written: KubernetesObject;
}

/** An object of a plan. */
export interface PlannedObject extends ObjectContents {
  readonly service: string;
  readonly action: ObjectAction;
  readonly key: PlacedKey;
  readonly apiVersion: string;
}

/** An object of a deployment, from the ledger. */
export interface DeploymentObject extends PlannedObject {
  readonly position: number;
}

/** Records other contents of an object of a deployment. */
export async function replaceContents(
  ledger: LedgerDatabase,
  seal: Seal,
  { deployment, position }: { readonly deployment: string; readonly position: number },
  { before, wanted, written, interim }: ObjectContents,
): Promise<void> {
  const contents: ObjectContents = { before, wanted, written, ...(interim === undefined ? {} : { interim }) };
  await ledger
    .updateTable('deployment_objects')
    .set({ sealed: await seal.seal(Buffer.from(JSON.stringify(contents))) })
    .where('deployment_id', '=', deployment)
    .where('position', '=', position)
    .execute();
}

/** Objects in one statement. */
const BATCH = 200;

/**
 * Records a plan, and each object as it is. A plan that is made again replaces the one before, but only until the first
 * change: an attempt that was given up and goes on later would record what the deployment has made as what was before.
 * Throws `DeploymentRefused` then.
 */
export async function recordPlan(
  trx: LedgerTransaction,
  seal: Seal,
  row: Insertable<LedgerTables['deployments']>,
  objects: readonly PlannedObject[],
): Promise<void> {
  const { deployment_id: deployment, ...plan } = row;
  const { numInsertedOrUpdatedRows: recorded = 0n } = await trx
    .insertInto('deployments')
    .values(row)
    .onConflict((conflict) =>
      conflict.column('deployment_id').doUpdateSet(plan).where('deployments.status', '=', 'planned'),
    )
    .executeTakeFirst();
  if (recorded === 0n) {
    throw new LonghaulError('DeploymentRefused', `The deployment ${deployment} has begun: its plan stays as it is.`);
  }
  await trx.deleteFrom('deployment_objects').where('deployment_id', '=', deployment).execute();
  const rows = await Promise.all(
    objects.map(async ({ service, action, key, apiVersion, before, wanted, written, interim }, position) => {
      const contents: ObjectContents = { before, wanted, written, ...(interim === undefined ? {} : { interim }) };
      return {
        deployment_id: deployment,
        position,
        service,
        api_version: apiVersion,
        kind: key.kind,
        context: key.context,
        namespace: key.namespace,
        name: key.name,
        change: action,
        sealed: action === 'none' ? null : await seal.seal(Buffer.from(JSON.stringify(contents))),
      };
    }),
  );
  for (let at = 0; at < rows.length; at += BATCH) {
    await trx
      .insertInto('deployment_objects')
      .values(rows.slice(at, at + BATCH))
      .execute();
  }
}

/** Which objects to read. */
export interface ObjectSelection {
  readonly deployment: string;
  /** Only those of a service. @default all */
  readonly service?: string;
  /** Only those of this kind. @default all */
  readonly kind?: string;
  /** Only the one at this position. @default all */
  readonly position?: number;
  /** Only those with these actions. @default all but `none` */
  readonly actions?: readonly ObjectAction[];
  /** True without those that others have deleted or created since, and an undo has left to them. @default false */
  readonly exceptLeft?: boolean;
}

/** The objects of a deployment with their contents, in the order in which they are applied. */
export async function readObjects(
  ledger: LedgerDatabase,
  seal: Seal,
  {
    deployment,
    service,
    kind,
    position,
    actions = ['create', 'update', 'delete'],
    exceptLeft = false,
  }: ObjectSelection,
): Promise<readonly DeploymentObject[]> {
  const rows = await ledger
    .selectFrom('deployment_objects')
    .selectAll()
    .where('deployment_id', '=', deployment)
    .where('change', 'in', actions)
    .$if(service !== undefined, (query) => query.where('service', '=', service ?? ''))
    .$if(position !== undefined, (query) => query.where('position', '=', position ?? 0))
    .$if(kind !== undefined, (query) => query.where('kind', '=', kind ?? ''))
    .$if(exceptLeft, (query) => query.where('state', '!=', 'left'))
    .orderBy('position')
    .execute();
  return Promise.all(
    rows.map(async (row) => ({
      position: row.position,
      service: row.service,
      action: row.change,
      apiVersion: row.api_version,
      key: keyOf(row),
      ...(row.sealed === null ? NOTHING : await opened(seal, row.sealed)),
    })),
  );
}

const NOTHING: ObjectContents = { before: null, wanted: null, written: null };

async function opened(seal: Seal, sealed: Uint8Array): Promise<ObjectContents> {
  return JSON.parse(Buffer.from(await seal.open(sealed)).toString('utf8')) as ObjectContents;
}

/** The contexts of the clusters that a deployment changes. */
export async function contextsOfDeployment(ledger: LedgerDatabase, deployment: string): Promise<readonly string[]> {
  const rows = await ledger
    .selectFrom('deployment_objects')
    .select('context')
    .distinct()
    .where('deployment_id', '=', deployment)
    .where('change', '!=', 'none')
    .orderBy('context')
    .execute();
  return rows.map(({ context }) => context);
}

/** Says how far objects are. */
export async function markObjects(
  ledger: LedgerDatabase,
  deployment: string,
  positions: readonly number[],
  state: 'applied' | 'undone' | 'left',
): Promise<void> {
  if (positions.length === 0) return;
  await ledger
    .updateTable('deployment_objects')
    .set({ state })
    .where('deployment_id', '=', deployment)
    .where('position', 'in', positions)
    .execute();
}

/** Records how one object was undone, and what was left to others. */
export async function markUndone(
  ledger: LedgerDatabase,
  deployment: string,
  {
    position,
    isLeft,
    kept,
  }: { readonly position: number; readonly isLeft: boolean; readonly kept: readonly KeptField[] },
): Promise<void> {
  await ledger
    .updateTable('deployment_objects')
    // the values of fields can be secrets
    .set({ state: isLeft ? 'left' : 'undone', kept: JSON.stringify(kept.map(({ path }) => ({ path }))) })
    .where('deployment_id', '=', deployment)
    .where('position', '=', position)
    .execute();
}

/**
 * The last deployment to an environment that stayed, and all objects that deployments have left there: also what one made
 * that was ended from outside, and could not undo it.
 */
export async function readInventory(
  ledger: LedgerDatabase,
  {
    repository,
    environment,
    except,
  }: { readonly repository: string; readonly environment: string; readonly except: string },
): Promise<{ readonly last: Omit<PreviousRelease, 'services'> | null; readonly items: readonly InventoryItem[] }> {
  const last = await ledger
    .selectFrom('deployments')
    .select(['deployment_id', 'sequence', 'version', 'commit', 'packed', 'contracts'])
    .where('repository', '=', repository)
    .where('environment', '=', environment)
    .where('status', '=', 'deployed')
    .where('deployment_id', '!=', except)
    .orderBy('sequence', 'desc')
    .limit(1)
    .executeTakeFirst();
  const rows = await ledger
    .selectFrom('deployment_objects as o')
    .innerJoin('deployments as d', 'd.deployment_id', 'o.deployment_id')
    .select(['o.service', 'o.api_version', 'o.kind', 'o.context', 'o.namespace', 'o.name'])
    .where('d.repository', '=', repository)
    .where('d.environment', '=', environment)
    .where('d.deployment_id', '!=', except)
    // a canary that was deleted in the end, what an undo has deleted
    .where('o.state', '!=', 'undone')
    .where((eb) =>
      eb.or([
        eb.and([eb('d.deployment_id', '=', last?.deployment_id ?? ''), eb('o.change', '!=', 'delete')]),
        eb.and([
          eb('d.sequence', '>', last?.sequence ?? 0),
          eb('d.status', 'in', ['deploying', 'not undone']),
          eb('o.change', '=', 'create'),
        ]),
      ]),
    )
    .orderBy('d.sequence')
    .orderBy('o.position')
    .execute();
  const items: InventoryItem[] = [];
  for (const row of rows) {
    const item = { ...keyOf(row), apiVersion: row.api_version, service: row.service };
    if (!items.some((each) => isSamePlaced(each, item))) items.push(item);
  }
  if (last === undefined) return { last: null, items };
  const { deployment_id: id, version, commit, packed, contracts } = last;
  // written by `planDeployment`
  return { last: { deployment: id, version, commit, packed: packed as unknown as PackedCommit, contracts }, items };
}

function keyOf(row: {
  readonly api_version: string;
  readonly kind: string;
  readonly context: string;
  readonly namespace: string;
  readonly name: string;
}): PlacedKey {
  const { api_version: apiVersion, kind, context, namespace, name } = row;
  const key = kubernetesKeyOf({ apiVersion, kind, metadata: { name, ...(namespace === '' ? {} : { namespace }) } });
  return { context, ...key };
}
