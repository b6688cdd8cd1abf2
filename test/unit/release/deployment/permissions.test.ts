import { expect, test } from 'vitest';
import type { Cluster, Permission } from '../../../../activities/kubernetes/cluster.ts';
import {
  missingPermissions,
  neededPermissions,
  permissionsForClaims,
} from '../../../../activities/release/deployment/permissions.ts';
import { kubernetesKeyOf, type KubernetesObject } from '../../../../domain/kubernetes/object.ts';

const KINDS = [
  { apiVersion: 'apps/v1', kind: 'Deployment', plural: 'deployments', isNamespaced: true },
  { apiVersion: 'apps/v1', kind: 'StatefulSet', plural: 'statefulsets', isNamespaced: true },
  { apiVersion: 'v1', kind: 'ConfigMap', plural: 'configmaps', isNamespaced: true },
];

/** A cluster whose account may not do some things. */
function clusterWithout(...lost: readonly string[]): Cluster {
  const cluster: Pick<Cluster, 'kinds' | 'may'> = {
    kinds: async (apiVersion) => KINDS.filter((each) => each.apiVersion === apiVersion),
    may: async (asked) => asked.map((permission) => !lost.includes(sentence(permission))),
  };
  return cluster as Cluster;
}

const sentence = ({ verb, resource, namespace }: Permission): string => `${verb} ${resource} in ${namespace}`;

function object(apiVersion: string, kind: string, namespace?: string): KubernetesObject {
  return { apiVersion, kind, metadata: { name: 'api', ...(namespace === undefined ? {} : { namespace }) } };
}

test('pods are listed where their workloads are, and ReplicaSets of Deployments', async () => {
  const objects = [
    object('apps/v1', 'Deployment', 'agents'),
    object('apps/v1', 'Deployment', 'agents'),
    object('apps/v1', 'StatefulSet'),
    object('v1', 'ConfigMap', 'elsewhere'),
  ];
  const stays = object('apps/v1', 'Deployment', 'before');
  const unchanged = [{ apiVersion: stays.apiVersion, key: kubernetesKeyOf(stays) }];
  const needed = await neededPermissions(clusterWithout(), objects, 'shop', unchanged);
  expect(needed.filter(({ verb }) => verb === 'list').map(sentence)).toEqual([
    'list pods in agents',
    'list replicasets.apps in agents',
    'list pods in shop',
    'list pods in before',
    'list replicasets.apps in before',
  ]);
  const cluster = clusterWithout('list replicasets.apps in agents', 'update configmaps in elsewhere');
  expect(await missingPermissions(cluster, needed)).toEqual([
    'The account of the context may not update configmaps in elsewhere.',
    'The account of the context may not list replicasets.apps in agents.',
  ]);
});

test('an undo needs the claims of a StatefulSet that deletes them', () => {
  const set = (whenDeleted: string, claims: readonly object[]): KubernetesObject => ({
    ...object('apps/v1', 'StatefulSet'),
    spec: { volumeClaimTemplates: claims, persistentVolumeClaimRetentionPolicy: { whenDeleted } },
  });
  const [data, needed] = [[{ metadata: { name: 'data' } }], permissionsForClaims];
  expect(needed([set('Retain', data), set('Delete', []), object('apps/v1', 'Deployment')], 'shop')).toEqual([]);
  expect(needed([set('Delete', data), set('Delete', data)], 'shop').map(sentence)).toEqual([
    'get persistentvolumeclaims in shop',
    'list persistentvolumeclaims in shop',
    'update persistentvolumeclaims in shop',
    'delete persistentvolumeclaims in shop',
  ]);
});
