import { applyStepOf } from './apply-order.ts';
import { groupOf, type KubernetesObject } from './object.ts';

/** Whether an object does what its specification says. `failed` is final: waiting longer does not help. */
export interface Readiness {
  readonly state: 'ready' | 'waiting' | 'failed';
  /** Why, the rest of a sentence about the object; empty for a ready one. */
  readonly why: string;
}

const READY: Readiness = { state: 'ready', why: '' };

/**
 * Whether an object is ready, by the rule of its kind. An object whose controller has not seen its last change is never
 * ready. Kinds without status are ready when they exist. Custom objects follow the conventions of Kubernetes: the
 * conditions `Ready`, `Available`, `Stalled` and `Reconciling`, and `status.observedGeneration`.
 */
export function objectReadiness(object: KubernetesObject): Readiness {
  const status = new Fields(object['status']);
  const { generation } = object.metadata;
  const observed = status.number('observedGeneration');
  if (generation !== undefined && observed !== undefined && observed < generation) {
    return waiting('its controller has not seen the last change');
  }
  const rule = RULES[`${object.kind}.${groupOf(object.apiVersion)}`];
  if (rule !== undefined) return rule(new Fields(object['spec']), status, object);
  return applyStepOf(object) === 'workloads' ? byConditions(status) : READY;
}

type Rule = (spec: Fields, status: Fields, object: KubernetesObject) => Readiness;

const RULES: Readonly<Record<string, Rule>> = {
  'Deployment.apps': (spec, status) => {
    const progress = status.condition('Progressing');
    if (progress?.reason === 'ProgressDeadlineExceeded') return failed('it made no progress before its own deadline');
    return replicas(spec.number('replicas') ?? 1, status);
  },
  'StatefulSet.apps': (spec, status) => {
    const wanted = spec.number('replicas') ?? 1;
    if (status.number('observedGeneration') === undefined) return waiting('its controller has not seen it');
    const strategy = spec.fields('updateStrategy');
    if (strategy.text('type') === 'OnDelete') return counted(status.number('readyReplicas') ?? 0, wanted, 'ready');
    const partition = strategy.fields('rollingUpdate').number('partition') ?? 0;
    const updated = counted(status.number('updatedReplicas') ?? 0, Math.max(0, wanted - partition), 'updated');
    if (updated.state !== 'ready') return updated;
    if (partition === 0 && wanted > 0 && status.text('currentRevision') !== status.text('updateRevision')) {
      return waiting('pods of the revision before are still there');
    }
    return counted(status.number('readyReplicas') ?? 0, wanted, 'ready');
  },
  'DaemonSet.apps': (spec, status) => {
    if (status.number('observedGeneration') === undefined) return waiting('its controller has not seen it');
    const wanted = status.number('desiredNumberScheduled') ?? 0;
    if (spec.fields('updateStrategy').text('type') !== 'OnDelete') {
      const updated = counted(status.number('updatedNumberScheduled') ?? 0, wanted, 'updated');
      if (updated.state !== 'ready') return updated;
    }
    return counted(status.number('numberAvailable') ?? 0, wanted, 'available');
  },
  'ReplicaSet.apps': (spec, status) =>
    counted(status.number('availableReplicas') ?? 0, spec.number('replicas') ?? 1, 'available'),
  'Job.batch': (spec, status) => {
    const failure = status.condition('Failed');
    if (failure?.status === 'True') return failed(`it failed: ${failure.message || failure.reason}`);
    if (status.condition('Complete')?.status === 'True' || spec.get('suspend') === true) return READY;
    return waiting(`${status.number('succeeded') ?? 0} of ${spec.number('completions') ?? 1} pods have completed`);
  },
  'CronJob.batch': () => READY,
  'CustomResourceDefinition.apiextensions.k8s.io': (_spec, status) => {
    const names = status.condition('NamesAccepted');
    if (names?.status === 'False') return failed(`its names are not accepted: ${names.message}`);
    return status.condition('Established')?.status === 'True' ? READY : waiting('it is not established');
  },
  'Namespace.': (_spec, status) => (status.text('phase') === 'Terminating' ? failed('it is being deleted') : READY),
  'Pod.': (_spec, status) => {
    if (status.text('phase') === 'Succeeded' || status.condition('Ready')?.status === 'True') return READY;
    return status.text('phase') === 'Failed' ? failed('it failed') : waiting('it is not ready');
  },
  'Service.': (spec, status) => {
    const hasAddress = status.fields('loadBalancer').list('ingress').length > 0;
    return spec.text('type') === 'LoadBalancer' && !hasAddress ? waiting('it has no address yet') : READY;
  },
  'PersistentVolumeClaim.': (_spec, status) =>
    // a claim may wait for the first pod that uses it
    status.text('phase') === 'Lost' ? failed('its volume is lost') : READY,
};

/** Reasons for which a container waits that do not pass by themselves. The first failure to pull an image may pass. */
const FATAL_REASONS: ReadonlySet<string> = new Set([
  'CrashLoopBackOff',
  'ImagePullBackOff',
  'ErrImageNeverPull',
  'InvalidImageName',
  'CreateContainerConfigError',
  'CreateContainerError',
  'RunContainerError',
]);

/** A container that was started again this often fails its deployment. */
export const MOST_RESTARTS = 3;

/** How often each container of a pod was started again, by its name. */
export type Restarts = Readonly<Record<string, number>>;

/** The restarts of a pod's whole life. */
export function restartsOf(pod: KubernetesObject): Restarts {
  return Object.fromEntries(
    containersOf(pod).map((container) => [container.text('name') ?? '', container.number('restartCount') ?? 0]),
  );
}

/**
 * Why a pod will not become ready, the rest of a sentence about it: a loop of crashes, an image that cannot be had,
 * restarts in addition to those of `before`; null while there is hope. `kubectl rollout status` waits through all of these
 * until its timeout.
 */
export function problemOfPod(pod: KubernetesObject, before: Restarts = {}): string | null {
  for (const container of containersOf(pod)) {
    const name = container.text('name') ?? '';
    const state = container.fields('state').fields('waiting');
    const reason = state.text('reason');
    const message = state.text('message');
    if (reason !== undefined && FATAL_REASONS.has(reason)) {
      return `its container ${name} waits: ${reason}${message === undefined ? '' : ` (${message})`}`;
    }
    const restarts = (container.number('restartCount') ?? 0) - (before[name] ?? 0);
    if (restarts >= MOST_RESTARTS) {
      return `its container ${name} was started again ${restarts} times${lastEndOf(container)}`;
    }
  }
  return null;
}

/** How a container ended before it was started again, the rest of a sentence; empty where that is not known. */
function lastEndOf(container: Fields): string {
  const end = container.fields('lastState').fields('terminated');
  const code = end.number('exitCode');
  const reason = end.text('reason');
  if (code === undefined) return '';
  return `; it ended with exit code ${code}${reason === undefined ? '' : ` (${reason})`}`;
}

function containersOf(pod: KubernetesObject): readonly Fields[] {
  const status = new Fields(pod['status']);
  return [...status.list('initContainerStatuses'), ...status.list('containerStatuses')];
}

function replicas(wanted: number, status: Fields): Readiness {
  if (status.number('observedGeneration') === undefined) return waiting('its controller has not seen it');
  const updated = status.number('updatedReplicas') ?? 0;
  const current = status.number('replicas') ?? 0;
  const enough = counted(updated, wanted, 'updated');
  if (enough.state !== 'ready') return enough;
  if (current > updated) return waiting(`${current - updated} pods of the revision before are still there`);
  return counted(status.number('availableReplicas') ?? 0, updated, 'available');
}

function byConditions(status: Fields): Readiness {
  const stalled = status.condition('Stalled');
  if (stalled?.status === 'True') return failed(`it is stalled: ${stalled.message || stalled.reason}`);
  if (status.condition('Reconciling')?.status === 'True') return waiting('it is being reconciled');
  for (const type of ['Ready', 'Available']) {
    const condition = status.condition(type);
    if (condition !== undefined && condition.status !== 'True') {
      return waiting(`its condition ${type} is ${condition.status}: ${condition.message || condition.reason}`);
    }
  }
  return READY;
}

function counted(have: number, wanted: number, what: string): Readiness {
  return have >= wanted ? READY : waiting(`${have} of ${wanted} pods are ${what}`);
}

function waiting(why: string): Readiness {
  return { state: 'waiting', why };
}

function failed(why: string): Readiness {
  return { state: 'failed', why };
}

/** Reads fields of a JSON value that may have any form. */
class Fields {
  readonly #value: Readonly<Record<string, unknown>>;

  constructor(value: unknown) {
    this.#value = typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : {};
  }

  get(name: string): unknown {
    return this.#value[name];
  }

  number(name: string): number | undefined {
    const value = this.#value[name];
    return typeof value === 'number' ? value : undefined;
  }

  text(name: string): string | undefined {
    const value = this.#value[name];
    return typeof value === 'string' ? value : undefined;
  }

  fields(name: string): Fields {
    return new Fields(this.#value[name]);
  }

  list(name: string): readonly Fields[] {
    const value = this.#value[name];
    return Array.isArray(value) ? value.map((each) => new Fields(each)) : [];
  }

  condition(type: string): { readonly status: string; readonly reason: string; readonly message: string } | undefined {
    const found = this.list('conditions').find((each) => each.text('type') === type);
    if (found === undefined) return undefined;
    return {
      status: found.text('status') ?? 'Unknown',
      reason: found.text('reason') ?? '',
      message: found.text('message') ?? '',
    };
  }
}
