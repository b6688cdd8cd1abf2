/// <reference lib="esnext.temporal" />
import { ScheduleOverlapPolicy } from '@temporalio/client';
import { describe, expect, vi } from 'vitest';
import { parse } from 'yaml';
import type { RunTrainResult } from '../../../domain/release/flows/train-flows.ts';
import { startDescribedPlace } from '../../support/forges/described-place.ts';
import { git } from '../../support/scratch-git.ts';
import { type Release, REPOSITORY, test } from '../../support/release/releases.ts';
import { commit, generation, prove, tagsOf, write } from '../../support/release/work.ts';

const CI = `name: full-ci
steps:
  - {name: unit, command: 'test ! -f broken'}
`;
/** The weekday of the trains: in three days, so that no cut-off of theirs is near. */
const WEEKDAY = Temporal.Now.zonedDateTimeISO('Europe/Berlin').add({ days: 3 });
const trainOn = (at: Temporal.ZonedDateTime): string =>
  `train: {day: ${at.toLocaleString('en', { weekday: 'long' }).toLowerCase()}, time: "09:00", time_zone: Europe/Berlin}\n`;
const TRAIN = trainOn(WEEKDAY);

/** The departure of a week and its cut-off, by the calendar of the platform: not the code that is tested. */
function departureBefore(weeks: number): {
  readonly departure: Temporal.ZonedDateTime;
  readonly cutOff: Temporal.ZonedDateTime;
} {
  const day = WEEKDAY.toPlainDate().subtract({ weeks: weeks + 1 });
  const at = (date: Temporal.PlainDate, plainTime: string) =>
    date.toZonedDateTime({ timeZone: 'Europe/Berlin', plainTime });
  return { departure: at(day, '09:00'), cutOff: at(day.subtract({ days: 1 }), '12:00') };
}

/** Starts what the schedule was to start at a time that is over, as it does after an outage. */
async function missed({ client }: Release, cutOff: Temporal.ZonedDateTime): Promise<string> {
  const instant = cutOff.toInstant();
  const at = instant.epochMilliseconds;
  await client.schedule.getHandle(`train/${REPOSITORY}`).backfill({
    start: new Date(at - 60_000),
    end: new Date(at + 60_000),
    overlap: ScheduleOverlapPolicy.ALLOW_ALL,
  });
  // Temporal appends the time
  return `train/${REPOSITORY}-${instant.toString()}`;
}

async function resultOf({ client }: Release, workflowId: string): Promise<RunTrainResult> {
  await vi.waitUntil(
    () =>
      client.workflow
        .getHandle(workflowId)
        .describe()
        .then(() => true)
        .catch(() => false),
    { timeout: 60_000, interval: 200 },
  );
  return client.workflow.getHandle(workflowId).result() as Promise<RunTrainResult>;
}

async function status({ longhaul }: Release) {
  const { stdout, stderr, exitCode } = await longhaul('train', 'status', '--json');
  expect(stderr).toBe('');
  expect(exitCode).toBe(0);
  return (JSON.parse(stdout) as RunTrainResult).report!;
}

function eventsOf({ ledger }: Release): Promise<readonly { type: string; departure: string }[]> {
  return ledger.sql(
    `SELECT event_type AS type, resource_id AS departure FROM audit_events WHERE event_type LIKE 'train.%' ORDER BY event_id`,
  );
}

describe('a release train', { timeout: 180_000 }, () => {
  test('that missed its departure offers what is not proven, holds, and leaves once', async ({ release }) => {
    const { clone, remote, longhaul, client, replayed } = release;
    write(clone, {
      '.longhaul/generations/v1.0.0.yaml': generation('v1.0.0', ['FEAT-1', 'FEAT-2', 'FEAT-3']),
      '.longhaul/pipelines/full-ci.yaml': CI,
      '.longhaul/policy.yaml': TRAIN,
    });
    commit(clone, 'chore: contracts');
    git(clone, 'push', '--quiet', 'origin', 'HEAD:main');
    await prove(release, 'v1.0.0', 'FEAT-1', { one: '' });
    const proven = git(clone, 'rev-parse', 'HEAD');
    await expect(prove(release, 'v1.0.0', 'FEAT-2', { broken: '' })).rejects.toThrow('FEAT-2');
    git(clone, 'reset', '--quiet', '--hard', proven);
    git(clone, 'push', '--quiet', 'origin', 'HEAD:main');

    const before = await longhaul('train', 'status');
    expect(before.stdout).toContain('Next departure: none, the train is stopped: longhaul train start\n');
    expect(before.stdout).toContain(
      'On the train: v1.0.0\n  ✓ FEAT-1 The change FEAT-1\n  ○ FEAT-2 The change FEAT-2 (not proven)\n',
    );
    expect(before.stdout).toContain(
      'Waits for:\n  FEAT-2 is not proven.\n  FEAT-3 is not proven.\n  v1.0.0-rc.2 (FEAT-2)',
    );

    for (let times = 0; times < 2; times++) expect(await longhaul('train', 'start')).toMatchObject({ exitCode: 0 });
    const { nextActionTimes } = (await client.schedule.getHandle(`train/${REPOSITORY}`).describe()).info;
    const last = departureBefore(0);
    const first = await status(release);
    expect(first).toMatchObject({ schedule: 'running', isCurrent: true, underWay: null, last: [] });
    expect(Date.parse(first.departure)).toBe(last.departure.add({ weeks: 1 }).epochMilliseconds);
    expect([...nextActionTimes].map(Number)).toContain(Date.parse(first.cutOff));

    const departure = new Date(last.departure.epochMilliseconds).toISOString();
    const branch = `longhaul/train-${departure.slice(0, 10)}-v1.0.0`;
    const forge = await startDescribedPlace('github');
    // what is pushed goes to the folder, which the forge does not know
    await forge.addBranch(branch);
    release.forge.place = forge;
    release.faults.arm({ activity: 'offerMove', kind: 'answer is lost' });
    // the server was away at the cut-off and at the departure
    const run = await missed(release, last.cutOff);
    const offers = (): number => release.faults.begun.filter((name) => name === 'offerMove').length;
    await vi.waitUntil(() => offers() > 1, { timeout: 60_000, interval: 200 });
    release.faults.arm(null);
    await vi.waitUntil(() => git(remote, 'branch', '--list', branch) !== '', { timeout: 60_000, interval: 200 });
    const held = await vi.waitFor(
      async () => {
        const now = await status(release);
        expect(now.underWay?.lines[0]).toBe('holds, and waits for:');
        return now;
      },
      { timeout: 60_000, interval: 500 },
    );
    expect(held.underWay).toMatchObject({ departure, stage: 'promotion' });
    expect(held.underWay?.lines).toContain('FEAT-3 is not proven.');
    expect(held.last.map(({ event }) => event)).toEqual(['offered', 'held']);
    release.forge.place = null;
    const pulls = await forge.pulls();
    expect(pulls).toEqual([
      expect.objectContaining({
        head: branch,
        base: 'main',
        title: 'chore: move FEAT-2, FEAT-3 from v1.0.0 to v1.1.0',
        body: expect.stringContaining(
          `The release train with v1.0.0 leaves at ${departure.slice(0, 16)}Z, and FEAT-2, FEAT-3 are not proven.`,
        ) as string,
      }),
    ]);
    expect(forge.violations).toEqual([]);
    expect(held.last[0]?.details).toEqual([
      expect.stringMatching(new RegExp(`^FEAT-2, FEAT-3 to v1\\.1\\.0: http\\S+/${pulls[0]?.number}$`)),
    ]);
    expect(tagsOf(remote)).not.toContain('v1.0.0');

    // people merge what the train offered, and one of the changes is being proven
    expect(await longhaul('evolution', 'start', 'v1.0.0', '--change', 'FEAT-3')).toMatchObject({ exitCode: 0 });
    git(clone, 'fetch', '--quiet', 'origin');
    git(clone, 'merge', '--quiet', '--no-edit', `origin/${branch}`);
    const idsIn = (version: string): readonly string[] =>
      (
        parse(git(clone, 'show', `HEAD:.longhaul/generations/${version}.yaml`)) as { changes: { id: string }[] }
      ).changes.map(({ id }) => id);
    expect([idsIn('v1.0.0'), idsIn('v1.1.0')]).toEqual([['FEAT-1'], ['FEAT-2', 'FEAT-3']]);
    git(clone, 'push', '--quiet', 'origin', 'HEAD:main');
    await vi.waitFor(
      async () =>
        expect((await status(release)).underWay?.lines).toContain(
          'FEAT-3 was moved from v1.0.0 to a later generation, but v1.0.0-rc.3 is pending: abandon it, or put it back.',
        ),
      { timeout: 60_000, interval: 500 },
    );
    expect(await longhaul('evolution', 'abandon', 'v1.0.0-rc.3', '--why', 'moved')).toMatchObject({ exitCode: 0 });
    expect(await resultOf(release, run)).toMatchObject({ outcome: 'departed', version: 'v1.0.0', departure });
    expect(git(remote, 'rev-parse', 'v1.0.0^{commit}')).toBe(git(clone, 'rev-parse', 'HEAD'));
    replayed(`train/${REPOSITORY}`);
    replayed(run);
    // a plan has the texts of the contracts once: each look adds to the history
    const { events } = await client.workflow.getHandle(`train/${REPOSITORY}`).fetchHistory();
    const plans = (events ?? [])
      .flatMap(({ activityTaskCompletedEventAttributes: done }) => done?.result?.payloads ?? [])
      .map(({ data }) => Buffer.from(data ?? []).toString())
      .filter((json) => json.includes('"cutOff":'));
    expect(plans.length).toBeGreaterThan(3);
    expect(plans.filter((json) => json.includes('"move":{'))).toHaveLength(1);

    // the failed attempt of what was moved counts no more, and nothing is left of it in the generation
    const shown = await longhaul('evolution', 'list', 'v1.0.0');
    expect(shown.stdout).toContain('Ready for promotion: YES');
    expect(shown.stdout).toMatch(/ FEAT-1 +The change FEAT-1 +proven\n/);
    expect(shown.stdout).not.toContain('The change FEAT-3');

    // it has left: a second start for the same departure does nothing
    expect(await missed(release, last.cutOff)).toBe(run);
    await vi.waitFor(async () => expect(await resultOf(release, run)).toMatchObject({ outcome: 'left', departure }), {
      timeout: 60_000,
      interval: 200,
    });
    expect((await eventsOf(release)).filter(({ type }) => type === 'train.departed')).toHaveLength(1);
    const after = await longhaul('train', 'status');
    expect(after.stdout).toContain(`Latest train: ${departure.slice(0, 16)}Z\n  offered at `);
    expect(after.stdout).toContain('On the train: v1.1.0\n  ○ FEAT-2');
  });

  test('that waits for its departure is cancelled when trains are stopped', async ({ release }) => {
    const { client, longhaul, clone } = release;
    const handle = client.schedule.getHandle(`train/${REPOSITORY}`);
    await handle.trigger();
    const { departure } = departureBefore(-1);
    const waiting = await vi.waitFor(
      async () => {
        const { underWay } = await status(release);
        expect(underWay?.departure).toBe(new Date(departure.epochMilliseconds).toISOString());
        return underWay;
      },
      { timeout: 60_000, interval: 500 },
    );
    expect(['timetable', 'offer', 'wait']).toContain(waiting?.stage);

    // the contract decides when, also for a schedule that was made before
    write(clone, { '.longhaul/policy.yaml': trainOn(WEEKDAY.add({ days: 1 })) });
    commit(clone, 'chore: trains a day later');
    git(clone, 'push', '--quiet', 'origin', 'HEAD:main');
    expect((await longhaul('train', 'status')).stdout).toContain(
      'The contract has other times than the schedule: longhaul train start\n',
    );
    expect(await longhaul('train', 'stop')).toMatchObject({ exitCode: 0 });
    await vi.waitUntil(
      async () => (await client.workflow.getHandle(`train/${REPOSITORY}`).describe()).status.name === 'CANCELLED',
      { timeout: 60_000, interval: 200 },
    );
    await expect(handle.describe()).rejects.toThrow(/not found/i);
    expect(await status(release)).toMatchObject({ schedule: 'stopped', underWay: null });
    expect(
      (await eventsOf(release))
        .slice(-2)
        .map(({ type }) => type)
        .toSorted(),
    ).toEqual(['train.cancelled', 'train.stopped']);
    release.replayed(`train/${REPOSITORY}`);

    // started between a cut-off and its departure
    const now = Temporal.Now.zonedDateTimeISO('UTC');
    const soon =
      now.hour < 12 ? now.with({ hour: 23, minute: 59 }) : now.add({ days: 1 }).with({ hour: 11, minute: 0 });
    const day = soon.toLocaleString('en', { weekday: 'long' }).toLowerCase();
    write(clone, {
      '.longhaul/policy.yaml': `train: {day: ${day}, time: "${soon.toPlainTime().toString({ smallestUnit: 'minute' })}"}\n`,
    });
    commit(clone, 'chore: a train today');
    git(clone, 'push', '--quiet', 'origin', 'HEAD:main');
    expect(await longhaul('train', 'start')).toMatchObject({ exitCode: 0 });
    await vi.waitFor(
      async () =>
        expect((await status(release)).underWay?.departure).toBe(
          new Date(soon.round({ smallestUnit: 'minute', roundingMode: 'floor' }).epochMilliseconds).toISOString(),
        ),
      { timeout: 60_000, interval: 500 },
    );
    for (let times = 0; times < 2; times++) expect(await longhaul('train', 'stop')).toMatchObject({ exitCode: 0 });
  });

  test('is not started where the default branch has none', async ({ release: { longhaul, clone } }) => {
    write(clone, { '.longhaul/policy.yaml': 'policies: []\n' });
    commit(clone, 'chore: no trains');
    git(clone, 'push', '--quiet', 'origin', 'HEAD:main');
    const refused = await longhaul('train', 'start');
    expect(refused.exitCode).toBe(2);
    expect(refused.stderr).toContain('has no release train: add the section train to policy.yaml.');
  });

  test('does not deploy what people have gone back from', async ({ release }) => {
    const { clone, ledger, longhaul } = release;
    const place = '{name: production, context: c, namespace: n, services: {api: {manifests: {folder: k8s}}}}';
    write(clone, {
      '.longhaul/generations/v1.1.0.yaml': generation('v1.1.0', ['FEAT-2']),
      '.longhaul/environments.yaml': `environments: [${place}]\n`,
      '.longhaul/policy.yaml': TRAIN.replace('}', ', deploy_to: production}'),
    });
    commit(clone, 'chore: trains to production');
    git(clone, 'push', '--quiet', 'origin', 'HEAD:main');
    await prove(release, 'v1.1.0', 'FEAT-2', { two: '' });
    git(clone, 'push', '--quiet', 'origin', 'HEAD:main');
    expect(await longhaul('train', 'start')).toMatchObject({ exitCode: 0 });
    const deployed = (version: string, goesBack: boolean) =>
      ledger.sql(
        `INSERT INTO longhaul.deployments (deployment_id, repository, environment, version, commit, packed, contracts,
           services, goes_back, context, namespace, status, workflow_id, created_by)
         VALUES (gen_random_uuid()::text, $1, 'production', $2, repeat('a', 40), '{}', repeat('b', 64), '["api"]', $3,
           'c', 'n', 'deployed', 'deploy', 'ada')`,
        [REPOSITORY, version, goesBack],
      );
    await deployed('v1.0.0', false);
    await deployed('v1.1.0', false);
    await deployed('v1.0.0', true);
    const run = await missed(release, departureBefore(1).cutOff);
    expect(await resultOf(release, run)).toMatchObject({ outcome: 'overtaken', version: 'v1.1.0', environment: null });
    const ended = await status(release);
    expect(ended.last.map(({ event }) => event)).toEqual(['departed', 'overtaken']);
    expect(ended.last[1]?.details).toEqual([
      'production had v1.1.0, and went back to v1.0.0: longhaul deploy v1.1.0 --env production',
    ]);
    release.replayed(run);
    expect(await longhaul('train', 'stop')).toMatchObject({ exitCode: 0 });
  });

  test('does not promote what was withdrawn, until a person does', async ({ release }) => {
    const { remote, longhaul, client } = release;
    expect(await longhaul('train', 'start')).toMatchObject({ exitCode: 0 });
    const withdrawn = await longhaul('generation', 'withdraw', 'v1.1.0', '--why', 'leaks memory', '--tag', 'remove');
    expect(withdrawn).toMatchObject({ exitCode: 0 });
    // its gates are open
    const waitsFor = ['v1.1.0 was withdrawn (leaks memory): longhaul generation promote v1.1.0'];
    expect(await status(release)).toMatchObject({ generation: { version: 'v1.1.0' }, waitsFor });
    const run = await missed(release, departureBefore(2).cutOff);
    await vi.waitFor(
      async () => expect((await status(release)).underWay?.lines).toEqual(['holds, and waits for:', ...waitsFor]),
      { timeout: 60_000, interval: 500 },
    );
    expect(tagsOf(remote)).not.toContain('v1.1.0');
    // its history becomes so long that Temporal suggests a new run: it holds on in the same stage
    const train = client.workflow.getHandle(`train/${REPOSITORY}`);
    const { runId } = await train.describe();
    for (let sent = 0; sent < 4_200; sent += 200) {
      await Promise.all(Array.from({ length: 200 }, () => train.signal('padding')));
    }
    await vi.waitFor(async () => expect((await train.describe()).runId).not.toBe(runId), {
      timeout: 60_000,
      interval: 500,
    });
    await vi.waitFor(
      async () =>
        expect((await status(release)).underWay).toMatchObject({
          stage: 'promotion',
          lines: ['holds, and waits for:', ...waitsFor],
        }),
      { timeout: 60_000, interval: 500 },
    );
    expect(await longhaul('generation', 'promote', 'v1.1.0')).toMatchObject({ exitCode: 0 });
    expect(await resultOf(release, run)).toMatchObject({ outcome: 'overtaken', version: 'v1.1.0' });
    release.replayed(`train/${REPOSITORY}`);
    expect(await longhaul('train', 'stop')).toMatchObject({ exitCode: 0 });
  });
});
