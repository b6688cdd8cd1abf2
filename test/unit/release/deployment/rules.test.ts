import { createHmac } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { inApplyOrder } from '../../../../domain/kubernetes/apply-order.ts';
import { removedFrom } from '../../../../domain/release/deployment/inventory.ts';
import { irreversible } from '../../../../domain/kubernetes/irreversible.ts';
import { masked, withoutValues } from '../../../../domain/kubernetes/masked.ts';
import { kubernetesKeyOf, type KubernetesObject, objectName } from '../../../../domain/kubernetes/object.ts';
import { placedName } from '../../../../domain/kubernetes/placed.ts';
import { startable } from '../../../../domain/shared/startable.ts';

function object(apiVersion: string, kind: string, name = 'api', rest: object = {}): KubernetesObject {
  return { apiVersion, kind, metadata: { name, namespace: 'shop' }, ...rest };
}

describe('the order of kinds', () => {
  it('applies what others need first, and keeps the order inside a step', () => {
    const given = [
      object('autoscaling/v2', 'HorizontalPodAutoscaler'),
      object('networking.k8s.io/v1', 'Ingress'),
      object('shop.example/v1', 'Cart'),
      object('apps/v1', 'Deployment'),
      object('v1', 'Service'),
      object('v1', 'Secret'),
      object('v1', 'ConfigMap'),
      object('rbac.authorization.k8s.io/v1', 'Role'),
      object('apiextensions.k8s.io/v1', 'CustomResourceDefinition'),
      object('v1', 'Namespace'),
    ];
    expect(inApplyOrder(given).map(({ kind }) => kind)).toEqual([
      'Namespace',
      'CustomResourceDefinition',
      'Role',
      'Secret',
      'ConfigMap',
      'Service',
      'Cart',
      'Deployment',
      'Ingress',
      'HorizontalPodAutoscaler',
    ]);
  });
});

describe('the inventory', () => {
  const item = (name: string, service = 'api', context = 'test') =>
    ({ context, group: '', kind: 'ConfigMap', namespace: 'shop', name, apiVersion: 'v1', service }) as const;

  it('lists what the release before had and this one has not, the last one first', () => {
    const before = [item('one'), item('two'), item('three')];
    expect(removedFrom(before, [item('two')]).map(({ name }) => name)).toEqual(['three', 'one']);
  });

  it('has an object of each cluster: one that moved to another is deleted where it was', () => {
    const before = [item('one'), item('two', 'web', 'eu'), item('one', 'web', 'eu')];
    const now = [item('one'), item('two', 'web'), item('one', 'web', 'us')];
    expect(removedFrom(before, now)).toEqual([item('one', 'web', 'eu'), item('two', 'web', 'eu')]);
    expect(placedName(item('one', 'web', 'eu'), 'test')).toBe('configmap/one in shop (context eu)');
    expect(placedName(item('one'), 'test')).toBe('configmap/one in shop');
  });

  it('keeps an object that moved to another service, or to another version of its API', () => {
    const moved = {
      context: 'test',
      ...kubernetesKeyOf(object('apps/v2', 'Deployment')),
      apiVersion: 'apps/v2',
      service: 'web',
    };
    const before = {
      context: 'test',
      ...kubernetesKeyOf(object('apps/v1', 'Deployment')),
      apiVersion: 'apps/v1',
      service: 'api',
    };
    expect(removedFrom([before], [moved])).toEqual([]);
  });

  it('names an object as people do', () => {
    expect(objectName(kubernetesKeyOf(object('apps/v1', 'Deployment')))).toBe('deployment.apps/api in shop');
    expect(objectName({ group: '', kind: 'Namespace', namespace: '', name: 'shop' })).toBe('namespace/shop');
  });
});

describe('services in the order of their needs', () => {
  const services = [
    { name: 'web', needs: ['api'] },
    { name: 'api', needs: ['db'] },
    { name: 'db', needs: [] },
    { name: 'mail', needs: [] },
  ];

  it('starts independent ones at once, and the others when what they need is done', () => {
    const names = (done: readonly string[], running: readonly string[]) =>
      startable(services, new Set(done), new Set(running)).map(({ name }) => name);
    expect(names([], [])).toEqual(['db', 'mail']);
    expect(names([], ['db', 'mail'])).toEqual([]);
    expect(names(['db'], ['mail'])).toEqual(['api']);
    expect(names(['db', 'mail', 'api'], [])).toEqual(['web']);
    expect(names(['db', 'mail', 'api', 'web'], [])).toEqual([]);
  });
});

describe('what cannot be undone', () => {
  const definition = (stored: readonly string[], versions: readonly string[]) =>
    object('apiextensions.k8s.io/v1', 'CustomResourceDefinition', 'carts.shop.example', {
      spec: { versions: versions.map((name) => ({ name })) },
      status: { storedVersions: stored },
    });

  it.each([
    ['PersistentVolumeClaim', 'its data would be lost'],
    ['Namespace', 'everything in it would be deleted, also what is not of this release'],
  ])('a deleted %s', (kind, why) => {
    expect(irreversible({ change: 'delete', before: object('v1', kind), after: null })).toBe(why);
    expect(irreversible({ change: 'update', before: object('v1', kind), after: object('v1', kind) })).toBeNull();
  });

  it('a deleted definition with objects of others, and one that drops a version in which objects are stored', () => {
    const before = definition(['v1'], ['v1', 'v2']);
    expect(irreversible({ change: 'delete', before, after: null, foreign: [] })).toBeNull();
    expect(irreversible({ change: 'delete', before, after: null, foreign: ['carts/a in x'] })).toContain(
      'carts/a in x',
    );
    expect(irreversible({ change: 'update', before, after: definition([], ['v2']) })).toContain('stored as v1');
    expect(irreversible({ change: 'update', before, after: definition([], ['v1']) })).toBeNull();
  });

  it.each([
    ['deleted with its claims', 'delete', 3, null, { whenDeleted: 'Delete' }, 'its claims would be deleted with it'],
    ['deleted', 'delete', 3, null, { whenScaled: 'Delete' }, null],
    [
      'scaled down without its claims',
      'update',
      3,
      1,
      { whenScaled: 'Delete' },
      'the claims of 2 pods would be deleted',
    ],
    ['scaled down', 'update', 3, 1, { whenDeleted: 'Delete' }, null],
    ['scaled up', 'update', 1, 3, { whenScaled: 'Delete' }, null],
    ['deleted, by default', 'delete', 3, null, undefined, null],
  ] as const)('a StatefulSet that is %s', (_name, change, had, has, policy, why) => {
    const set = (replicas: number, claims: readonly object[]): KubernetesObject =>
      object('apps/v1', 'StatefulSet', 'db', {
        spec: { replicas, volumeClaimTemplates: claims, persistentVolumeClaimRetentionPolicy: policy },
      });
    const found = (claims: readonly object[]): string | null =>
      irreversible({ change, before: set(had, claims), after: has === null ? null : set(has, claims) });
    const claim = { metadata: { name: 'data' }, spec: { accessModes: ['ReadWriteOnce'] } };
    expect(found([claim]) ?? 'it can').toContain(why ?? 'it can');
    expect(found([])).toBeNull();
  });

  it('a deleted Deployment or Secret can be created again', () => {
    expect(irreversible({ change: 'delete', before: object('apps/v1', 'Deployment'), after: null })).toBeNull();
    expect(irreversible({ change: 'delete', before: object('v1', 'Secret'), after: null })).toBeNull();
  });
});

describe('masked secrets', () => {
  const digestOf = (value: string): string => createHmac('sha256', 'key').update(value).digest('hex');

  it('shows that a value differs, and not the value, also where kubectl keeps what was applied', () => {
    const secret: KubernetesObject = {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: {
        name: 'db',
        annotations: {
          'kubectl.kubernetes.io/last-applied-configuration': '{"data":{"password":"aHVudGVyMg=="}}',
          team: 'a',
        },
      },
      data: { password: 'aHVudGVyMg==' },
      stringData: { user: 'hunter' },
    };
    const shown = JSON.stringify(masked(secret, digestOf));
    expect(shown).not.toContain('aHVudGVyMg==');
    expect(shown).not.toContain('"hunter"');
    expect(shown).toContain('"team":"a"');
    const other = { ...secret, data: { password: 'b3RoZXI=' } };
    expect(masked({ ...secret }, digestOf)).toEqual(masked(secret, digestOf));
    expect(masked(other, digestOf)['data']).not.toEqual(masked(secret, digestOf)['data']);
  });

  it('leaves values out of messages, as they are and encoded', () => {
    const value = 'a "password"\nof+the/shop';
    const data = { password: Buffer.from(value).toString('base64'), user: 'shop' };
    const stringData = { pin: 4815162342, more: { nested: ['in a list'] } };
    const secret = object('v1', 'Secret', 'login', { data, stringData });
    const message = `a ${value} b ${JSON.stringify(value)} c ${encodeURIComponent(value)} d ${data.password} e [4815162342 in a list] shop`;
    expect(withoutValues(message, [object('v1', 'Service'), secret])).toBe(
      'a (secret) b "(secret)" c (secret) d (secret) e [(secret) (secret)] shop',
    );
    expect(withoutValues(message, [{ ...secret, kind: 'ConfigMap' }])).toBe(message);
  });

  it('leaves other objects as they are', () => {
    const map = object('v1', 'ConfigMap', 'settings', { data: { password: 'plain' } });
    expect(masked(map, digestOf)).toBe(map);
    const custom = object('shop.example/v1', 'Secret', 'own', { data: { a: 'b' } });
    expect(masked(custom, digestOf)).toBe(custom);
  });
});
