import { describe, expect, test } from 'vitest';
import { comesBeforeCanary } from '../../../../activities/release/deployment/apply-service.ts';
import { strangeCanaries, wantedCanaries } from '../../../../activities/release/deployment/plan-canaries.ts';
import type { PlannedObject } from '../../../../activities/release/deployment/deployment-objects.ts';
import { kubernetesKeyOf, type KubernetesObject } from '../../../../domain/kubernetes/object.ts';
import { environmentsFile } from '../../../../domain/release/contracts/environments.schema.ts';
import { canaryOf, canaryReplicas, nameOfStable } from '../../../../domain/release/deployment/canary.ts';

const deployment = (image: string, name = 'api'): KubernetesObject => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name, namespace: 'shop', labels: { team: 'a' } },
  spec: {
    replicas: 5,
    selector: { matchLabels: { app: 'api' } },
    template: { metadata: { labels: { app: 'api' } }, spec: { containers: [{ name: 'app', image }] } },
  },
});

function environmentOf(service: object) {
  const services = { api: { manifests: { folder: 'k8s' }, ...service } };
  const [environment] = environmentsFile.parse({
    environments: [{ name: 'main', context: 'test', namespace: 'shop', services }],
  }).environments;
  if (environment === undefined) throw new Error('no environment');
  return environment;
}

const planned = (before: KubernetesObject | null, after: KubernetesObject, more: Partial<PlannedObject> = {}) => ({
  service: 'api',
  action: before === null ? ('create' as const) : ('update' as const),
  key: { context: 'test', ...kubernetesKeyOf(after) },
  apiVersion: after.apiVersion,
  before,
  wanted: after,
  written: before && after,
  ...more,
});

test('a canary has the pods of its Deployment, and a label of its own', () => {
  expect(canaryOf(deployment('api:2'))).toEqual({
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'api-canary', namespace: 'shop', labels: { team: 'a' } },
    spec: {
      replicas: 1,
      selector: { matchLabels: { app: 'api', 'longhaul/track': 'canary' } },
      template: {
        metadata: { labels: { app: 'api', 'longhaul/track': 'canary' } },
        spec: { containers: [{ name: 'app', image: 'api:2' }] },
      },
    },
  });
  expect(nameOfStable('api-canary')).toBe('api');
});

test.each([
  [10, 10, 1],
  [10, 11, 2],
  [5, 50, 3],
  [100, 99, 99],
  [1, 1, 1],
  [0, 50, 1],
])('of %i pods, %i percent are %i', (stable, percent, pods) => {
  expect(canaryReplicas(stable, percent)).toBe(pods);
});

test.each<[string, string, 'create' | 'update', boolean]>([
  ['ConfigMap', 'v1', 'create', true],
  ['ConfigMap', 'v1', 'update', true],
  ['Service', 'v1', 'create', true],
  // its selector may match only pods of the new release
  ['Service', 'v1', 'update', false],
  ['Deployment', 'apps/v1', 'update', false],
  ['Ingress', 'networking.k8s.io/v1', 'create', false],
])('a %s of %s that a release has to %s comes before the canary: %s', (kind, apiVersion, action, isBefore) => {
  const wanted = { apiVersion, kind, metadata: { name: 'api', namespace: 'shop' } };
  expect(comesBeforeCanary({ action, wanted })).toBe(isBefore);
});

describe('a plan', () => {
  const environment = environmentOf({ canary: { steps: ['10%', '50%'], every: '5m' } });
  const [old, next] = [deployment('api:1'), deployment('api:2')];
  const names = (objects: readonly PlannedObject[], of = environment): readonly string[] =>
    wantedCanaries(of, objects, { goBack: false, problems: [] }).map(
      ({ service, object }) => `${service} ${object.metadata.name}`,
    );

  test('has a canary for each Deployment whose pods change', () => {
    expect(names([planned(old, next)])).toEqual(['api/canary api-canary']);
    // the server could not say what becomes of it
    expect(names([planned(old, next, { written: null })])).toEqual(['api/canary api-canary']);
    expect(names([planned(null, next)])).toEqual([]);
    expect(names([planned(old, { ...old, metadata: { ...old.metadata, labels: { team: 'b' } } })])).toEqual([]);
    expect(
      names([planned(old, next, { key: { context: 'test', ...kubernetesKeyOf(next), kind: 'StatefulSet' } })]),
    ).toEqual([]);
    expect(names([planned(old, next)], environmentOf({}))).toEqual([]);
  });

  test('that goes back has none', () => {
    expect(wantedCanaries(environment, [planned(old, next)], { goBack: true, problems: [] })).toEqual([]);
  });

  test.each<[string, object]>([
    ['is made anew', { strategy: { type: 'Recreate' } }],
    ['has no pods', { replicas: 0 }],
  ])('has none of a Deployment that %s, before or after', (_name, more) => {
    const such = (object: KubernetesObject) => ({ ...object, spec: { ...(object['spec'] as object), ...more } });
    expect(names([planned(old, such(next))])).toEqual([]);
    expect(names([planned(such(old), next)])).toEqual([]);
  });

  test('is refused where a name is taken', () => {
    const problems: string[] = [];
    wantedCanaries(environment, [planned(old, next), planned(null, deployment('x', 'api-canary'))], {
      goBack: false,
      problems,
    });
    expect(problems).toEqual([expect.stringContaining('has the name of the canary of')]);
    const canary = planned(canaryOf(old), canaryOf(next));
    expect(strangeCanaries([canary], [], 'test')).toEqual([expect.stringContaining('no deployment has made it')]);
    const item = { ...canary.key, apiVersion: 'apps/v1', service: 'api/canary' };
    expect(strangeCanaries([canary], [item], 'test')).toEqual([]);
    expect(strangeCanaries([planned(null, canaryOf(next))], [], 'test')).toEqual([]);
  });

  test.each([['50%', '10%'], ['10%', '10%'], ['0%'], ['100%'], ['10'], ['1.5%'], []])(
    'has no steps such as %j',
    (...steps) => {
      expect(() => environmentOf({ canary: { steps } })).toThrow('steps');
    },
  );
});
