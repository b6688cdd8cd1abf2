import { describe, expect, test } from 'vitest';
import { inSlack } from '../../../../activities/alerts/channels.ts';
import {
  alertChanges,
  alertsOf,
  type AlertKind,
  type WatchedFleet,
  withMissed,
  type WatchedGroup,
} from '../../../../domain/catalog/groups/alerts.ts';

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
      'the latest run was not completed',
      group({ runs: [{ status: 'TERMINATED', failed: [] }] }),
      {},
      ['group-failed services'],
    ],
    [
      'a repository fails repeatedly',
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

  test('when many repositories of a group fail, that is one alert', () => {
    const failing = (count: number): WatchedGroup => {
      const run = { ...bad, failed: Array.from({ length: count }, (_, n) => `work/acme/${n}`) };
      return group({ runs: [run, run, run] });
    };
    expect(kinds(failing(20))).toHaveLength(21);
    expect(kinds(failing(21))).toEqual(['group-failed services', 'repository-failing services']);
  });

  test('changes are alerts raised and resolved, regardless of their texts', () => {
    const stale = { kind: 'group-stale' as const, about: 'services', text: 'as of 10:00' };
    const gone = { kind: 'workers-gone' as const, about: 'longhaul-repos', text: 'gone' };
    expect(alertChanges([stale], [{ ...stale, text: 'as of 11:00' }, gone])).toEqual({ raised: [gone], settled: [] });
    expect(alertChanges([stale, gone], [])).toEqual({ raised: [], settled: [stale, gone] });
  });
});

test('a channel that missed changes gets them later, each alert once, without alerts that no longer apply', () => {
  const alert = (about: string, text = '') => ({ kind: 'group-stale' as AlertKind, about, text });
  const missed = { raised: [alert('a', 'then'), alert('b'), alert('c')], settled: [alert('d'), alert('e')] };
  // a still applies, b was resolved, c was resolved and raised again, d was raised again, f is new
  const changes = { raised: [alert('c'), alert('d'), alert('f')], settled: [alert('b')] };
  const now = [alert('a', 'now'), alert('c'), alert('d'), alert('f')];
  expect(withMissed(changes, missed, now)).toEqual({
    raised: [alert('a', 'then'), alert('b'), alert('c'), alert('d'), alert('f')],
    settled: [alert('e'), alert('b')],
  });
});

test('a repository name that looks like a Slack mention is escaped', () => {
  expect(inSlack('local/<!channel>/<https://a.example|b> & more')).toBe(
    'local/&lt;!channel&gt;/&lt;https://a.example|b&gt; &amp; more',
  );
});
