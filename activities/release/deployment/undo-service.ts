import { setTimeout as delay } from 'node:timers/promises';
import canonicalize from 'canonicalize';
import pLimit from 'p-limit';
import { APPLY_STEPS, applyStepOf } from '../../../domain/kubernetes/apply-order.ts';
import { definedKind, kindOf } from '../../../domain/kubernetes/definitions.ts';
import { objectName } from '../../../domain/kubernetes/object.ts';
import { placedName, type PlacedKey } from '../../../domain/kubernetes/placed.ts';
import { comparedFields, ownFields, restoreFrom } from '../../../domain/kubernetes/restore.ts';
import { FAILURES, LonghaulError } from '../../../domain/shared/failures.ts';
import type { KubernetesObject } from '../../../domain/kubernetes/object.ts';
import { undoObject } from '../../kubernetes/undo-object.ts';
import { awaitReady } from './await-ready.ts';
import {
  DEFINITION_MS,
  DEFINITION_POLL_MS,
  type DeploymentTools,
  isOfDeployment,
  type ServiceOfDeployment,
} from './apply-service.ts';
import { type DeploymentObject, markUndone, type ObjectSelection, readObjects } from './deployment-objects.ts';

/** What to undo of a deployment. */
export interface UndoTask {
  readonly deployment: string;
  /** Its objects of this service that were applied; undefined for everything that was deleted. */
  readonly service?: string;
}

/** Objects that are undone at once. */
const AT_ONCE = 4;

/**
 * Puts the objects of a service back as they were, in the reverse order of kinds; what was deleted, in the order of kinds.
 * Definitions that were changed come back first: what they defined had fields that only they know. Fields that others
 * changed stay theirs, and are recorded. Can be repeated. All objects are tried, those of each cluster whatever becomes of
 * the others; throws `UndoFailed`, which names each object that could not be put back and a command, and the failure of a
 * cluster that does not answer.
 */
export async function undoService(tools: DeploymentTools, task: UndoTask): Promise<void> {
  const { deployment, service } = task;
  const { ledger, seal } = tools;
  const changed: ObjectSelection = { deployment, kind: DEFINITION, actions: ['update'] };
  // also those of other services
  const definitions = service === undefined ? [] : await readObjects(ledger, seal, changed);
  const objects = await readObjects(ledger, seal, {
    deployment,
    ...(service === undefined ? { actions: ['delete'] } : { service, actions: ['create', 'update'] }),
  });
  const failed: string[] = [];
  const ends = await Promise.allSettled(
    [...new Set(objects.map(({ key }) => key.context))].map((context) => {
      const isThere = ({ key }: DeploymentObject): boolean => key.context === context;
      const there = { context, definitions: definitions.filter(isThere), objects: objects.filter(isThere) };
      return undoInCluster(tools, { ...task, ...there }, failed);
    }),
  );
  const gone = ends.find((end) => end.status === 'rejected');
  const sentence = failed.length === 0 ? null : `Not put back: ${failed.join('; ')}.`;
  if (gone !== undefined) {
    const { reason } = gone as { readonly reason: unknown };
    if (sentence === null || !(reason instanceof LonghaulError)) throw reason;
    throw new LonghaulError(reason.type, `${reason.message} ${sentence}`, { cause: reason });
  }
  if (sentence !== null) throw new LonghaulError('UndoFailed', sentence);
}

/** What to undo in one cluster. */
interface UndoInCluster extends UndoTask {
  readonly context: string;
  /** Changed definitions, also those of other services. */
  readonly definitions: readonly DeploymentObject[];
  readonly objects: readonly DeploymentObject[];
}

/** Adds to `failed` what could not be put back. */
async function undoInCluster(
  tools: DeploymentTools,
  { deployment, service, context, definitions, objects }: UndoInCluster,
  failed: string[],
): Promise<void> {
  const redefined = new Set(
    [...definitions, ...objects]
      .map((object) => definedKind(subjectOf(object))?.kind)
      .filter((kind) => kind !== undefined),
  );
  const limit = pLimit(AT_ONCE);
  let gone: Error | null = null;
  const undo = async (object: DeploymentObject): Promise<void> => {
    // the others are put back when the cluster is there again
    if (gone !== null) return;
    try {
      await undoOne(tools, deployment, object, redefined);
    } catch (error) {
      if (!isOfObject(error)) {
        gone ??= error as Error;
        return;
      }
      const name = placedName(object.key, tools.home);
      failed.push(`${name}: ${error.message.replace(/\.$/u, '')}; ${byHand(object, deployment)}`);
    }
  };
  // nothing is at work any more when it has failed: it is tried again
  const undoAll = async (all: readonly DeploymentObject[]): Promise<void> => {
    await Promise.all(all.map((object) => limit(() => undo(object))));
    if (gone !== null) throw gone;
  };
  // Services select pods at all times, also on the way back
  const isBridged = service !== undefined && (await selectBoth(tools, deployment, objects));
  const early = service === undefined ? [] : await servicesOfLatePods(tools, { deployment, service, context }, objects);
  await undoAll(definitions);
  await undoAll(early);
  for (const step of service === undefined ? APPLY_STEPS : APPLY_STEPS.toReversed()) {
    const ofStep = objects.filter((object) => applyStepOf(subjectOf(object)) === step).toReversed();
    if (step === 'services' && isBridged) {
      await untilWorkloadsAreBack(tools, { deployment, service, actions: ['create', 'update'] }, context);
    }
    await undoAll(
      ofStep.filter(({ position }) => ![...definitions, ...early].some((each) => each.position === position)),
    );
  }
}

const DEFINITION = 'CustomResourceDefinition';

/** Longest time in which Services wait for the pods that they select again. */
const PODS_BACK_MS = 300_000;

/**
 * Lets Services that have got a selector of new pods only select those of both releases, until the pods from before are
 * back. True when there is one.
 */
async function selectBoth(
  { clusters }: DeploymentTools,
  deployment: string,
  objects: readonly DeploymentObject[],
): Promise<boolean> {
  const services = objects.filter(({ key, interim = [] }) => key.kind === 'Service' && interim.length > 0);
  const found = await clusters.read(services.map(placed));
  const ours = services.filter((_service, at) => found[at] && isOfDeployment(found[at], deployment));
  for (const { key, interim = [] } of ours) {
    try {
      await clusters.of(key.context).apply(interim.map(({ wanted }) => wanted));
    } catch (error) {
      // another has the selector now
      if (!(error instanceof LonghaulError && error.type === 'DriftDetected')) throw error;
    }
  }
  return ours.length > 0;
}

/**
 * Services that have got another selector when the workloads were ready: they go back before the workloads, as soon as
 * what they selected is there again.
 */
async function servicesOfLatePods(
  tools: DeploymentTools,
  { deployment, service, context }: ServiceOfDeployment & { readonly context: string },
  objects: readonly DeploymentObject[],
): Promise<readonly DeploymentObject[]> {
  const services = objects.filter(({ key, interim }) => key.kind === 'Service' && interim?.length === 0);
  if (services.length === 0) return [];
  await untilWorkloadsAreBack(tools, { deployment, service, actions: ['delete'] }, context);
  return services;
}

/**
 * Waits for workloads that were put back, without those that others have deleted; whether they are ready is verified when
 * everything is.
 */
async function untilWorkloadsAreBack(
  { ledger, clusters, seal, home, signal }: DeploymentTools,
  selection: ObjectSelection,
  context: string,
): Promise<void> {
  const objects = await readObjects(ledger, seal, { ...selection, exceptLeft: true });
  const workloads = objects.filter(
    ({ before, key }) => key.context === context && before !== null && applyStepOf(before) === 'workloads',
  );
  await awaitReady(clusters, { objects: workloads.map(placed), home, until: Date.now() + PODS_BACK_MS, signal });
}

/** Undoes an object. The server takes a moment to serve a definition that was put back: what it defines is tried again. */
async function undoOne(
  { ledger, clusters, signal }: DeploymentTools,
  deployment: string,
  object: DeploymentObject,
  redefined: ReadonlySet<string>,
): Promise<void> {
  const cluster = clusters.of(object.key.context);
  const change = { before: object.before, written: writtenOf(object), interim: interimOf(object) };
  const until = Date.now() + DEFINITION_MS;
  for (;;) {
    try {
      const { end, kept } = await undoObject(cluster, change, (now) => isOfDeployment(now, deployment));
      await markUndone(ledger, deployment, { position: object.position, isLeft: end === 'taken', kept });
      return;
    } catch (error) {
      const isOfKind = error instanceof LonghaulError && NOT_SERVED.has(error.type);
      if (!isOfKind || !redefined.has(kindOf(subjectOf(object))) || Date.now() > until) throw error;
      await delay(DEFINITION_POLL_MS, undefined, { signal });
    }
  }
}

/** What a server answers that does not serve a kind, or its new fields, yet. */
const NOT_SERVED: ReadonlySet<string> = new Set(['ClusterRejected', 'KubectlFailed']);

/** What the deployment made of an object; what it applied where the server could not say what becomes of it. */
function writtenOf({ written, wanted }: DeploymentObject): KubernetesObject | null {
  return written ?? wanted;
}

/** What it made of it before that. */
function interimOf({ interim = [] }: DeploymentObject): readonly KubernetesObject[] {
  return interim.map(({ written }) => written);
}

/** True for a failure of the object, which a repetition does not change, or which is repeated by itself. */
function isOfObject(error: unknown): error is LonghaulError {
  return error instanceof LonghaulError && (FAILURES[error.type].tries === 1 || error.type === 'KubectlFailed');
}

function subjectOf({ wanted, before, key }: DeploymentObject): KubernetesObject {
  const subject = wanted ?? before;
  if (subject === null) throw new TypeError(`${objectName(key)} has no content`);
  return subject;
}

/** What an object is or was, with the context of its cluster. */
function placed(object: DeploymentObject): KubernetesObject & { readonly context: string } {
  return { ...subjectOf(object), context: object.key.context };
}

/** What a person runs. */
function byHand({ action, key, position }: DeploymentObject, deployment: string): string {
  return action === 'create'
    ? `\`kubectl --context=${key.context} delete ${typeOf(key)} ${key.name}${where(key)}\``
    : `\`longhaul deployments before ${deployment} ${position}\` prints what it was`;
}

function typeOf({ kind, group }: PlacedKey): string {
  return `${kind.toLowerCase()}${group === '' ? '' : `.${group}`}`;
}

function where({ namespace }: PlacedKey): string {
  return namespace === '' ? '' : ` --namespace=${namespace}`;
}

/** How an undo ended. */
export interface UndoComparison {
  /** A sentence for each object that is not as it was. */
  readonly differences: readonly string[];
  /** True while an object of these is being deleted: it is gone soon. */
  readonly isDeleting: boolean;
}

/**
 * Reads everything back after an undo, and compares it with what it was: differences must be fields that others changed.
 * Objects that were left to others are not compared.
 */
export async function compareUndone(
  { ledger, clusters, seal, home }: DeploymentTools,
  deployment: string,
): Promise<UndoComparison> {
  const objects = await readObjects(ledger, seal, { deployment, exceptLeft: true });
  const found = await clusters.read(objects.map(placed));
  const different = objects.flatMap((object, at) => {
    const now = found[at] ?? null;
    const why = whyDifferent(object, now, { deployment, home });
    return why === null ? [] : [{ why, isDeleting: now?.metadata['deletionTimestamp'] !== undefined }];
  });
  return { differences: different.map(({ why }) => why), isDeleting: different.some(({ isDeleting }) => isDeleting) };
}

function whyDifferent(
  object: DeploymentObject,
  now: KubernetesObject | null,
  { deployment, home }: { readonly deployment: string; readonly home: string },
): string | null {
  const name = placedName(object.key, home);
  const { before } = object;
  if (before === null) return now !== null && isOfDeployment(now, deployment) ? `${name} is still there.` : null;
  // another has deleted it since
  if (now === null) return null;
  const written = writtenOf(object);
  const isDeleting = now.metadata['deletionTimestamp'] !== undefined;
  // it was not deleted yet: what differs others have changed
  if (written === null && now.metadata.uid === before.metadata.uid && !isDeleting) return null;
  const expected =
    written === null
      ? before
      : (restoreFrom(ownFields(before), [written, ...interimOf(object)].map(ownFields), ownFields(now))
          .value as KubernetesObject);
  return canonicalize(comparedFields(expected)) === canonicalize(comparedFields(now))
    ? null
    : `${name} is not as it was.`;
}
