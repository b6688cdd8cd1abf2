import { describe, expect, test } from 'vitest';
import { appliedFields } from '../../../../domain/kubernetes/applied-fields.ts';
import type { KubernetesObject } from '../../../../domain/kubernetes/object.ts';
import { podLabelsOf, selectorOf, selects } from '../../../../domain/kubernetes/selector.ts';
import { awayFrom, canaryOf, canaryService } from '../../../../domain/release/deployment/canary.ts';
import { backendsOf, sharesRequests, withShare } from '../../../../domain/release/deployment/canary-route.ts';

interface Ref {
  readonly name: string;
  readonly [field: string]: unknown;
}

const routeWith = (...rules: readonly (readonly Ref[])[]): KubernetesObject => ({
  apiVersion: 'gateway.networking.k8s.io/v1',
  kind: 'HTTPRoute',
  metadata: { name: 'shop', namespace: 'shop' },
  spec: { hostnames: ['shop.example'], rules: rules.map((backendRefs) => ({ backendRefs })) },
});

describe('a route', () => {
  test('shares the requests of each rule that sends to the Service, and nothing else', () => {
    const filters = [{ type: 'RequestHeaderModifier' }];
    const route = routeWith([{ name: 'api', port: 80, filters }], [{ name: 'admin' }], [{ name: 'api', weight: 7 }]);
    expect(withShare(route, { service: 'api', percent: 10 })).toEqual(
      routeWith(
        [
          { name: 'api', port: 80, filters, weight: 90 },
          { name: 'api-canary', port: 80, filters, weight: 10 },
        ],
        [{ name: 'admin' }],
        [
          { name: 'api', weight: 90 },
          { name: 'api-canary', weight: 10 },
        ],
      ),
    );
  });

  test('with the share of an earlier step gets that of the next one', () => {
    const route = routeWith([{ name: 'api', port: 80 }]);
    const earlier = withShare(route, { service: 'api', percent: 10 });
    expect(sharesRequests(earlier, 'api')).toBe(false);
    expect(withShare(earlier, { service: 'api', percent: 50 })).toEqual(
      withShare(route, { service: 'api', percent: 50 }),
    );
  });

  test.each<[string, Ref]>([
    ['of another namespace', { name: 'api', namespace: 'other' }],
    ['of another kind', { name: 'api', kind: 'Bucket', group: 'example.com' }],
    ['that gets no requests', { name: 'api', weight: 0 }],
  ])('does not send to a backend %s', (_name, ref) => {
    expect(backendsOf(routeWith([ref]))).toEqual([]);
    expect(withShare(routeWith([ref]), { service: 'api', percent: 10 })).toEqual(routeWith([ref]));
  });

  test('that sends to several backends in a rule is shared already', () => {
    expect(backendsOf(routeWith([{ name: 'api' }, { name: 'old' }], [{ name: 'api' }]))).toEqual(['api', 'old']);
    expect(sharesRequests(routeWith([{ name: 'api' }, { name: 'old' }]), 'api')).toBe(true);
    expect(sharesRequests(routeWith([{ name: 'api' }], [{ name: 'old' }]), 'api')).toBe(false);
  });
});

describe('a canary with a Service of its own', () => {
  const deployment: KubernetesObject = {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'api', namespace: 'shop' },
    spec: {
      selector: { matchLabels: { name: 'api' } },
      template: { metadata: { labels: { name: 'api', app: 'shop', tier: 'web' } }, spec: {} },
    },
  };
  const service = (selector: Readonly<Record<string, string>>): KubernetesObject => ({
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'api', namespace: 'shop', labels: { team: 'a' } },
    spec: {
      type: 'NodePort',
      clusterIP: '10.0.0.7',
      selector,
      ports: [{ name: 'http', port: 80, targetPort: 8080, nodePort: 30_080 }],
    },
  });

  test('is selected by that alone', () => {
    const [next, present] = [service({ tier: 'web', app: 'shop' }), service({ name: 'api' })];
    const canary = awayFrom(canaryOf(deployment), [next, present].map(selectorOf));
    const labels = podLabelsOf(canary) ?? {};
    expect(labels).toEqual({ name: 'api-canary', app: 'shop-canary', tier: 'web', 'longhaul/track': 'canary' });
    expect(canary['spec']).toMatchObject({
      selector: { matchLabels: { name: 'api-canary', 'longhaul/track': 'canary' } },
    });
    const own = canaryService(next, { name: 'api-canary', labels });
    expect(own).toEqual({
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'api-canary', namespace: 'shop', labels: { team: 'a' } },
      spec: {
        selector: { tier: 'web', app: 'shop-canary', 'longhaul/track': 'canary' },
        ports: [{ name: 'http', port: 80, targetPort: 8080 }],
      },
    });
    expect(selects(selectorOf(own), labels)).toBe(true);
    expect([next, present].some((each) => selects(selectorOf(each), labels))).toBe(false);
    expect(selects(selectorOf(own), podLabelsOf(deployment))).toBe(false);
  });

  test('has labels that Kubernetes takes', () => {
    const long = 'a'.repeat(63);
    const { spec } = deployment as unknown as { readonly spec: object };
    const named = { ...deployment, spec: { ...spec, template: { metadata: { labels: { app: long } } } } };
    const labels = podLabelsOf(awayFrom(canaryOf(named), [{ app: long }])) ?? {};
    expect(labels['app']).toHaveLength(63);
    expect(labels['app']).toMatch(/a-canary$/u);
  });
});

test('what a manager has applied of an object', () => {
  const route = routeWith([{ name: 'api' }]);
  const { metadata } = route;
  const owned = {
    manager: 'longhaul',
    operation: 'Apply',
    fieldsV1: {
      'f:metadata': { 'f:labels': { 'f:team': {} } },
      'f:spec': { 'f:rules': {}, 'f:gone': {} },
    },
  };
  const object = {
    ...route,
    metadata: {
      ...metadata,
      uid: '1',
      labels: { team: 'a', theirs: 'b' },
      managedFields: [{ ...owned, operation: 'Update', fieldsV1: { 'f:spec': { 'f:hostnames': {} } } }, owned],
    },
  };
  const { rules } = route['spec'] as { readonly rules: unknown };
  expect(appliedFields(object, 'longhaul')).toEqual({
    ...route,
    metadata: { ...metadata, labels: { team: 'a' } },
    spec: { rules },
  });
  expect(appliedFields(object, 'other')).toEqual({
    apiVersion: route.apiVersion,
    kind: route.kind,
    metadata,
  });
});
