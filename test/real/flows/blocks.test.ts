import { randomUUID } from 'node:crypto';
import type { WorkflowHandle } from '@temporalio/client';
import { describe, expect, vi } from 'vitest';
import type { FailedUndo, Repair } from '../../../domain/shared/repair.ts';
import type { FlowProgress } from '../../../domain/shared/progress.ts';
import { breaking, type Site, siteTest as test } from '../../support/flows/site.ts';

describe('a rollback', () => {
  test('undoes what may have been done, in reverse order, and throws the failure of the step', async ({ site }) => {
    breaking(site, 'build c');
    const run = await site.start('buildTower', { floors: ['a', 'b', 'c', 'd'] });
    await expect(run.result()).rejects.toMatchObject({ cause: { cause: { message: 'cannot build c' } } });
    expect(site.done).toEqual(['build a', 'build b', 'remove c', 'remove b', 'remove a']);
  });

  test('does nothing after success, and after the point of no return', async ({ site }) => {
    breaking(site);
    expect(await (await site.start('buildTower', { floors: ['a', 'b'] })).result()).toEqual(['a built', 'b built']);
    expect(site.done).toEqual(['build a', 'build b']);
    breaking(site, 'build c');
    const run = await site.start('buildTower', { floors: ['a', 'b', 'c'], final: 'b' });
    await expect(run.result()).rejects.toMatchObject({ cause: { cause: { message: 'cannot build c' } } });
    expect(site.done).toEqual(['build a', 'build b', 'remove c']);
  });

  test('of a cancelled flow runs to its end, and the flow ends as cancelled', async ({ site }) => {
    breaking(site);
    const run = await site.start('buildTower', { floors: ['a', 'b', 'c'], waits: 'b' });
    await vi.waitFor(() => expect(site.done).toContain('build b'), { timeout: 20_000 });
    await run.cancel();
    await expect(run.result()).rejects.toMatchObject({ cause: { name: 'CancelledFailure' } });
    expect(site.done).toEqual(['build a', 'build b', 'remove b', 'remove a']);
  });

  test('that could not undo everything keeps the flow open until it is repaired', async ({ site }) => {
    breaking(site, 'build c', 'remove b');
    const run = await site.start('buildTower', { floors: ['a', 'b', 'c'] });
    const repair = (proceed: unknown): Promise<readonly FailedUndo[]> =>
      run.executeUpdate<readonly FailedUndo[], [Repair]>('repair', { args: [{ proceed } as Repair] });
    await vi.waitFor(() => expect(site.done).toContain('remove a'), { timeout: 20_000 });
    expect(site.done).toEqual(['build a', 'build b', 'remove c', 'remove a']);
    await expect(repair('yes')).rejects.toMatchObject({ cause: { message: 'proceed: give true or false.' } });
    const still = await vi.waitFor(() => repair(true), { timeout: 20_000, interval: 500 });
    expect(still).toEqual([{ undo: 'remove b', type: 'PushRefused', error: 'cannot remove b' }]);
    site.broken.delete('remove b');
    expect(await repair(true)).toEqual([]);
    await expect(run.result()).rejects.toMatchObject({ cause: { cause: { message: 'cannot build c' } } });
    // what was undone is not undone again
    expect(site.done).toEqual(['build a', 'build b', 'remove c', 'remove a', 'remove b']);
  });

  test('that a person gives up fails with what is left, and the failure of the step as its cause', async ({ site }) => {
    breaking(site, 'build c', 'remove b');
    const run = await site.start('buildTower', { floors: ['a', 'b', 'c'] });
    // the last undo: from here on the flow waits
    await vi.waitFor(() => expect(site.done).toContain('remove a'), { timeout: 20_000 });
    const giveUp = (): Promise<unknown> => run.executeUpdate('repair', { args: [{ proceed: false }] });
    await vi.waitFor(giveUp, { timeout: 20_000, interval: 500 });
    await expect(run.result()).rejects.toMatchObject({
      cause: {
        type: 'RollbackIncomplete',
        message: 'Not everything could be undone: remove b: cannot remove b',
        details: [{ undos: [{ undo: 'remove b', type: 'PushRefused', error: 'cannot remove b' }] }],
        cause: { cause: { message: 'cannot build c' } },
      },
    });
  });
});

describe('turns', () => {
  const TIMES = { timeout: 30_000, interval: 100 };
  const signalled = async (site: Site, tower: string, name: string): Promise<number> => {
    const { events } = await site.running(tower).fetchHistory();
    return (events ?? []).filter((event) => event.workflowExecutionSignaledEventAttributes?.signalName === name).length;
  };

  test('are taken in the order in which flows came, each by one alone, also after one that was ended from outside', async ({
    site,
  }) => {
    breaking(site);
    const tower = `tower-${randomUUID()}`;
    const enter = (name: string) => site.start('enterTower', { name, tower, whenTaken: 'wait' });
    const first = await enter('a');
    await vi.waitFor(() => expect(site.done).toEqual(['build a']), TIMES);
    const others: WorkflowHandle[] = [];
    for (const [at, name] of ['b', 'c', 'd'].entries()) {
      others.push(await enter(name));
      await vi.waitFor(async () => expect(await signalled(site, tower, 'waiting')).toBe(at + 1), TIMES);
    }
    const refused = await site.start('enterTower', { name: 'e', tower, whenTaken: 'refuse' });
    await expect(refused.result()).rejects.toMatchObject({ cause: { type: 'PushRefused' } });
    // its turn is given to the one behind it
    await others[0]?.terminate();
    await site.running(tower).signal('leave');
    expect(await first.result()).toBe('a built');
    for (const [at, name] of [
      [1, 'c'],
      [2, 'd'],
    ] as const) {
      await vi.waitFor(() => expect(site.done.at(-1)).toBe(`build ${name}`), TIMES);
      await site.running(tower).signal('leave');
      expect(await others[at]?.result()).toBe(`${name} built`);
    }
    expect(site.done).toEqual(['build a', 'build c', 'build d']);
  });

  test('are taken at once by one that replaces, after the one before it is undone; those that wait end', async ({
    site,
  }) => {
    breaking(site);
    const tower = `tower-${randomUUID()}`;
    const first = await site.start('enterTower', { name: 'a', tower, whenTaken: 'wait' });
    await vi.waitFor(() => expect(site.done).toEqual(['build a']), TIMES);
    const waits = await site.start('enterTower', { name: 'b', tower, whenTaken: 'wait' });
    await vi.waitFor(async () => expect(await signalled(site, tower, 'waiting')).toBe(1), TIMES);
    const last = await site.start('enterTower', { name: 'c', tower, whenTaken: 'replace' });
    await expect(first.result()).rejects.toMatchObject({ cause: { cause: { type: 'Replaced' } } });
    await expect(waits.result()).rejects.toMatchObject({ cause: { type: 'Replaced' } });
    await vi.waitFor(() => expect(site.done).toEqual(['build a', 'remove a', 'build c']), TIMES);
    await site.running(tower).signal('leave');
    expect(await last.result()).toBe('c built');
  });
});

describe('stages', () => {
  test('are shown, and a new run starts from one with the outputs of those before', async ({ site }) => {
    breaking(site);
    const run = await site.start('climbStages', null);
    await vi.waitFor(
      async () =>
        expect(await run.query<FlowProgress>('progress')).toEqual({
          stage: 'second',
          done: 1,
          total: 3,
          unit: 'stages',
          lines: ['waits for the signal'],
          asks: null,
        }),
      { timeout: 20_000 },
    );
    const from = await run.query('stages');
    expect(from).toEqual({ stage: 'second', outputs: { first: 'first built' } });
    await run.terminate();
    const again = await site.start('climbStages', from);
    await again.signal('on');
    expect(await again.result()).toBe('third after first built');
    expect(site.done).toEqual(['build first']);
  });

  test('without the output of an earlier one do not start', async ({ site }) => {
    const run = await site.start('climbStages', { stage: 'third', outputs: { first: 'x' } });
    await expect(run.result()).rejects.toMatchObject({
      cause: { type: 'InvalidInput', message: 'A run from third needs the outputs of second.' },
    });
  });
});
