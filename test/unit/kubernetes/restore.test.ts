import { array, assert, constantFrom, dictionary, integer, jsonValue, nat, property } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { comparedFields, ownFields, restore, restoreFrom } from '../../../domain/kubernetes/restore.ts';

describe('what an undo makes of an object', () => {
  const json = jsonValue({ maxDepth: 3 });

  it('is what it was before, when no other has changed it since', () => {
    assert(
      property(json, json, (before, written) => {
        expect(restore(before, written, written)).toEqual({ value: before, kept: [] });
      }),
    );
  });

  it('is what others made of it, when the deployment changed nothing', () => {
    assert(
      property(json, json, (before, now) => {
        expect(restore(before, before, now)).toEqual({ value: now, kept: [] });
      }),
    );
  });

  it('is what it was before, whichever version of several it has', () => {
    assert(
      property(json, array(json, { minLength: 1, maxLength: 4 }), nat(), (before, versions, at) => {
        expect(restoreFrom(before, versions, versions[at % versions.length]).value).toEqual(before);
        expect(restoreFrom(before, versions, before).value).toEqual(before);
      }),
    );
  });

  it('is what it was but for changes of others, whichever version of several it has', () => {
    const before = { rules: ['a'], host: 'x', theirs: 1 };
    const versions = [
      { rules: ['a'], host: 'y', theirs: 1 },
      { rules: ['a', 'b'], host: 'x', theirs: 1 },
      { rules: ['a', 'c'], host: 'x', theirs: 1 },
    ];
    for (const version of versions) {
      expect(restoreFrom(before, versions, { ...version, theirs: 2 })).toEqual({
        value: { ...before, theirs: 2 },
        kept: [],
      });
    }
  });

  const flat = dictionary(constantFrom('a', 'b', 'c', 'd', 'e'), integer({ min: 0, max: 2 }));

  it('decides for each field by itself: ours go back, theirs stay, and a field of both stays and is listed', () => {
    assert(
      property(flat, flat, flat, (before, written, now) => {
        const { value, kept } = restore(before, written, now) as {
          value: typeof now;
          kept: readonly { path: string }[];
        };
        for (const field of ['a', 'b', 'c', 'd', 'e']) {
          const [was, wrote, is] = [before[field], written[field], now[field]];
          expect(value[field]).toBe(wrote === is ? was : is);
          const isOfBoth = was !== wrote && wrote !== is && was !== is;
          expect(kept.some(({ path }) => path === field)).toBe(isOfBoth);
        }
      }),
    );
  });

  const deployment = (image: string, replicas: number) => ({
    spec: {
      replicas,
      template: {
        spec: {
          containers: [
            { name: 'log', image: 'log:1', env: [] as { name: string; value: string }[] },
            { name: 'app', image, env: [{ name: 'MODE', value: 'fast' }] },
          ],
        },
      },
    },
  });

  it('takes the image back, and leaves the number of replicas to who changed it', () => {
    const now = deployment('app:2', 7);
    expect(restore(deployment('app:1', 3), deployment('app:2', 3), now)).toEqual({
      value: deployment('app:1', 7),
      kept: [],
    });
  });

  it('compares containers and variables by name: a container that another added stays', () => {
    const written = deployment('app:2', 3);
    const now = structuredClone(written);
    now.spec.template.spec.containers.unshift({ name: 'proxy', image: 'proxy:1', env: [] });
    now.spec.template.spec.containers[2]?.env.push({ name: 'DEBUG', value: '1' });
    const { value, kept } = restore(deployment('app:1', 3), written, now) as { value: typeof now; kept: unknown };
    expect(kept).toEqual([]);
    const containers = value.spec.template.spec.containers;
    expect(Object.fromEntries(containers.map(({ name, image }) => [name, image]))).toEqual({
      app: 'app:1',
      log: 'log:1',
      proxy: 'proxy:1',
    });
    expect(containers.find(({ name }) => name === 'app')?.env).toEqual([
      { name: 'MODE', value: 'fast' },
      { name: 'DEBUG', value: '1' },
    ]);
  });

  it('lists a field that both changed, with its path and its three values', () => {
    const now = deployment('app:hotfix', 3);
    expect(restore(deployment('app:1', 3), deployment('app:2', 3), now)).toEqual({
      value: now,
      kept: [
        {
          path: 'spec.template.spec.containers[name=app].image',
          before: 'app:1',
          written: 'app:2',
          kept: 'app:hotfix',
        },
      ],
    });
  });

  it('compares a list as a whole when items have no key, or two have the same', () => {
    const args = (list: readonly string[]) => ({ args: list });
    expect(restore(args(['a']), args(['a', 'b']), args(['a', 'b', 'c'])).kept).toHaveLength(1);
    const env = (...names: string[]) => ({ env: names.map((name, at) => ({ name, value: String(at) })) });
    const twins = restore(env('A', 'A'), env('A', 'A', 'B'), env('A', 'A', 'B', 'C'));
    expect(twins.kept.map(({ path }) => path)).toEqual(['env']);
  });

  it('removes what the deployment added, and what it removed comes back', () => {
    const before = { metadata: { labels: { a: '1', old: 'x' } } };
    const written = { metadata: { labels: { a: '1', new: 'y' } } };
    const now = { metadata: { labels: { a: '1', new: 'y', theirs: 'z' } } };
    expect(restore(before, written, now)).toEqual({
      value: { metadata: { labels: { a: '1', theirs: 'z', old: 'x' } } },
      kept: [],
    });
  });
});

describe('the compared fields of an object', () => {
  const object = (annotations?: Readonly<Record<string, string>>) => ({
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'a', uid: 'u', ...(annotations === undefined ? {} : { annotations }) },
  });

  it('are the same after it was created again, when its controller counts from one', () => {
    const revision = 'deployment.kubernetes.io/revision';
    expect(comparedFields(object({ [revision]: '3' }))).toEqual(comparedFields(object()));
    expect(comparedFields(object({ [revision]: '3', a: 'b' }))).toEqual(comparedFields(object({ a: 'b' })));
    expect(comparedFields(object({ a: 'c' }))).not.toEqual(comparedFields(object({ a: 'b' })));
  });
});

describe('the own fields of an object', () => {
  it('are all but its status and what the server sets', () => {
    const object = {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: {
        name: 'a',
        namespace: 'b',
        uid: 'u',
        resourceVersion: '5',
        generation: 2,
        creationTimestamp: 't',
        managedFields: [{}],
        labels: { x: 'y' },
        finalizers: ['keep'],
      },
      data: { a: 'b' },
      status: { done: true },
    };
    expect(ownFields(object)).toEqual({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'a', namespace: 'b', labels: { x: 'y' }, finalizers: ['keep'] },
      data: { a: 'b' },
    });
  });
});
