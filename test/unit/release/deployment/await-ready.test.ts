import { describe, expect, it } from 'vitest';
import type { Cluster, ObjectReference } from '../../../../activities/kubernetes/cluster.ts';
import {
  type AwaitedObject,
  awaitReady,
  type ReadyTask,
} from '../../../../activities/release/deployment/await-ready.ts';
import { kubernetesKeyOf, type KubernetesObject, objectName } from '../../../../domain/kubernetes/object.ts';

/**
 * What a cluster answers whose objects are these: one set for each time that objects are read, or listed; the last one
 * stays.
 */
function clusterOf(...times: readonly (readonly KubernetesObject[])[]): Pick<Cluster, 'read' | 'list'> {
  let [reads, lists] = [0, 0];
  const at = (look: number): readonly KubernetesObject[] => times[Math.min(look, times.length) - 1] ?? [];
  const nameOf = ({ apiVersion, kind, metadata }: ObjectReference): string =>
    objectName(kubernetesKeyOf({ apiVersion, kind, metadata }));
  return {
    async read(references) {
      const found = at(++reads);
      return references.map((each) => found.find((object) => nameOf(object) === nameOf(each)) ?? null);
    },
    async list(kinds) {
      const asked = kinds.split(',').map((each) => each.split('.')[0]);
      return at(++lists).filter(({ kind }) => asked.includes(`${kind.toLowerCase()}s`));
    },
  };
}

const BEGAN = Date.parse('2026-11-30T12:00:00Z');
const LONG_AGO = '2025-11-30T12:00:00Z';
const SINCE = '2026-11-30T12:00:05Z';

function ready(objects: readonly Omit<AwaitedObject, 'context'>[], cluster: Pick<Cluster, 'read' | 'list'>, ms = 0) {
  const task: ReadyTask = {
    objects: objects.map((each) => ({ ...each, context: 'test' })),
    home: 'test',
    until: Date.now() + ms,
    since: BEGAN,
    signal: new AbortController().signal,
  };
  return awaitReady({ of: () => cluster as Cluster, read: cluster.read }, task);
}

function workload(kind: string, status: object, metadata: object = {}): KubernetesObject {
  return {
    apiVersion: 'apps/v1',
    kind,
    metadata: { name: 'api', namespace: 'shop', uid: 'w', generation: 2, ...metadata },
    spec: { replicas: 5, selector: { matchLabels: { app: 'api' } } },
    status,
  };
}

function pod(name: string, restartCount: number, creationTimestamp: string, labels: object = {}): KubernetesObject {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name,
      namespace: 'shop',
      uid: `uid of ${name}`,
      creationTimestamp,
      labels: { app: 'api', ...labels },
    },
    status: {
      phase: 'Running',
      conditions: [{ type: 'Ready', status: 'True' }],
      containerStatuses: [{ name: 'app', ready: true, restartCount, state: { running: {} } }],
    },
  };
}

describe('restarts that are no fault of a deployment', () => {
  const daemons = workload(
    'DaemonSet',
    { observedGeneration: 2, desiredNumberScheduled: 2, updatedNumberScheduled: 1, numberAvailable: 2 },
    { annotations: { 'deprecated.daemonset.template.generation': '2' } },
  );
  const ofGeneration = (generation: string): object => ({ 'pod-template-generation': generation });

  it('of a DaemonSet are those of pods of the revision before', async () => {
    const pods = [pod('old', 9, SINCE, ofGeneration('1')), pod('new', 0, SINCE, ofGeneration('2'))];
    expect(await ready([daemons], clusterOf([daemons, ...pods]))).toMatchObject({ isReady: false, isFinal: false });
    const failing = [pod('old', 0, SINCE, ofGeneration('1')), pod('new', 3, SINCE, ofGeneration('2'))];
    const state = await ready([daemons], clusterOf([daemons, ...failing]));
    expect(state.isFinal).toBe(true);
    expect(state.why).toEqual(['daemonset.apps/api in shop: the pod new: its container app was started again 3 times']);
  });

  const scaled = workload(
    'Deployment',
    { observedGeneration: 2, replicas: 5, updatedReplicas: 5, availableReplicas: 3 },
    { annotations: { 'deployment.kubernetes.io/revision': '7' } },
  );
  const set: KubernetesObject = {
    apiVersion: 'apps/v1',
    kind: 'ReplicaSet',
    metadata: {
      name: 'api-5d',
      namespace: 'shop',
      labels: { app: 'api', 'pod-template-hash': '5d' },
      annotations: { 'deployment.kubernetes.io/revision': '7' },
      ownerReferences: [{ kind: 'Deployment', name: 'api', uid: 'w' }],
    },
  };
  const hash = { 'pod-template-hash': '5d' };

  it('of a Deployment that is scaled are those of pods that it had before', async () => {
    const old = (restarts: number): KubernetesObject => pod('old', restarts, LONG_AGO, hash);
    expect(await ready([scaled], clusterOf([scaled, set, old(3)]))).toMatchObject({ isFinal: false });
    const again = await ready([scaled], clusterOf([scaled, set, old(3)], [scaled, set, old(6)]), 60_000);
    expect(again).toMatchObject({ isFinal: true, why: [expect.stringContaining('started again 3 times') as string] });
    const fresh = pod('fresh', 3, SINCE, hash);
    expect(await ready([scaled], clusterOf([scaled, set, fresh]))).toMatchObject({ isFinal: true });
  });

  it('are those of pods of the revision before while the controller has not seen the change', async () => {
    const broken = {
      ...pod('old', 0, SINCE, hash),
      status: { containerStatuses: [{ name: 'app', state: { waiting: { reason: 'CrashLoopBackOff' } } }] },
    };
    const status = { observedGeneration: 1, replicas: 5, updatedReplicas: 5, availableReplicas: 5 };
    const unseen = { ...scaled, status };
    expect(await ready([unseen], clusterOf([unseen, set, broken]))).toMatchObject({ isReady: false, isFinal: false });
    expect(await ready([scaled], clusterOf([scaled, set, broken]))).toMatchObject({ isFinal: true });
  });

  it('of a single pod are those of before, too', async () => {
    const starting = (restarts: number, created: string): KubernetesObject => ({
      ...pod('single', restarts, created),
      status: {
        phase: 'Running',
        containerStatuses: [{ name: 'app', restartCount: restarts, state: { running: {} } }],
      },
    });
    const [old, fresh] = [starting(3, LONG_AGO), starting(3, SINCE)];
    expect(await ready([old], clusterOf([old]))).toMatchObject({ isReady: false, isFinal: false });
    expect(await ready([fresh], clusterOf([fresh]))).toMatchObject({ isReady: false, isFinal: true });
  });
});

describe('a Job that its cluster removes', () => {
  const job = (spec: object, status: object = {}): KubernetesObject => ({
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: { name: 'migrate', namespace: 'shop', uid: 'j' },
    spec,
    status,
  });
  const complete = { conditions: [{ type: 'Complete', status: 'True' }] };
  const failing = { conditions: [{ type: 'Failed', status: 'True', reason: 'BackoffLimitExceeded' }] };
  const waits = workload('Deployment', { observedGeneration: 1 });

  it('is ready when it is gone after it was there', async () => {
    const seen = clusterOf([job({ ttlSecondsAfterFinished: 0 })], []);
    expect(await ready([job({})], seen, 60_000)).toEqual({ isReady: true, isFinal: false, why: [] });
    // another object is awaited meanwhile
    const done = clusterOf([job({}, complete), waits], [waits]);
    const { why, isFinal } = await ready([job({}), waits], done, 1_500);
    expect([why, isFinal]).toEqual([[expect.stringContaining('deployment.apps/api') as string], false]);
  });

  it('is ready when its manifest says so, also when it was never seen', async () => {
    expect(await ready([{ ...job({}), mayBeGone: true }], clusterOf([]))).toMatchObject({ isReady: true });
  });

  it('is not ready without a time after which it is removed, nor when it has failed', async () => {
    const gone = clusterOf([job({})], []);
    expect(await ready([job({})], gone, 60_000)).toMatchObject({
      isFinal: true,
      why: ['job.batch/migrate in shop is not there'],
    });
    const failed = clusterOf([job({ ttlSecondsAfterFinished: 60 }, failing)], []);
    expect(await ready([job({})], failed, 60_000)).toMatchObject({ isReady: false, isFinal: true });
  });
});
