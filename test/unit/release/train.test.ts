/// <reference lib="esnext.temporal" />
import { describe, expect, test } from 'vitest';
import { generationFile } from '../../../domain/release/contracts/generation.schema.ts';
import { policyFile } from '../../../domain/release/contracts/policy.schema.ts';
import { cutOffPattern, departureAfter } from '../../../domain/release/train/timetable.ts';
import { checkContracts } from '../../../activities/release/contracts/contracts.ts';
import { moveChanges } from '../../../activities/release/train/move-changes.ts';
import { pauseOfHold } from '../../../workflows/release/hold-train.ts';
import { parse } from 'yaml';

const FRIDAYS = { day: 'friday', time: '09:00', time_zone: 'Europe/Berlin' } as const;

/** The departure and its cut-off after an instant. */
function next(timetable: Parameters<typeof departureAfter>[0], after: string): readonly string[] {
  const { at, cutOff } = departureAfter(timetable, new Date(after));
  return [at, cutOff].map((each) => each.toISOString().slice(0, 16));
}

describe('the timetable of a train', () => {
  test.each([
    // both changes of the clocks, between two departures and between a cut-off and its departure
    [FRIDAYS, '2026-03-26T11:00:00Z', ['2026-03-27T08:00', '2026-03-26T11:00']],
    [FRIDAYS, '2026-03-27T08:00:00Z', ['2026-04-03T07:00', '2026-04-02T10:00']],
    [FRIDAYS, '2026-10-23T07:00:00Z', ['2026-10-30T08:00', '2026-10-29T11:00']],
    [{ ...FRIDAYS, day: 'sunday' }, '2026-03-28T11:00:00Z', ['2026-03-29T07:00', '2026-03-28T11:00']],
    [{ ...FRIDAYS, day: 'sunday' }, '2026-10-24T10:00:00Z', ['2026-10-25T08:00', '2026-10-24T10:00']],
    // the clocks skip 02:30, and show it twice
    [{ ...FRIDAYS, day: 'sunday', time: '02:30' }, '2026-03-28T11:00:00Z', ['2026-03-29T01:00', '2026-03-28T11:00']],
    [{ ...FRIDAYS, day: 'sunday', time: '02:30' }, '2026-10-24T10:00:00Z', ['2026-10-25T00:30', '2026-10-24T10:00']],
    [{ ...FRIDAYS, day: 'sunday', time: '02:30' }, '2026-10-25T00:30:00Z', ['2026-11-01T01:30', '2026-10-31T11:00']],
    // the other hemisphere, half an hour, and a zone without changes
    [
      { day: 'sunday', time: '02:15', time_zone: 'Australia/Lord_Howe' },
      '2026-10-03T01:30:00Z',
      ['2026-10-03T15:30', '2026-10-03T01:30'],
    ],
    [
      { day: 'monday', time: '00:00', time_zone: 'UTC' },
      '2026-11-29T12:00:00Z',
      ['2026-11-30T00:00', '2026-11-29T12:00'],
    ],
  ] as const)('%j after %s', (timetable, after, expected) => {
    expect(next(timetable, after)).toEqual(expected);
  });

  test('has one departure a week, each after its cut-off, on the clocks of the zone', () => {
    for (const [time_zone, time] of [
      ['Europe/Berlin', '02:30'],
      ['America/New_York', '02:00'],
      ['Australia/Lord_Howe', '23:59'],
      ['Africa/Casablanca', '03:00'],
    ] as const) {
      let at = new Date('2026-01-01T00:00:00Z');
      for (let week = 0; week < 60; week++) {
        const departure = departureAfter({ day: 'sunday', time, time_zone }, at);
        const local = Temporal.Instant.from(departure.at.toISOString()).toZonedDateTimeISO(time_zone);
        const cutOff = Temporal.Instant.from(departure.cutOff.toISOString()).toZonedDateTimeISO(time_zone);
        expect(local.dayOfWeek).toBe(7);
        // a time that does not exist is the next one that does
        const meant = local.toPlainDate().toZonedDateTime({ timeZone: time_zone, plainTime: time });
        const exists = meant.toPlainTime().toString().startsWith(time);
        const first = exists ? meant : local.add({ nanoseconds: 1 }).getTimeZoneTransition('previous');
        expect(local.toString()).toBe(first?.toString());
        expect(cutOff.toPlainTime().toString()).toBe('12:00:00');
        expect(cutOff.toPlainDate().equals(local.toPlainDate().subtract({ days: 1 }))).toBe(true);
        // from its cut-off on it is that departure
        expect(departureAfter({ day: 'sunday', time, time_zone }, departure.cutOff)).toEqual(departure);
        ({ at } = departure);
      }
    }
  });

  test('has its cut-off on the day before', () => {
    expect([cutOffPattern('friday'), cutOffPattern('sunday')]).toEqual(['0 12 * * 4', '0 12 * * 6']);
  });

  test('is a section of the policies', () => {
    const read = (train: object) => policyFile.safeParse({ train });
    expect(read({ day: 'friday', time: '09:00' }).data?.train).toEqual({
      day: 'friday',
      time: '09:00',
      time_zone: 'UTC',
    });
    for (const wrong of [
      { day: 'fri', time: '09:00' },
      { day: 'friday', time: '9:00' },
      { day: 'friday', time: '24:00' },
      { day: 'friday', time: '09:00', time_zone: 'Berlin' },
      { day: 'friday', time: '09:00', every: 2 },
    ]) {
      expect(read(wrong).success, JSON.stringify(wrong)).toBe(false);
    }
  });
});

test('a train goes to an environment that there is', () => {
  const policy = (place: string) => ({
    path: 'policy.yaml',
    text: `train: {day: friday, time: "09:00", deploy_to: ${place}}`,
  });
  const environments = {
    path: 'environments.yaml',
    text: 'environments: [{name: staging, context: c, namespace: n, services: {api: {manifests: {folder: k8s}}}}]',
  };
  const problems = (place: string) =>
    checkContracts({ name: '.longhaul', files: [policy(place), environments] }).problems;
  expect(problems('staging')).toEqual([]);
  expect(problems('production')).toEqual([
    '.longhaul/policy.yaml:1: there is no environment "production"; there are staging.',
  ]);
});

describe('changes that are moved to the next generation', () => {
  const FROM = `# this week
version: v1.5.0
pipeline_template: full-ci
changes:
  - {type: add, id: FEAT-1, title: One} # done
  # waits for the supplier
  - type: fix
    change_id: BUG-2
    title: "Two: a fix"
    team: Team A
    pipeline: long-ci
  - {type: add, id: FEAT-3, title: Three}
`;

  test('keep all that is written about them, and the rest stays', () => {
    const { from, to } = moveChanges(
      FROM,
      { text: 'version: v1.6.0\n# later\nchanges:\n  - {type: add, id: FEAT-9, title: Nine}\n', version: 'v1.6.0' },
      ['BUG-2', 'FEAT-3'],
    );
    expect(from).toBe(FROM.slice(0, FROM.indexOf('  # waits')));
    expect(to).toContain('# later\n');
    expect(to).toContain('# waits for the supplier\n');
    const moved = generationFile.parse(parse(to));
    expect(moved.changes.map(({ id }) => id)).toEqual(['FEAT-9', 'BUG-2', 'FEAT-3']);
    expect(moved.changes[1]).toMatchObject({ title: 'Two: a fix', team: 'Team A', pipeline: 'long-ci' });
  });

  test('make the contract of the next generation, and are there once', () => {
    const made = moveChanges(FROM, { text: null, version: 'v1.6.0' }, ['FEAT-3']);
    expect(generationFile.parse(parse(made.to))).toMatchObject({
      version: 'v1.6.0',
      pipeline_template: 'full-ci',
      changes: [{ id: 'FEAT-3', type: 'add', title: 'Three' }],
    });
    const again = moveChanges(FROM, { text: made.to, version: 'v1.6.0' }, ['FEAT-3']);
    expect(again).toEqual(made);
  });
});

test('a train that holds looks soon at first, and later ever less often', () => {
  expect([0, 60, 600, 86_399, 86_400, 40 * 86_400].map((seconds) => pauseOfHold(seconds * 1_000) / 1_000)).toEqual([
    10, 10, 60, 3_600, 3_600, 3_600,
  ]);
});
