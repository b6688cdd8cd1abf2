import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import type { WatchedSoFar } from '../../../../activities/release/deployment/watch-by-program.ts';
import { MOST_SPANS, withAttempt } from '../../../../domain/release/deployment/hook.ts';
import { watchChecks } from '../../../support/release/deployment-programs.ts';
import { type Jobs, openJobs } from '../../../support/release/jobs.ts';

let jobs: Jobs;
beforeAll(async () => {
  jobs = await openJobs({
    pipelines: { secrets: { TOKEN: { valueEnv: 'SHOP_TOKEN', repositories: ['local/acme/*'] } } },
    env: { SHOP_TOKEN: 'swordfish-in-the-hall' },
  });
});
afterAll(() => jobs.close());

/** A check that runs `check.sh` each second. */
const CHECK = '[{name: ping, run: [bash, check.sh], interval: 1s, network: false, secrets: [TOKEN]}]';
/** Counts its attempts, in the checkout that all of them share. */
const COUNT = 'n=$(($(cat count 2>/dev/null || echo 0) + 1)); echo $n >count';
const LONG = 60_000;

describe('health checks by programs', () => {
  test('roll back when one fails as often in a row as the environment says, and not before', async () => {
    // two failures, a success, three failures
    const script = `${COUNT}; case $n in 1|2|4|5|6) echo "no answer with $TOKEN"; exit 3;; esac`;
    const { breach, attempts, spans, failing } = await watchChecks(jobs, {
      checks: CHECK,
      forMs: LONG,
      files: { 'check.sh': script },
    });
    const why = 'it exited with 3, and said: no answer with [redacted]';
    expect(breach).toBe(`api: ping: ${why}, 3 times in a row`);
    expect(failing).toEqual([`api: ping: ${why}`]);
    expect(attempts).toBe(6);
    expect(spans.map(({ ok, attempts: count }) => [ok, count])).toEqual([
      [false, 2],
      [true, 1],
      [false, 3],
    ]);
  });

  test('let a deployment stay that never fails so often, when the time is over', async () => {
    const script = `${COUNT}; test $((n % 3)) = 0`;
    const began = Date.now();
    const { breach, attempts } = await watchChecks(jobs, {
      checks: CHECK,
      forMs: 5_000,
      files: { 'check.sh': script },
    });
    expect(breach).toBeNull();
    expect(attempts).toBeGreaterThan(1);
    expect(Date.now() - began).toBeGreaterThanOrEqual(5_000);
  });

  test('are tried once where the time is over before they begin; those that fail until that is decided', async () => {
    const checks = (bad: string): string =>
      `[{name: good, run: ["true"], network: false}, {name: bad, command: "${bad}", interval: 1s, network: false}]`;
    expect(await watchChecks(jobs, { checks: checks('exit 1'), forMs: -1_000 })).toMatchObject({
      breach: 'api: bad: it exited with 1, 3 times in a row',
      failing: ['api: bad: it exited with 1'],
      attempts: 4,
    });
    const files = { 'check.sh': `${COUNT}; test $n -gt 2` };
    expect(await watchChecks(jobs, { checks: checks('bash check.sh'), forMs: -1_000, files })).toMatchObject({
      breach: null,
      failing: [],
      attempts: 4,
    });
  });

  test('go on from the last heartbeat when the worker is gone', async () => {
    const stop = new AbortController();
    const heartbeats: unknown[] = [];
    const files = { 'check.sh': 'exit 1' };
    const watching = watchChecks(jobs, {
      checks: CHECK.replace('1s', '1h'),
      forMs: LONG,
      files,
      onHeartbeat: (details) => void heartbeats.push(details),
      signal: stop.signal,
    });
    const ended = watching.catch((error: unknown) => String(error));
    await vi.waitUntil(() => heartbeats.some((details) => details !== undefined), { timeout: 60_000 });
    stop.abort();
    expect(await ended).toMatch(/cancel/i);
    const after = heartbeats.findLast((details) => details !== undefined);
    const { breach, attempts, spans } = await watchChecks(jobs, { checks: CHECK, forMs: LONG, files, after });
    expect(breach).toContain('3 times in a row');
    expect(attempts).toBe(3);
    // of the first worker
    expect(spans[0]?.from).toBe((after as WatchedSoFar).spans[0]?.from);
  });

  test('that hang count as failed', async () => {
    const checks = '[{name: hang, command: "sleep 60", timeout: 1s, interval: 1s, network: false}]';
    const { failing } = await watchChecks(jobs, { checks, forMs: -1_000 });
    expect(failing).toEqual(['api: hang: it was ended: timeout']);
  });

  test('with http are not theirs', async () => {
    const checks = '[{name: page, http: "http://127.0.0.1:9"}]';
    expect(await watchChecks(jobs, { checks, forMs: -1_000 })).toEqual({
      breach: null,
      failing: [],
      attempts: 0,
      spans: [],
    });
  });
});

test('the spans of a flapping check fit into a history', () => {
  let spans: ReturnType<typeof withAttempt> = [];
  for (let at = 0; at < 10_000; at++) {
    const why = at % 2 === 0 ? '' : 'x'.repeat(240);
    spans = withAttempt(spans, { name: 'api: ping', ok: why === '', why, at: new Date(at).toISOString() });
  }
  expect(spans).toHaveLength(MOST_SPANS);
  expect(JSON.stringify(spans).length).toBeLessThan(64 * 1_024);
});
