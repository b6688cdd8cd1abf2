import { expect, test } from 'vitest';
import type { KubernetesObject } from '../../../domain/kubernetes/object.ts';
import type { Labels } from '../../../domain/kubernetes/selector.ts';
import { selectorChange, type WorkloadChange } from '../../../domain/kubernetes/selector-change.ts';

const service = (selector: Labels, more: object = {}): KubernetesObject => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name: 'api' },
  spec: { selector, ...more },
});
const workload = (own: Labels, labels: Labels = {}): KubernetesObject => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'api' },
  spec: { selector: { matchLabels: own }, template: { metadata: { labels: { ...own, ...labels } } } },
});
const change = (before: Labels, after: Labels, workloads: readonly WorkloadChange[]) =>
  selectorChange({ before: service(before), after: service(after) }, workloads);

const [v1, v2] = [
  { app: 'api', v: '1' },
  { app: 'api', v: '2' },
];
const replaced: WorkloadChange = { before: workload({ app: 'api' }, v1), after: workload({ app: 'api' }, v2) };
const same = (object: KubernetesObject): WorkloadChange => ({ before: object, after: object });

test('pods that stay match the new selector: it comes at once', () => {
  expect(change(v1, { app: 'api' }, [replaced])).toBe('at once');
  expect(change(v1, v2, [same(workload({ app: 'api' }, v2)), replaced])).toBe('at once');
});

test('a release knows no pods that match it: it comes at once', () => {
  expect(change(v1, { app: 'other' }, [replaced])).toBe('at once');
  expect(change({}, v2, [replaced])).toBe('at once');
  // an object without pods
  expect(change(v1, v2, [same(service(v2))])).toBe('at once');
});

test('pods find each other by the Service before they are ready: it comes at once', () => {
  const after = service(v2, { publishNotReadyAddresses: true });
  expect(selectorChange({ before: service(v1), after }, [replaced])).toBe('at once');
});

test('the present selector selects the new pods, too: the new one waits', () => {
  expect(change({ app: 'api' }, v2, [replaced])).toBe('when ready');
});

test('the pods before are of a workload that stays until the end: the new one waits', () => {
  const [blue, green] = [workload({ color: 'blue' }), workload({ color: 'green' })];
  expect(change({ color: 'blue' }, { color: 'green' }, [{ before: null, after: green }])).toBe('when ready');
  expect(change({ color: 'blue' }, { color: 'green' }, [same(blue), { before: null, after: green }])).toBe(
    'when ready',
  );
});

test('the pods before are replaced by the new ones: one selector selects both meanwhile, and no other pods', () => {
  expect(change(v1, v2, [replaced])).toEqual({ app: 'api' });
  const own = { name: 'api' };
  const relabelled = { before: workload(own, { app: 'a' }), after: workload(own, { app: 'b' }) };
  expect(change({ app: 'a' }, { app: 'b' }, [relabelled])).toEqual(own);
  expect(
    change({ app: 'a', tier: 'x' }, { app: 'b', tier: 'x' }, [
      { before: workload(own, { app: 'a', tier: 'x' }), after: workload(own, { app: 'b', tier: 'x' }) },
    ]),
  ).toEqual({ ...own, tier: 'x' });
});

test('two workloads are behind it: what both know their pods by', () => {
  const two = ['one', 'two'].map((name): WorkloadChange => ({
    before: workload({ app: 'api', name }, v1),
    after: workload({ app: 'api', name }, v2),
  }));
  expect(change(v1, v2, two)).toEqual({ app: 'api' });
  // one stays behind the present selector: its pods are not left out meanwhile
  const staying = {
    before: workload({ app: 'api', name: 'two' }, v1),
    after: workload({ app: 'api', name: 'two' }, v1),
  };
  expect(change({ app: 'api' }, v2, [...two, staying])).toBe('when ready');
});

test('no selector can select the pods before and after: the new one waits', () => {
  const two = ['one', 'two'].map((name): WorkloadChange => ({
    before: workload({ name }, { v: '1' }),
    after: workload({ name }, { v: '2' }),
  }));
  expect(change({ v: '1' }, { v: '2' }, two)).toBe('when ready');
});
