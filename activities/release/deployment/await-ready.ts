import { setTimeout as delay } from 'node:timers/promises';
import { isJob, isRemovedWhenDone } from '../../../domain/kubernetes/job.ts';
import { type KubernetesObject, kubernetesKeyOf } from '../../../domain/kubernetes/object.ts';
import { placedName, type PlacedKey } from '../../../domain/kubernetes/placed.ts';
import { listedForPods } from '../../../domain/kubernetes/pods.ts';
import { TEMPLATE_GENERATION } from '../../../domain/kubernetes/restore.ts';
import { objectReadiness, problemOfPod, type Restarts, restartsOf } from '../../../domain/kubernetes/readiness.ts';
import type { Cluster } from '../../kubernetes/cluster.ts';
import type { Clusters, PlacedReference } from '../../kubernetes/clusters.ts';

/** Whether objects are ready, or why not. */
export interface ReadyState {
  readonly isReady: boolean;
  /** True when waiting longer does not help. */
  readonly isFinal: boolean;
  /** A sentence without a full stop for each object that is not ready. */
  readonly why: readonly string[];
}

/** An object that must be ready. */
export interface AwaitedObject extends PlacedReference {
  /** True for a Job that may have ended, and been removed, already: it is ready when it is not there. @default false */
  readonly mayBeGone?: boolean;
}

/** Objects, and until when they must be ready. */
export interface ReadyTask {
  readonly objects: readonly AwaitedObject[];
  /** The context of the environment: messages name others. */
  readonly home: string;
  /** Milliseconds since 1970. */
  readonly until: number;
  /**
   * When their deployment began, milliseconds since 1970: restarts of pods that are older count only from now on.
   * @default all pods are older
   */
  readonly since?: number;
  readonly signal: AbortSignal;
}

/** It is asked at each full second, so that what waits at the same time is asked for together. */
const POLL_MS = 1_000;
/** So long nothing asks what keeps pods from being ready: most of them only need the time. */
const PATIENCE_MS = 2_500;

/**
 * Waits until objects are ready. Ends early for what will not pass by itself: a loop of crashes, an image that cannot be
 * had, restarts. Returns what is not ready when the time is over.
 */
export async function awaitReady(
  clusters: Clusters,
  { objects, home, until, since, signal }: ReadyTask,
): Promise<ReadyState> {
  const seen = startLooking(since);
  const began = Date.now();
  for (;;) {
    const asksWhy = Date.now() - began >= PATIENCE_MS || Date.now() >= until;
    const state = await readiness(clusters, objects, { home, seen, asksWhy });
    if (state.isReady || state.isFinal) return state;
    if (Date.now() >= until && asksWhy) return state;
    const next = POLL_MS - (Date.now() % POLL_MS);
    await delay(Math.max(0, Math.min(next, until - Date.now())), undefined, { signal });
  }
}

/** What is remembered from one look at objects to the next. */
export interface Seen {
  /** The restarts of a pod that do not count. */
  restartsBefore(pod: KubernetesObject): Restarts;
  /** Names of Jobs that have completed, or will be removed when they have. */
  readonly mayBeGone: Set<string>;
}

/** Nothing seen yet. See {@link ReadyTask.since}. */
export function startLooking(since = Number.POSITIVE_INFINITY): Seen {
  const known = new Map<string, Restarts>();
  return {
    mayBeGone: new Set(),
    restartsBefore(pod) {
      const { uid = '', creationTimestamp } = pod.metadata;
      if (Date.parse(String(creationTimestamp)) >= since) return {};
      const restarts = known.get(uid) ?? restartsOf(pod);
      known.set(uid, restarts);
      return restarts;
    },
  };
}

/** Whether objects are ready now. One that is not there is not, but for Jobs that have ended. `asksWhy`: looks for the cause at their pods. */
export async function readiness(
  clusters: Clusters,
  objects: readonly AwaitedObject[],
  { home, seen, asksWhy = true }: { readonly home: string; readonly seen: Seen; readonly asksWhy?: boolean },
): Promise<ReadyState> {
  const found = await clusters.read(objects);
  const states = await Promise.all(
    objects.map(async (reference, at) => {
      const object = found[at] ?? null;
      const name = placedName(keyOf(reference), home);
      if (object === null) {
        const isEnded = reference.mayBeGone === true || seen.mayBeGone.has(name);
        return isEnded ? null : { isFinal: true, why: `${name} is not there` };
      }
      const { state, why } = objectReadiness(object);
      if (isRemovedWhenDone(object) || (isJob(object) && state === 'ready')) seen.mayBeGone.add(name);
      if (state === 'ready') return null;
      if (state === 'failed') return { isFinal: true, why: `${name}: ${why}` };
      const problem = asksWhy ? await problemOfPods(clusters.of(reference.context), object, seen) : null;
      return problem === null
        ? { isFinal: false, why: `${name}: ${why}` }
        : { isFinal: true, why: `${name}: ${problem}` };
    }),
  );
  const open = states.filter((state) => state !== null);
  return {
    isReady: open.length === 0,
    isFinal: open.some(({ isFinal }) => isFinal),
    why: open.map(({ why }) => why),
  };
}

function keyOf({ context, apiVersion, kind, metadata }: PlacedReference): PlacedKey {
  return { context, ...kubernetesKeyOf({ apiVersion, kind, metadata }) };
}

const REVISION = 'deployment.kubernetes.io/revision';

/** Why the pods of a workload's present revision will not become ready; null while there is hope. */
async function problemOfPods(cluster: Cluster, workload: KubernetesObject, seen: Seen): Promise<string | null> {
  if (workload.kind === 'Pod') return problemOfPod(workload, seen.restartsBefore(workload));
  const kinds = listedForPods(workload);
  // what it says of its present revision is about the one before
  if (kinds.length === 0 || isUnseen(workload)) return null;
  const { selector } = (workload['spec'] ?? {}) as {
    readonly selector?: { readonly matchLabels?: Readonly<Record<string, string>> };
  };
  const labels = Object.entries(selector?.matchLabels ?? {}).map(([name, value]) => `${name}=${value}`);
  if (labels.length === 0) return null;
  const isDeployment = workload.kind === 'Deployment';
  const place = workload.metadata.namespace ?? 'default';
  const lists = await Promise.all(kinds.map((resource) => cluster.list(resource, place, labels.join(','))));
  const listed = lists.flat();
  const revision = isDeployment ? podTemplateHash(workload, listed) : labelOfRevision(workload);
  const pods = listed.filter(
    ({ kind, metadata }) =>
      kind === 'Pod' && metadata['deletionTimestamp'] === undefined && isOfRevision(metadata.labels, revision),
  );
  for (const pod of pods) {
    const problem = problemOfPod(pod, seen.restartsBefore(pod));
    if (problem !== null) return `the pod ${pod.metadata.name}: ${problem}`;
  }
  return null;
}

/** True until the controller of a workload has seen its last change. */
function isUnseen({ metadata: { generation = 0 }, status }: KubernetesObject): boolean {
  const { observedGeneration } = (status ?? {}) as { readonly observedGeneration?: number };
  return observedGeneration !== undefined && observedGeneration < generation;
}

/** Pods of the revision before may be as broken as they were. */
function isOfRevision(labels: KubernetesObject['metadata']['labels'] = {}, revision: RevisionLabel | null): boolean {
  return revision === null || (revision.value !== undefined && labels[revision.label] === revision.value);
}

interface RevisionLabel {
  readonly label: string;
  /** Undefined while no pod can have it. */
  readonly value: string | undefined;
}

/** The label of the pods of a Deployment's present revision. */
function podTemplateHash(workload: KubernetesObject, listed: readonly KubernetesObject[]): RevisionLabel {
  const present = workload.metadata.annotations?.[REVISION];
  const set = listed.find(
    ({ kind, metadata }) =>
      kind === 'ReplicaSet' &&
      metadata.annotations?.[REVISION] === present &&
      ((metadata['ownerReferences'] ?? []) as readonly { readonly uid: string }[]).some(
        ({ uid }) => uid === workload.metadata.uid,
      ),
  );
  return { label: 'pod-template-hash', value: set?.metadata.labels?.['pod-template-hash'] };
}

/** The same for a StatefulSet and a DaemonSet; null for a kind whose pods do not say it. */
function labelOfRevision({ kind, metadata, status }: KubernetesObject): RevisionLabel | null {
  if (kind === 'DaemonSet') {
    // its controller sets it for the pods as a label
    return { label: 'pod-template-generation', value: metadata.annotations?.[TEMPLATE_GENERATION] };
  }
  if (kind !== 'StatefulSet') return null;
  const { updateRevision: value } = (status ?? {}) as { readonly updateRevision?: string };
  return { label: 'controller-revision-hash', value };
}
