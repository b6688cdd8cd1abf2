import { describe, expect, it } from 'vitest';
import {
  imagesByTag,
  nameOfImage,
  readManifests,
  withImages,
} from '../../../../activities/release/deployment/manifests.ts';
import type { ManifestsThreadTask } from '../../../../activities/release/deployment/manifests-thread.ts';
import { type ReadingLimits, withManifestsReader } from '../../../../activities/release/deployment/manifests-reader.ts';

const read = (text: string) => readManifests(text, 'shop', 'k8s/api');
const DIGEST = `sha256:${'a'.repeat(64)}`;

describe('manifests', () => {
  it('are documents of YAML and JSON, and lists; an empty document is none', () => {
    const { objects, problems } = read(`
apiVersion: v1
kind: ConfigMap
metadata: {name: one}
---
# nothing
---
{"apiVersion": "v1", "kind": "Service", "metadata": {"name": "two", "namespace": "other"}}
---
apiVersion: v1
kind: List
items:
- {apiVersion: v1, kind: Secret, metadata: {name: three}}
- {apiVersion: apps/v1, kind: Deployment, metadata: {name: four}}
`);
    expect(problems).toEqual([]);
    expect(objects.map(({ kind, metadata }) => [kind, metadata.name, metadata.namespace])).toEqual([
      ['ConfigMap', 'one', 'shop'],
      ['Service', 'two', 'other'],
      ['Secret', 'three', 'shop'],
      ['Deployment', 'four', 'shop'],
    ]);
  });

  it('are read as kubectl reads them: yes is a boolean, a time is a text, 0644 is octal', () => {
    const { objects } = read(`
apiVersion: v1
kind: ConfigMap
metadata: {name: one}
data: {flag: yes, at: 12:30, day: 2026-01-01, mode: 0644, text: "yes"}
`);
    expect(objects[0]?.['data']).toEqual({ flag: true, at: '12:30', day: '2026-01-01', mode: 420, text: 'yes' });
  });

  it('report all that is wrong with its line', () => {
    const { problems } = read(`apiVersion: v1
kind: ConfigMap
metadata: {name: one}
---
kind: ConfigMap
---
apiVersion: batch/v1
kind: Job
metadata: {generateName: run-}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: one}
---
- a
---
a: [
`);
    expect(problems.map((problem) => problem.replace(/ Flow.*/, ' …'))).toEqual([
      'k8s/api:5: apiVersion or kind is missing.',
      'k8s/api:7: the Job has generateName: give it a name, or every deployment makes another one.',
      'k8s/api:15: it is no object of Kubernetes.',
      expect.stringMatching(/^k8s\/api:1[78]: /),
      'k8s/api:11: configmap/one in shop is there twice.',
    ]);
  });

  it.each([
    ['{apiVersion: ../../version, kind: A, metadata: {name: a}}', 'apiVersion "../../version" is none'],
    ['{apiVersion: v1, kind: ../a, metadata: {name: a}}', 'kind "../a" is none'],
  ])('%s would become another address at the server, and is refused', (text, message) => {
    expect(read(text)).toEqual({ objects: [], problems: [expect.stringContaining(message)] });
  });

  it.each(['"a" hidden-value', '*hidden-value', '!hidden-value x', '"\\hidden-value"', '{a: b}}: hidden-value'])(
    'are refused without what they have where they are wrong: %s',
    (value) => {
      const { problems } = read(`kind: Secret\nstringData: {}\ndata:\n  password: ${value}\n`);
      expect(problems).toHaveLength(1);
      expect(problems.join()).toMatch(/^k8s\/api:[14]: [A-Z][a-z ]+/);
      expect(problems.join()).not.toContain('hidden');
    },
  );

  it('are refused when a key is there twice', () => {
    const { objects, problems } = read(`a: &a {x: 1}
b: {<<: *a, <<: *a}
---
apiVersion: v1
kind: Secret
metadata: {name: one}
data: {c: 1, d: 2, c: 3}
`);
    expect(objects).toEqual([]);
    expect(problems).toEqual([
      'k8s/api:1: apiVersion or kind is missing.',
      'k8s/api:7: a key is there twice in one mapping.',
    ]);
  });

  it('are refused when their aliases explode', () => {
    const lines = ['a: &a0 [x, x, x, x, x, x, x, x, x, x]'];
    for (let at = 1; at < 9; at++) lines.push(`b${at}: &a${at} [${`*a${at - 1}, `.repeat(12)}]`);
    expect(read(lines.join('\n')).problems).toEqual([expect.stringContaining('alias')]);
  });
});

describe('hostile manifests', () => {
  const readInThread = (one: ManifestsThreadTask, limits?: ReadingLimits) =>
    withManifestsReader(new AbortController().signal, (readOne) => readOne(one), limits);
  const task = (text: string) => ({ bytes: Buffer.from(text), namespace: 'shop', about: 'manifests of api' });
  const keys = Array.from({ length: 100_000 }, (_value, at) => `  k${at}: v\n`).join('');
  const large = `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: one}\ndata:\n${keys}`;

  it('do not keep the process from its work while they are read', async () => {
    let ticks = 0;
    const timer = setInterval(() => ticks++, 1);
    const { objects, problems } = await readInThread(task(large));
    clearInterval(timer);
    expect(problems).toEqual([]);
    expect(Object.keys(objects[0]?.['data'] as object)).toHaveLength(100_000);
    expect(ticks).toBeGreaterThan(0);
  });

  it.each([
    [{ seconds: 0.001 }, 'take longer than 0.001 seconds to read'],
    [{ megabytes: 16 }, 'take more than 16 megabytes to read'],
  ])('are a problem of their service when they exceed a limit: %j', async (limits, why) => {
    expect(await readInThread(task(large), limits)).toEqual({
      objects: [],
      problems: [`The manifests of api ${why}: render fewer or smaller objects.`],
    });
  });

  it('do not keep those of the next service from being read', async () => {
    const small = task('apiVersion: v1\nkind: ConfigMap\nmetadata: {name: one}\n');
    const found = await withManifestsReader(
      new AbortController().signal,
      async (one) => [await one(small), await one(task(large)), await one(small)],
      { megabytes: 16 },
    );
    expect(found.map(({ objects, problems }) => [objects.length, problems.length])).toEqual([
      [1, 0],
      [0, 1],
      [1, 0],
    ]);
  });

  it('have a time for all services together, and end with what reads them', async () => {
    const none = await withManifestsReader(new AbortController().signal, (one) => one(task(large)), { allSeconds: 0 });
    expect(none.problems).toEqual([
      'The manifests of api are not read: those before them took 0 seconds: render fewer or smaller objects.',
    ]);
    const ends = new AbortController();
    const reading = withManifestsReader(ends.signal, (one) => one(task(large)));
    setTimeout(() => ends.abort(new Error('it was cancelled')), 50);
    await expect(reading).rejects.toThrow('it was cancelled');
  });

  it.each([
    ['deep', `a: ${'['.repeat(100_000)}`],
    ['of many documents', '---\n'.repeat(100_000)],
    ['of nothing but anchors', Array.from({ length: 20_000 }, (_value, at) => `- &a${at} x\n`).join('')],
  ])('have no object and end: %s', async (_what, text) => {
    expect(await readInThread(task(text))).toMatchObject({ objects: [] });
  });
});

describe('images', () => {
  it('lists those of containers that are given by tag, or by nothing', () => {
    const objects = readManifests(
      `kind: CronJob
apiVersion: batch/v1
metadata: {name: nightly}
spec:
  jobTemplate:
    spec:
      template:
        spec:
          initContainers: [{name: init, image: "ghcr.io/acme/init:1"}]
          containers: [{name: a, image: busybox}, {name: b, image: "api@${DIGEST}"}, {name: c, image: "api:2@${DIGEST}"}]
---
kind: ConfigMap
apiVersion: v1
metadata: {name: settings}
data: {image: "not:one"}
`,
      'shop',
      'api',
    ).objects;
    expect(imagesByTag([...objects, ...objects])).toEqual(['busybox', 'ghcr.io/acme/init:1']);
  });

  const objects = read(`
apiVersion: apps/v1
kind: Deployment
metadata: {name: api}
spec: {template: {spec: {containers: [{name: app, image: "ghcr.io/acme/api:dev"}, {name: log, image: log:1}]}}}
`).objects;

  it('are replaced by the digest that a job handed over, others stay', () => {
    const replaced = JSON.stringify(withImages(objects, { 'ghcr.io/acme/api': `ghcr.io/acme/api@${DIGEST}` }, 'api'));
    expect(replaced).toContain(`"image":"ghcr.io/acme/api@${DIGEST}"`);
    expect(replaced).toContain('"image":"log:1"');
  });

  it.each([
    ['a tag', { 'ghcr.io/acme/api': 'ghcr.io/acme/api:1.2' }, 'must hand over ghcr.io/acme/api@sha256:…'],
    ['another image', { 'ghcr.io/acme/api': `evil/api@${DIGEST}` }, 'must hand over'],
    ['an image that no object has', { web: `web@${DIGEST}` }, 'no object has the image web'],
  ])('are refused: %s', (_name, images, message) => {
    expect(() => withImages(objects, images as Record<string, string>, 'api')).toThrow(message);
  });

  it('have a name without tag and digest, also with a port', () => {
    expect(nameOfImage('localhost:5000/a/b:1@sha256:00')).toBe('localhost:5000/a/b');
    expect(nameOfImage('localhost:5000/a')).toBe('localhost:5000/a');
    expect(nameOfImage('nginx')).toBe('nginx');
  });
});
