import { expect, test } from 'vitest';
import type { Cluster } from '../../../activities/kubernetes/cluster.ts';
import { kubectlFailure } from '../../../activities/kubernetes/kubectl.ts';
import { undoObject } from '../../../activities/kubernetes/undo-object.ts';
import type { KubernetesObject } from '../../../domain/kubernetes/object.ts';

const settings = (mode: string): KubernetesObject => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name: 'settings', namespace: 'shop', uid: 'u', resourceVersion: '7' },
  data: { mode },
});

/** A cluster with this object, whose webhook is out of order for the first writes. */
function clusterWith(object: KubernetesObject, failures: number, said: string) {
  let now = object;
  let writes = 0;
  const cluster: Pick<Cluster, 'read' | 'replace'> = {
    read: async () => [now],
    async replace(next) {
      if (++writes <= failures) throw kubectlFailure('staging', 'replace', said);
      now = next;
      return now;
    },
  };
  return { cluster: cluster as Cluster, writes: () => writes };
}

const change = { before: settings('one'), written: settings('two') };
const refused = 'dial tcp 10.0.0.7:443: connect: connection refused';

test('an undo waits for a webhook that is starting', async () => {
  const said = `Error from server (InternalError): Internal error occurred: failed calling webhook "check": ${refused}`;
  const { cluster, writes } = clusterWith(settings('two'), 1, said);
  expect(await undoObject(cluster, change, () => true)).toEqual({ end: 'restored', kept: [] });
  expect(writes()).toBe(2);
});

test('an undo leaves it to its caller to wait for the server', async () => {
  const { cluster, writes } = clusterWith(settings('two'), 1, `Unable to connect to the server: ${refused}`);
  await expect(undoObject(cluster, change, () => true)).rejects.toMatchObject({ type: 'ClusterUnavailable' });
  expect(writes()).toBe(1);
});

test('a repeated undo of a DaemonSet lists nothing as changed by others: the server counts its templates', async () => {
  const set = (image: string, generation: string): KubernetesObject => ({
    apiVersion: 'apps/v1',
    kind: 'DaemonSet',
    metadata: { name: 'agent', uid: 'u', annotations: { 'deprecated.daemonset.template.generation': generation } },
    spec: { image },
  });
  const { cluster, writes } = clusterWith(set('agent:1', '3'), 0, '');
  const undone = await undoObject(cluster, { before: set('agent:1', '1'), written: set('agent:2', '2') }, () => true);
  expect(undone).toEqual({ end: 'unchanged', kept: [] });
  expect(writes()).toBe(0);
});
