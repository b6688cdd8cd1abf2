import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { createSharedRun } from '../../../activities/kubernetes/shared-run.ts';
import { LonghaulError, type FailureType } from '../../../domain/shared/failures.ts';

const named = (name: string) => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name },
});

/** A read that has every object but `missing`, and fails for all when one is `refused`. */
function reader(refusal: FailureType) {
  const runs: string[][] = [];
  const read = createSharedRun<ReturnType<typeof named>, ReturnType<typeof named> | null>((references) => {
    const names = references.map(({ metadata: { name } }) => name);
    runs.push(names);
    return names.includes('refused')
      ? Promise.reject(new LonghaulError(refusal, `no ${names.join(', ')}`))
      : Promise.resolve(
          references.map((each) => (each.metadata.name === 'missing' ? null : named(each.metadata.name))),
        );
  });
  return { read, runs };
}

describe('runs that begin at the same time', () => {
  it('are one, and each gets its own objects in its order', async () => {
    const { read, runs } = reader('ClusterForbids');
    const found = await Promise.all([
      read([named('a'), named('missing')]),
      read([]),
      read([named('b')]),
      read([named('a')]),
    ]);
    expect(found).toEqual([[named('a'), null], [], [named('b')], [named('a')]]);
    expect(runs).toEqual([['a', 'missing', 'b', 'a']]);
  });

  it('do not fail because of one that the server refuses', async () => {
    const { read, runs } = reader('ClusterForbids');
    const found = await Promise.allSettled([read([named('a')]), read([named('refused')])]);
    expect(found).toMatchObject([
      { status: 'fulfilled', value: [named('a')] },
      { status: 'rejected', reason: { type: 'ClusterForbids', message: 'no refused' } },
    ]);
    expect(runs).toEqual([['a', 'refused'], ['a'], ['refused']]);
  });

  it('are each repeated alone when the server cannot be reached: the failure may be of one of them', async () => {
    const { read, runs } = reader('ClusterUnavailable');
    const found = await Promise.allSettled([read([named('a')]), read([named('refused')])]);
    expect(found.map(({ status }) => status)).toEqual(['fulfilled', 'rejected']);
    expect(runs).toEqual([['a', 'refused'], ['a'], ['refused']]);
  });

  it('are ended when all of them are aborted, and reject when nothing is done any more', async () => {
    const steps: string[] = [];
    const run = createSharedRun<string, null>(async (items, signal) => {
      steps.push(`begins ${items.join(' ')}`);
      if (signal !== undefined) await once(signal, 'abort');
      steps.push('is ended');
      signal?.throwIfAborted();
      return items.map(() => null);
    });
    const [one, other, late] = [new AbortController(), new AbortController(), new AbortController()];
    late.abort(new Error('before it began'));
    const all = [['a', one] as const, ['b', other] as const, ['c', late] as const].map(([item, { signal }]) =>
      run([item], { signal }),
    );
    const ended = Promise.allSettled(all.map((each) => each.finally(() => steps.push('has its answer'))));
    await expect.poll(() => steps).toEqual(['has its answer', 'begins a b']);
    one.abort(new Error('one'));
    await delay(50);
    expect(steps).toHaveLength(2);
    other.abort(new Error('other'));
    expect((await ended).map((each) => (each as { reason: Error }).reason.message)).toEqual([
      'one',
      'other',
      'before it began',
    ]);
    expect(steps.slice(2)).toEqual(['is ended', 'has its answer', 'has its answer']);
  });

  it('leave out what is refused directly before, which fails alone; also where each is repeated alone', async () => {
    const { read, runs } = reader('ClusterForbids');
    const asked: string[] = [];
    const beforeRun = (name: string, most: number) => (): Promise<void> => {
      asked.push(name);
      const isLast = asked.filter((each) => each === name).length > most;
      return isLast ? Promise.reject(new LonghaulError('StepTakenOver', `${name} is not run`)) : Promise.resolve();
    };
    const found = await Promise.allSettled([
      read([named('late')], { beforeRun: beforeRun('late', 0) }),
      read([named('a')], { beforeRun: beforeRun('a', 9) }),
      read([named('b')]),
    ]);
    expect(found).toMatchObject([
      { status: 'rejected', reason: { type: 'StepTakenOver', message: 'late is not run' } },
      { status: 'fulfilled', value: [named('a')] },
      { status: 'fulfilled', value: [named('b')] },
    ]);
    expect([runs.splice(0), asked.splice(0)]).toEqual([[['a', 'b']], ['late', 'a']]);
    const again = await Promise.allSettled([
      read([named('once')], { beforeRun: beforeRun('once', 1) }),
      read([named('refused')], { beforeRun: beforeRun('refused', 9) }),
    ]);
    expect(again).toMatchObject([{ reason: { message: 'once is not run' } }, { reason: { message: 'no refused' } }]);
    expect(runs.splice(0)).toEqual([['once', 'refused'], ['refused']]);
    await expect(read([named('alone')], { beforeRun: beforeRun('alone', 0) })).rejects.toThrow('alone is not run');
    expect(runs).toEqual([]);
  });

  it('are not remembered', async () => {
    const { read, runs } = reader('ClusterForbids');
    await read([named('a')]);
    await read([named('a')]);
    expect(runs).toEqual([['a'], ['a']]);
  });
});
