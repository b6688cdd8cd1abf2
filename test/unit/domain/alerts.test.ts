import { describe, expect, test } from 'vitest';
import { alertNews, alertsOf, type WatchedFleet, type WatchedGroup } from '../../../domain/catalog/alerts.ts';

const rules = { staleAfterSeconds: 3_600, failingRuns: 3 };
const at = '2026-11-21T12:00:00.000Z';
const good = { status: 'COMPLETED', failed: [] };
const bad = { status: 'COMPLETED', failed: ['work/acme/api'] };

function group(more: Partial<WatchedGroup> = {}): WatchedGroup {
  return {
    name: 'services',
    isPaused: false,
    missed: 0,
    completeAt: '2026-11-21T11:30:00.000Z',
    firstRunAt: '2026-11-20T00:00:00.000Z',
    runs: [good],
    ...more,
  };
}

function kinds(one: WatchedGroup, more: Partial<WatchedFleet> = {}): string[] {
  return alertsOf({ at, groups: [one], unpolled: [], missedBefore: {}, ...more }, rules).map(
    ({ kind, about }) => `${kind} ${about}`,
  );
}

describe('alerts', () => {
  test.each<[string, WatchedGroup, Partial<WatchedFleet>, string[]]>([
    ['all is well', group(), {}, []],
    ['the latest run had failures', group({ runs: [good, bad] }), {}, ['group-failed services']],
    ['only an earlier run had failures', group({ runs: [bad, good] }), {}, []],
    [
      'the latest run ended otherwise',
      group({ runs: [{ status: 'TERMINATED', failed: [] }] }),
      {},
      ['group-failed services'],
    ],
    [
      'a repository fails again and again',
      group({ runs: [bad, bad, bad] }),
      {},
      ['group-failed services', 'repository-failing work/acme/api'],
    ],
    ['it failed too seldom', group({ runs: [good, bad, bad] }), {}, ['group-failed services']],
    ['it was well in between', group({ runs: [bad, good, bad] }), {}, ['group-failed services']],
    [
      'nothing was complete for too long',
      group({ completeAt: '2026-11-21T10:59:00.000Z' }),
      {},
      ['group-stale services'],
    ],
    ['nothing was ever complete', group({ completeAt: null }), {}, ['group-stale services']],
    ['it was never run', group({ completeAt: null, firstRunAt: null, runs: [] }), {}, []],
    ['it is paused', group({ isPaused: true, completeAt: '2026-01-01T00:00:00.000Z' }), {}, []],
    ['runs were missed', group({ missed: 3 }), { missedBefore: { services: 1 } }, ['runs-missed services']],
    ['they were missed before', group({ missed: 3 }), { missedBefore: { services: 3 } }, []],
    ['no worker is there', group(), { unpolled: ['longhaul-repos'] }, ['workers-gone longhaul-repos']],
  ])('%s', (_, one, more, expected) => {
    expect(kinds(one, more)).toEqual(expected);
  });

  test('news are what came and what went, whatever the words', () => {
    const stale = { kind: 'group-stale' as const, about: 'services', text: 'as of 10:00' };
    const gone = { kind: 'workers-gone' as const, about: 'longhaul-repos', text: 'gone' };
    expect(alertNews([stale], [{ ...stale, text: 'as of 11:00' }, gone])).toEqual({ raised: [gone], settled: [] });
    expect(alertNews([stale, gone], [])).toEqual({ raised: [], settled: [stale, gone] });
  });
});
