import { describe, expect, it } from 'vitest';
import type { KubernetesObject } from '../../../domain/kubernetes/object.ts';
import { objectReadiness, problemOfPod, restartsOf } from '../../../domain/kubernetes/readiness.ts';

function object(apiVersion: string, kind: string, rest: object, generation = 2): KubernetesObject {
  return { apiVersion, kind, metadata: { name: 'api', generation }, ...rest };
}

const deployment = (status: object, replicas: number | undefined = 3) =>
  object('apps/v1', 'Deployment', { spec: { replicas }, status });

describe('readiness by kind', () => {
  const rolledOut = { observedGeneration: 2, replicas: 3, updatedReplicas: 3, availableReplicas: 3 };
  const stateful = {
    observedGeneration: 2,
    updatedReplicas: 3,
    readyReplicas: 3,
    currentRevision: 'b',
    updateRevision: 'b',
  };
  const daemons = { observedGeneration: 2, desiredNumberScheduled: 2, updatedNumberScheduled: 2, numberAvailable: 2 };

  it.each<[string, KubernetesObject, 'ready' | 'waiting' | 'failed', string]>([
    ['a Deployment that is rolled out', deployment(rolledOut), 'ready', ''],
    ['one whose last change is not seen', deployment({ ...rolledOut, observedGeneration: 1 }), 'waiting', 'not seen'],
    ['one that no controller has seen', deployment({}), 'waiting', 'not seen'],
    [
      'one with too few new pods',
      deployment({ ...rolledOut, updatedReplicas: 2 }),
      'waiting',
      '2 of 3 pods are updated',
    ],
    ['one with old pods', deployment({ ...rolledOut, replicas: 4 }), 'waiting', '1 pods of the revision before'],
    ['one with pods that are not available', deployment({ ...rolledOut, availableReplicas: 1 }), 'waiting', '1 of 3'],
    [
      'one without progress',
      deployment({
        ...rolledOut,
        conditions: [{ type: 'Progressing', status: 'False', reason: 'ProgressDeadlineExceeded' }],
      }),
      'failed',
      'no progress',
    ],
    ['one that is scaled to none', deployment({ observedGeneration: 2 }, 0), 'ready', ''],
    ['a StatefulSet', object('apps/v1', 'StatefulSet', { spec: { replicas: 3 }, status: stateful }), 'ready', ''],
    [
      'a StatefulSet with pods of two revisions',
      object('apps/v1', 'StatefulSet', { spec: { replicas: 3 }, status: { ...stateful, currentRevision: 'a' } }),
      'waiting',
      'revision before',
    ],
    [
      'a StatefulSet that is updated up to its partition',
      object('apps/v1', 'StatefulSet', {
        spec: { replicas: 3, updateStrategy: { type: 'RollingUpdate', rollingUpdate: { partition: 2 } } },
        status: { ...stateful, currentRevision: 'a', updatedReplicas: 1 },
      }),
      'ready',
      '',
    ],
    ['a DaemonSet', object('apps/v1', 'DaemonSet', { spec: {}, status: daemons }), 'ready', ''],
    [
      'a DaemonSet with a node left',
      object('apps/v1', 'DaemonSet', { spec: {}, status: { ...daemons, updatedNumberScheduled: 1 } }),
      'waiting',
      '1 of 2 pods are updated',
    ],
    [
      'a Job that runs',
      object('batch/v1', 'Job', { spec: { completions: 2 }, status: { succeeded: 1 } }),
      'waiting',
      '1 of 2',
    ],
    [
      'a Job that is complete',
      object('batch/v1', 'Job', { spec: {}, status: { conditions: [{ type: 'Complete', status: 'True' }] } }),
      'ready',
      '',
    ],
    [
      'a Job that failed',
      object('batch/v1', 'Job', {
        spec: {},
        status: {
          conditions: [{ type: 'Failed', status: 'True', reason: 'BackoffLimitExceeded', message: 'too often' }],
        },
      }),
      'failed',
      'too often',
    ],
    ['a CronJob', object('batch/v1', 'CronJob', { spec: {} }), 'ready', ''],
    [
      'a definition that is established',
      object('apiextensions.k8s.io/v1', 'CustomResourceDefinition', {
        status: { conditions: [{ type: 'Established', status: 'True' }] },
      }),
      'ready',
      '',
    ],
    [
      'a definition that is new',
      object('apiextensions.k8s.io/v1', 'CustomResourceDefinition', {}),
      'waiting',
      'not established',
    ],
    [
      'a definition with the names of another',
      object('apiextensions.k8s.io/v1', 'CustomResourceDefinition', {
        status: { conditions: [{ type: 'NamesAccepted', status: 'False', message: 'in use' }] },
      }),
      'failed',
      'in use',
    ],
    ['a ConfigMap', object('v1', 'ConfigMap', {}), 'ready', ''],
    [
      'a Namespace that is being deleted',
      object('v1', 'Namespace', { status: { phase: 'Terminating' } }),
      'failed',
      'deleted',
    ],
    [
      'a load balancer without address',
      object('v1', 'Service', { spec: { type: 'LoadBalancer' } }),
      'waiting',
      'address',
    ],
    ['a custom object without conditions', object('shop.example/v1', 'Cart', {}), 'ready', ''],
    [
      'a custom object that is not ready',
      object('shop.example/v1', 'Cart', {
        status: { conditions: [{ type: 'Ready', status: 'False', reason: 'Filling' }] },
      }),
      'waiting',
      'Filling',
    ],
    [
      'a custom object that is stalled',
      object('shop.example/v1', 'Cart', {
        status: { conditions: [{ type: 'Stalled', status: 'True', message: 'no space' }] },
      }),
      'failed',
      'no space',
    ],
    [
      'a custom object whose controller is behind',
      object('shop.example/v1', 'Cart', {
        status: { observedGeneration: 1, conditions: [{ type: 'Ready', status: 'True' }] },
      }),
      'waiting',
      'not seen',
    ],
  ])('%s', (_name, given, state, why) => {
    const found = objectReadiness(given);
    expect(found.state).toBe(state);
    expect(found.why).toContain(why);
  });
});

describe('pods that will not become ready', () => {
  const pod = (container: object) =>
    object('v1', 'Pod', { status: { containerStatuses: [{ name: 'app', restartCount: 0, ...container }] } });

  it.each([
    [
      'a loop of crashes',
      { state: { waiting: { reason: 'CrashLoopBackOff', message: 'back-off' } } },
      'CrashLoopBackOff (back-off)',
    ],
    ['an image that cannot be had', { state: { waiting: { reason: 'ImagePullBackOff' } } }, 'ImagePullBackOff'],
    ['three restarts', { restartCount: 3, state: { running: {} } }, 'started again 3 times'],
    [
      'how it ended before its restarts',
      { restartCount: 4, state: { running: {} }, lastState: { terminated: { exitCode: 137, reason: 'OOMKilled' } } },
      'started again 4 times; it ended with exit code 137 (OOMKilled)',
    ],
  ])('%s', (_name, container, why) => {
    expect(problemOfPod(pod(container))).toContain(why);
    expect(objectReadiness(pod(container)).state).toBe('waiting');
  });

  it.each([
    ['two restarts', { restartCount: 2, state: { running: {} } }],
    ['the first failure to pull an image', { state: { waiting: { reason: 'ErrImagePull' } } }],
    ['a container that is being created', { state: { waiting: { reason: 'ContainerCreating' } } }],
  ])('not: %s', (_name, container) => {
    expect(problemOfPod(pod(container))).toBeNull();
    expect(objectReadiness(pod(container)).state).toBe('waiting');
  });

  it('counts restarts in addition to those of before', () => {
    const before = pod({ restartCount: 3, state: { running: {} } });
    expect(problemOfPod(before, restartsOf(before))).toBeNull();
    expect(problemOfPod(pod({ restartCount: 5, state: { running: {} } }), restartsOf(before))).toBeNull();
    expect(problemOfPod(pod({ restartCount: 6, state: { running: {} } }), restartsOf(before))).toContain(
      'again 3 times',
    );
  });

  it('looks at containers that run before the others too', () => {
    const status = { initContainerStatuses: [{ name: 'init', state: { waiting: { reason: 'CrashLoopBackOff' } } }] };
    expect(problemOfPod(object('v1', 'Pod', { status }))).toContain('init');
  });
});
