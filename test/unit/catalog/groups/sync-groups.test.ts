import { describe, expect, test } from 'vitest';
import { describeGroupChange, planGroups, type SyncGroup } from '../../../../domain/catalog/groups/sync-groups.ts';

const group = (name: string, more: Partial<SyncGroup> = {}): SyncGroup => ({
  name,
  description: '',
  schedule: '0 * * * *',
  timezone: 'UTC',
  jitterSeconds: 0,
  patterns: ['acme/*'],
  exclude: [],
  branches: [],
  parallel: 8,
  priority: 3,
  paused: false,
  ...more,
});
const running = (one: SyncGroup) => ({ group: one, isPaused: one.paused });

describe('the difference between declared and running groups', () => {
  test.each([
    ['new', [group('a')], [], 'created a'],
    ['the same', [group('a')], [running(group('a'))], 'unchanged a'],
    ['paused', [group('a', { paused: true })], [running(group('a'))], 'paused a'],
    ['resumed', [group('a')], [running(group('a', { paused: true }))], 'resumed a'],
    [
      'another schedule, and paused',
      [group('a', { schedule: '5 * * * *', paused: true })],
      [running(group('a'))],
      'changed a: schedule "0 * * * *" -> "5 * * * *", paused false -> true',
    ],
    [
      'other branches',
      [group('a', { branches: ['develop', 'release/*'] })],
      [running(group('a'))],
      'changed a: branches [] -> ["develop","release/*"]',
    ],
    ['not declared', [], [running(group('a'))], 'orphaned a: it runs, but is no longer declared'],
  ])('%s', (_, declared, now, said) => {
    expect(planGroups(declared, now, { prune: false }).map(describeGroupChange)).toEqual([said]);
  });

  test('undeclared groups are removed only on request', () => {
    expect(planGroups([], [running(group('a'))], { prune: true })).toEqual([
      { kind: 'removed', name: 'a', fields: [], group: null },
    ]);
  });

  test('changes are sorted by name', () => {
    const changes = planGroups([group('c'), group('a')], [running(group('b'))], { prune: false });
    expect(changes.map(({ name }) => name)).toEqual(['a', 'b', 'c']);
  });

  test('a group that an earlier version applied with fewer fields is changed to the current declaration', () => {
    const { exclude: _exclude, ...earlier } = group('a');
    const [change] = planGroups([group('a')], [running(earlier as SyncGroup)], { prune: false });
    expect(change).toMatchObject({ kind: 'changed', fields: [{ field: 'exclude', before: null, after: [] }] });
  });
});
