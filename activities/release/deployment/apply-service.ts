import { setTimeout as delay } from 'node:timers/promises';
import { APPLY_STEPS, type ApplyStep, applyStepOf } from '../../../domain/kubernetes/apply-order.ts';
import { type KubernetesObject, objectName } from '../../../domain/kubernetes/object.ts';
import { placedName } from '../../../domain/kubernetes/placed.ts';
import { objectReadiness } from '../../../domain/kubernetes/readiness.ts';
import { canaryServiceOf } from '../../../domain/release/deployment/canary.ts';
import { DEPLOYMENT_ANNOTATION } from '../../../domain/release/deployment/deployment.ts';
import { LonghaulError } from '../../../domain/shared/failures.ts';
import { byContext, type Clusters } from '../../kubernetes/clusters.ts';
import type { LedgerDatabase } from '../../ledger/open-ledger.ts';
import { isOfAnother, type ObjectOwner } from './object-owners.ts';
import type { Seal } from './sealed.ts';
import { type DeploymentObject, markObjects, readObjects, replaceContents } from './deployment-objects.ts';

/** What a deployment is done and undone with. */
export interface DeploymentTools {
  readonly ledger: LedgerDatabase;
  readonly clusters: Clusters;
  /** The context of the environment: messages name others. */
  readonly home: string;
  readonly seal: Seal;
  readonly signal: AbortSignal;
}

/** A service of a deployment. */
export interface ServiceOfDeployment {
  readonly deployment: string;
  readonly service: string;
}

/** A service to apply. */
export interface AppliedService extends ServiceOfDeployment {
  /**
   * `needed`: only what its workloads need, before a canary. `settled`: only what waits until they are ready.
   * @default everything else
   */
  readonly part?: 'needed' | 'settled';
}

/** Longest time until the server serves a kind whose definition was applied. */
export const DEFINITION_MS = 60_000;
/** How often it is asked meanwhile. */
export const DEFINITION_POLL_MS = 500;

/**
 * Applies the objects of a service, in the order of kinds. Can be repeated: an object that is as it should be is not
 * written again by the server. Throws `DriftDetected` for an object that another has created since the plan, or whose
 * field another has taken.
 */
export async function applyService(
  tools: DeploymentTools,
  { deployment, service, part }: AppliedService,
): Promise<number> {
  const { ledger, seal } = tools;
  const read = (of: string) => readObjects(ledger, seal, { deployment, service: of, actions: ['create', 'update'] });
  const planned = [...(await read(service)), ...(part === 'settled' ? await read(canaryServiceOf(service)) : [])];
  const objects =
    part === 'settled'
      ? planned.filter(({ interim }) => interim !== undefined)
      : planned.filter((each) => part === undefined || comesBeforeCanary(each)).flatMap(untilReady);
  await applyPlanned(tools, deployment, objects);
  return objects.length;
}

/** What is applied of an object before the workloads are ready: what it is for a while, or nothing. */
function untilReady(object: DeploymentObject): readonly DeploymentObject[] {
  if (object.interim === undefined) return [object];
  const [first] = object.interim;
  return first === undefined ? [] : [{ ...object, wanted: first.wanted }];
}

/**
 * True for what pods of a canary need: it is applied before them. Not a Service that is there: with a selector that only
 * pods of the new release match, the canary would get all requests.
 */
export function comesBeforeCanary({ action, wanted }: Pick<DeploymentObject, 'action' | 'wanted'>): boolean {
  if (wanted === null) return false;
  const step = applyStepOf(wanted);
  if (step === 'services' && action === 'update') return false;
  return APPLY_STEPS.indexOf(step) < APPLY_STEPS.indexOf('workloads');
}

/** Applies objects of a deployment, in the order of kinds, as {@link applyService} does. */
export async function applyPlanned(
  tools: DeploymentTools,
  deployment: string,
  objects: readonly DeploymentObject[],
): Promise<void> {
  const definitions = objectsBetween(objects, 'namespaces', 'definitions');
  const others = [objectsBetween(objects, 'access', 'services'), objectsBetween(objects, 'workloads', 'scaling')];
  await refuseStrangers(tools, definitions, deployment);
  await applyTogether(tools, deployment, definitions);
  await untilEstablished(
    tools,
    definitions.filter(({ wanted }) => wanted !== null && applyStepOf(wanted) === 'definitions'),
  );
  // one kubectl reads them all, when the server knows their kinds
  await refuseStrangers(tools, others.flat(), deployment);
  // no workload begins when the server refuses something that it needs
  for (const together of others) await applyTogether(tools, deployment, together);
}

/** The objects of the steps from one to another, in the order of steps. */
function objectsBetween(
  objects: readonly DeploymentObject[],
  first: ApplyStep,
  last: ApplyStep,
): readonly DeploymentObject[] {
  return APPLY_STEPS.slice(APPLY_STEPS.indexOf(first), APPLY_STEPS.indexOf(last) + 1).flatMap((step) =>
    objects.filter(({ wanted }) => wanted !== null && applyStepOf(wanted) === step),
  );
}

/** Applies objects in their order, with one kubectl for each context. */
async function applyTogether(
  { ledger, clusters }: DeploymentTools,
  deployment: string,
  objects: readonly DeploymentObject[],
): Promise<void> {
  await byContext(
    objects.map((object) => ({ ...object, context: object.key.context })),
    async (context, own) => {
      await clusters.of(context).apply(own.map(wantedOf));
      const positions = own.map(({ position }) => position);
      await markObjects(ledger, deployment, positions, 'applied');
      return own;
    },
  );
}

/** True for an object that this deployment has written. */
export function isOfDeployment(object: KubernetesObject, deployment: string): boolean {
  return object.metadata.annotations?.[DEPLOYMENT_ANNOTATION] === deployment;
}

/** An object with the context of its cluster. */
function placedWanted(object: DeploymentObject): KubernetesObject & { readonly context: string } {
  return { ...wantedOf(object), context: object.key.context };
}

function wantedOf({ wanted, key }: DeploymentObject): KubernetesObject {
  if (wanted === null) throw new TypeError(`${objectName(key)} is not to be applied`);
  return wanted;
}

/**
 * What is to be created must not have been created by another: it would be taken for ours, and deleted by an undo. What is
 * to be changed must be there: it would be created, against the one who deleted it.
 */
async function refuseStrangers(
  { clusters, home }: DeploymentTools,
  objects: readonly DeploymentObject[],
  deployment: string,
): Promise<void> {
  const found = await clusters.read(objects.map(placedWanted));
  for (const [at, { key, action }] of objects.entries()) {
    const object = found[at] ?? null;
    if (action === 'update' && object === null) {
      throw new LonghaulError(
        'DriftDetected',
        `${placedName(key, home)} was deleted by another since the plan was made.`,
      );
    }
    if (action === 'update' || object === null || isOfDeployment(object, deployment)) continue;
    throw new LonghaulError(
      'DriftDetected',
      `${placedName(key, home)} was created by another since the plan was made.`,
    );
  }
}

async function untilEstablished(
  { clusters, signal }: DeploymentTools,
  definitions: readonly DeploymentObject[],
): Promise<void> {
  const until = Date.now() + DEFINITION_MS;
  while (definitions.length > 0) {
    const found = await clusters.read(definitions.map(placedWanted));
    const states = found.map((object) => (object === null ? null : objectReadiness(object)));
    const failed = states.find((state) => state?.state === 'failed');
    if (failed) throw new LonghaulError('ClusterRejected', `A definition cannot be served: ${failed.why}.`);
    if (states.every((state) => state?.state === 'ready')) return;
    if (Date.now() > until) {
      throw new LonghaulError('ClusterUnavailable', 'The server does not serve the new definitions yet.');
    }
    await delay(DEFINITION_POLL_MS, undefined, { signal });
  }
}

/**
 * Deletes what the release before had and this one has not, the last first. What others have changed since the plan is
 * recorded first: an undo creates it again as it was then. Throws `DriftDetected` for one that others have replaced
 * or taken over.
 */
export async function removeObjects(
  tools: DeploymentTools,
  { deployment, repository, environment }: Pick<ServiceOfDeployment, 'deployment'> & ObjectOwner,
): Promise<number> {
  const { ledger, seal } = tools;
  const objects = await readObjects(ledger, seal, { deployment, actions: ['delete'] });
  for (const object of objects) {
    if (object.before === null) continue;
    await removePlanned(tools, { ...object, before: object.before }, { deployment, repository, environment });
    await markObjects(ledger, deployment, [object.position], 'applied');
  }
  return objects.length;
}

/** Controllers write the status of an object all the time; each write makes a new version of it. */
const MOST_TRIES = 20;

/** Deletes the version of an object that is recorded, so that an undo creates it again as others have left it. */
async function removePlanned(
  { ledger, clusters, seal, home }: DeploymentTools,
  { position, key, ...contents }: DeploymentObject & { readonly before: KubernetesObject },
  { deployment, ...owner }: Pick<ServiceOfDeployment, 'deployment'> & ObjectOwner,
): Promise<void> {
  const cluster = clusters.of(key.context);
  let recorded = contents.before;
  for (let tries = 1; ; tries++) {
    const [now = null] = await cluster.read([recorded]);
    if (now === null) return;
    const done =
      now.metadata.uid !== recorded.metadata.uid ? 'created again' : isOfAnother(now, owner) ? 'taken over' : null;
    if (done !== null) {
      throw new LonghaulError(
        'DriftDetected',
        `${placedName(key, home)} was ${done} by another since the plan was made.`,
      );
    }
    // one that this deployment deletes already, before it began again, waits for its finalizers
    if (now.metadata['deletionTimestamp'] !== undefined) return;
    if (now.metadata.resourceVersion !== recorded.metadata.resourceVersion) {
      await replaceContents(ledger, seal, { deployment, position }, { ...contents, before: now });
      recorded = now;
    }
    try {
      await cluster.remove(now, { exactly: true });
      return;
    } catch (error) {
      const isChanged = error instanceof LonghaulError && error.type === 'ObjectChanged';
      if (!isChanged || tries >= MOST_TRIES) throw error;
    }
  }
}
