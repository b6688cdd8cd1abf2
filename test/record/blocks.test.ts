import { expect, vi } from 'vitest';
import { breaking, siteTest as test } from '../support/flows/site.ts';
import { recordHistory } from '../support/record-history.ts';

/** Run by `npm run histories`: later versions must replay these histories of `withRollback` and `stagesOf`. */
test('records a rollback that a person repairs, and stages that start in the middle', async ({ site }) => {
  breaking(site, 'build c', 'remove b');
  const tower = await site.start('buildTower', { floors: ['a', 'b', 'c'] });
  await vi.waitFor(() => expect(site.done).toContain('remove a'), { timeout: 20_000 });
  const repair = (): Promise<unknown> => tower.executeUpdate('repair', { args: [{ proceed: true }] });
  await vi.waitFor(repair, { timeout: 20_000, interval: 500 });
  site.broken.delete('remove b');
  expect(await repair()).toEqual([]);
  await expect(tower.result()).rejects.toMatchObject({ cause: { cause: { message: 'cannot build c' } } });
  recordHistory('rollback', await tower.fetchHistory(), 'blocks/');

  const climb = await site.start('climbStages', { stage: 'second', outputs: { first: 'first built' } });
  await climb.signal('on');
  expect(await climb.result()).toBe('third after first built');
  recordHistory('stages', await climb.fetchHistory(), 'blocks/');
});
