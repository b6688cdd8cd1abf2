import { describe, expect, test } from 'vitest';
import {
  type AlertedEnvironment,
  type FiringAlert,
  judgeAlerts,
  plainText,
  reasonOf,
  untilQuestionLook,
  untilDeploymentLook,
} from '../../../../domain/release/deployment/alert.ts';
import { firingAlerts } from '../../../../domain/release/deployment/alertmanager.schema.ts';

const LABELS = { repositories: ['*'], repository: 'longhaul_repository', environment: 'longhaul_environment' };

/** A message as Alertmanager 0.25 sends it. */
const message = (...alerts: readonly object[]) => ({
  receiver: 'longhaul',
  status: 'firing',
  alerts: alerts.map((alert) => ({
    status: 'firing',
    labels: { alertname: 'HighErrorRate', longhaul_repository: 'work/acme/api', longhaul_environment: 'production' },
    annotations: { summary: '12 % of requests fail' },
    startsAt: '2026-11-30T10:00:00.123456789+01:00',
    endsAt: '0001-01-01T00:00:00Z',
    generatorURL: 'http://prometheus/graph',
    fingerprint: '5ef77f1f8a3ecb8d',
    ...alert,
  })),
  groupLabels: {},
  commonLabels: {},
  commonAnnotations: {},
  externalURL: 'http://alertmanager',
  version: '4',
  groupKey: '{}:{}',
  truncatedAlerts: 0,
});

describe('a message of Alertmanager', () => {
  test('is about each environment that its firing alerts name', () => {
    const staging = { longhaul_repository: 'work/acme/api', longhaul_environment: 'staging' };
    const found = firingAlerts(
      message({}, { status: 'resolved', labels: staging }, { labels: staging, annotations: {} }, { labels: {} }),
      LABELS,
    );
    expect(found).toEqual([
      {
        repository: 'work/acme/api',
        environment: 'production',
        alerts: [
          {
            name: 'HighErrorRate',
            summary: '12 % of requests fail',
            fingerprint: '5ef77f1f8a3ecb8d',
            startsAt: '2026-11-30T09:00:00.123Z',
          },
        ],
      },
      {
        repository: 'work/acme/api',
        environment: 'staging',
        alerts: [expect.objectContaining({ name: 'alert', summary: '' }) as unknown],
      },
    ]);
  });

  test('has at most 50 alerts about an environment, those that began last', () => {
    const alerts = Array.from({ length: 60 }, (_, minute) => ({ startsAt: new Date(minute * 60_000).toISOString() }));
    const [found] = firingAlerts(message(...alerts), LABELS) ?? [];
    expect(found?.alerts.map(({ startsAt }) => startsAt)).toEqual(
      alerts
        .map(({ startsAt }) => startsAt)
        .toReversed()
        .slice(0, 50),
    );
  });

  test.each([
    ['no repository id', { longhaul_repository: '../etc', longhaul_environment: 'staging' }],
    ['no name of an environment', { longhaul_repository: 'work/acme/api', longhaul_environment: 'a b' }],
    ['only one of the two', { longhaul_repository: 'work/acme/api' }],
  ])('leaves out an alert with %s', (_name, labels) => {
    expect(firingAlerts(message({ labels }), LABELS)).toEqual([]);
  });

  test.each([
    [['work/acme/*'], 1],
    [['work/other/*', 'WORK/ACME/API'], 1],
    [['work/other/*', 'work/acme/ap'], 0],
  ])('is about repositories of %j only', (repositories, count) => {
    expect(firingAlerts(message({}), { ...LABELS, repositories })).toHaveLength(count);
  });

  test.each([
    ['another version', { ...message({}), version: '3' }],
    ['no alerts', { version: '4' }],
    ['a time that is none', message({ startsAt: 'today' })],
    ['a fingerprint that is none', message({ fingerprint: '../..' })],
    ['a status that is none', message({ status: 'unknown' })],
    ['text', 'firing'],
    ['nothing', null],
  ])('is refused with %s', (_name, given) => {
    expect(firingAlerts(given, LABELS)).toBeNull();
  });
});

test.each([
  ['a\u0000b\u001b[31mc\r\nd', 'a b 31mc d'],
  ['<img src=x onerror=alert(1)>', 'img src=x onerror=alert(1)'],
  ['[click](http://evil) `rm`', 'click (http://evil) rm'],
  ['left\u202eright\u2066 \u200b', 'left right'],
  ['x'.repeat(400), `${'x'.repeat(299)}…`],
  [`${'x'.repeat(298)}😀yy`, `${'x'.repeat(298)}…`],
  ['', ''],
])('a text of an alert has no markup: %j', (text, plain) => {
  expect(plainText(text, 300)).toBe(plain);
});

test('of a week, a flow looks often in the first hour and then once an hour', () => {
  for (const [until, first] of [
    [untilDeploymentLook, 15_000],
    [untilQuestionLook, 600_000],
  ] as const) {
    expect(until(0)).toBe(first);
    let [looks, passed, inFirstHour] = [0, 0, 0];
    for (; passed < 7 * 86_400_000; looks++) {
      passed += until(looks);
      if (passed <= 3_600_000) inFirstHour++;
    }
    expect(inFirstHour).toBeGreaterThan(5);
    expect(looks).toBeLessThan(180);
  }
});

test('a reason is cut, but not between the halves of a character', () => {
  const alert = { name: 'a', fingerprint: '1', startsAt: '2026-11-30T10:00:00.000Z' };
  for (const length of [0, 1]) {
    const alerts = Array.from({ length: 3 }, () => ({ ...alert, summary: `${'x'.repeat(length)}${'😀'.repeat(130)}` }));
    const reason = reasonOf(alerts);
    expect(reason.length).toBeLessThanOrEqual(500);
    expect(reason.length).toBeGreaterThan(490);
    expect(reason).not.toMatch(/\p{Cs}/u);
  }
});

describe('an alert', () => {
  const alert = (startsAt: string): FiringAlert => ({ name: 'Slow', summary: '', fingerprint: '1', startsAt });
  const during = alert('2026-11-30T10:00:00.000Z');
  const last = { status: 'deployed', goesBack: false, startedAt: new Date('2026-11-30T10:00:00.000Z') } as const;
  const place: AlertedEnvironment = { last, rule: 'ask', before: 'v1.0.0' };

  test.each<[string, Partial<AlertedEnvironment>, readonly FiringAlert[], object]>([
    ['that begins with the deployment asks', {}, [during], { act: 'ask', to: 'v1.0.0', alerts: [during] }],
    ['rolls back where the environment says so', { rule: 'rollback' }, [during], { act: 'rollback', to: 'v1.0.0' }],
    ['is ignored where the environment says so', { rule: 'ignore' }, [during], { act: 'nothing' }],
    ['that began before does nothing', {}, [alert('2026-11-30T09:59:59.999Z')], { act: 'nothing' }],
    [
      'that began before does nothing, another one does',
      {},
      [alert('2026-11-30T09:00:00.000Z'), during],
      { act: 'ask', alerts: [during] },
    ],
    ['that was answered does nothing', {}, [], { act: 'nothing', why: 'These alerts were answered before.' }],
    ['about an empty environment does nothing', { last: null }, [during], { act: 'nothing' }],
    ['waits for the watch', { last: { ...last, status: 'deploying' } }, [during], { act: 'wait' }],
    ['after an undo does nothing', { last: { ...last, status: 'undone' } }, [during], { act: 'nothing' }],
    [
      'after an incomplete undo does nothing',
      { last: { ...last, status: 'not undone' } },
      [during],
      { act: 'nothing' },
    ],
    ['after a rollback does nothing', { last: { ...last, goesBack: true } }, [during], { act: 'nothing' }],
    ['of the first release does nothing', { before: null }, [during], { act: 'nothing' }],
  ])('%s', (_name, more, alerts, expected) => {
    expect(judgeAlerts({ ...place, ...more }, alerts)).toMatchObject(expected);
  });
});
