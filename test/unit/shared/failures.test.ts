import { readFileSync } from 'node:fs';
import type { ApplicationFailure } from '@temporalio/common';
import { DefaultLogger } from '@temporalio/worker';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { shownError } from '../../../client/core/errors.ts';
import {
  type FailureType,
  FAILURES,
  LASTING_MS,
  LonghaulError,
  NON_RETRYABLE,
  TRIES_WHEN_UNEXPECTED,
} from '../../../domain/shared/failures.ts';
import { namedFailures, toApplicationFailure } from '../../../workers/failures.ts';
import { mockActivity } from '../../support/mock-activity.ts';

describe('failures', () => {
  test('each is in the documentation with its exit code', () => {
    const rows = readFileSync(new URL('../../../docs/exit-codes.md', import.meta.url), 'utf8').split('\n');
    for (const [type, { exitCode }] of Object.entries(FAILURES)) {
      expect(rows.find((row) => row.includes(`\`${type}\``))).toMatch(new RegExp(`^\\| ${exitCode} \\|`));
    }
  });

  test.for(Object.keys(FAILURES) as FailureType[])('%s is retried as the table says', (type) => {
    const { tries } = FAILURES[type];
    const at = (attempt: number) =>
      toApplicationFailure(new LonghaulError(type, 'text'), attempt) as ApplicationFailure;
    expect(at(1)).toMatchObject({ type, message: 'text', nonRetryable: tries === 1 });
    expect(at(1_000).nonRetryable).toBe(tries !== null);
    expect(NON_RETRYABLE.includes(type)).toBe(tries === 1);
  });

  test('a rate limit sets the delay of the next retry', () => {
    const failure = toApplicationFailure(new LonghaulError('RateLimited', 'wait', { retryAfterMs: 90_000 }), 1);
    expect(failure).toMatchObject({ nextRetryDelay: 90_000, nonRetryable: false });
  });

  test('a wait is never longer than a timer allows', () => {
    const error = new LonghaulError('RateLimited', 'wait', { retryAfterMs: 99_999_999_999_999_000 });
    expect(toApplicationFailure(error, 1)).toMatchObject({ nextRetryDelay: 86_400_000 });
  });

  test('waiting for a rate limit is logged, with its end and its reason', async () => {
    const lines: Record<string, unknown>[] = [];
    const logger = new DefaultLogger('WARN', ({ meta }) => void lines.push(meta ?? {}));
    const environment = mockActivity({ activityType: 'findChanged' }, { interceptors: [namedFailures], logger });
    vi.useFakeTimers({ toFake: ['Date'], now: new Date('2026-01-01T00:00:00Z') });
    onTestFinished(() => void vi.useRealTimers());
    const wait = (_request: { group: string }): Promise<void> =>
      Promise.reject(new LonghaulError('RateLimited', 'the forge asks for patience', { retryAfterMs: 90_000 }));
    await expect(environment.run(wait, { group: 'critical' })).rejects.toMatchObject({ type: 'RateLimited' });
    const told = lines.filter(({ event }) => event === 'budget_wait');
    expect(told).toMatchObject([
      {
        activity: 'findChanged',
        group: 'critical',
        reason: 'the forge asks for patience',
        until: '2026-01-01T00:01:30.000Z',
      },
    ]);
  });

  test.for(['ENOSPC', 'EIO', 'EDQUOT', 'EROFS'])('the system error %s is DiskFailed', (code) => {
    const error = Object.assign(new Error(`${code}: write`), { code });
    expect(toApplicationFailure(error, 1)).toMatchObject({ type: 'DiskFailed', nonRetryable: false });
    expect(shownError(error)).toMatchObject({ type: 'DiskFailed', exitCode: 3 });
  });

  test('no secret of an error or its causes gets into the history', () => {
    const token = `ghp_${'a1'.repeat(18)}`;
    const deepest = new DOMException(`the token ${token} was refused`);
    const cause = new Error(`fatal: https://x:${token}@host/acme/api.git`, { cause: deepest });
    const failure = toApplicationFailure(new LonghaulError('GitFailed', `git said ${token}`, { cause }), 1);
    const unexpected = toApplicationFailure(new TypeError(`no ${token}`), 1);
    const texts = [failure, (failure as Error).cause, deepest, unexpected].flatMap((error) => {
      const { message, stack } = error as Error;
      return [message, stack];
    });
    expect(texts.join('\n')).not.toContain(token);
    expect(failure).toMatchObject({ type: 'GitFailed', message: 'git said [redacted]' });
    expect(cause.message).toBe('fatal: https://[redacted]@host/acme/api.git');
  });

  test('an unexpected error keeps its stack and fails after some attempts', () => {
    const error = new Error('nothing that we know');
    expect(toApplicationFailure(error, 1)).toBe(error);
    expect(toApplicationFailure(error, TRIES_WHEN_UNEXPECTED)).toMatchObject({
      nonRetryable: true,
      message: error.message,
    });
  });

  test('a programming error is not retried; a lost connection of fetch is', async () => {
    for (const Kind of [TypeError, ReferenceError]) {
      expect(toApplicationFailure(new Kind('x is not a function'), 1)).toMatchObject({
        type: Kind.name,
        nonRetryable: true,
      });
    }
    // a proxy answered with a page, or an answer was cut
    const page: unknown = await new Response('<html>').json().catch((error: unknown) => error);
    expect(page).toBeInstanceOf(SyntaxError);
    expect(toApplicationFailure(page, 1)).toBe(page);
    const lost: unknown = await fetch('http://127.0.0.1:1').catch((error: unknown) => error);
    expect(lost).toBeInstanceOf(TypeError);
    expect(toApplicationFailure(lost, 1)).toBe(lost);
  });
});

describe('an activity that finishes what is decided', () => {
  const types = ['ForgeUnavailable', 'PermissionMissing'] as const;
  test.each(types)('is repeated for as long as a server is away, and not when it is refused: %s', async (type) => {
    const refusedAt: number[] = [];
    for (const scheduleToCloseTimeoutMs of [6 * 3_600_000, LASTING_MS]) {
      const info = { scheduleToCloseTimeoutMs, activityId: `${type} ${scheduleToCloseTimeoutMs}` };
      const environment = mockActivity(info, { interceptors: [namedFailures] });
      const ends: boolean[] = [];
      for (let times = 1; times <= 7; times++) {
        const end = environment.run(() => Promise.reject(new LonghaulError(type, 'not now')));
        const failure = await end.catch((error: unknown) => error as ApplicationFailure);
        ends.push((failure as ApplicationFailure).nonRetryable === true);
      }
      refusedAt.push(ends.indexOf(true) + 1);
    }
    // 0: never
    expect(refusedAt).toEqual(type === 'ForgeUnavailable' ? [5, 0] : [1, 1]);
  });
});

describe('errors on the command line', () => {
  test('the deepest cause with a known type', () => {
    const cause = new LonghaulError('GitFailed', 'git fetch failed: timeout', { cause: new Error('spawn') });
    const wrapped = new Error('Workflow execution failed', { cause: new Error('Activity task failed', { cause }) });
    expect(shownError(wrapped)).toMatchObject({ type: 'GitFailed', message: 'git fetch failed: timeout', exitCode: 4 });
  });

  test('a refused connection is a server that does not answer', () => {
    const error = new Error('14 UNAVAILABLE: connect ECONNREFUSED 127.0.0.1:7233');
    expect(shownError(error)).toMatchObject({ type: 'ServerUnavailable', exitCode: 4 });
  });

  test('anything else is unexpected', () => {
    expect(shownError(new TypeError('boom'))).toMatchObject({ type: 'Unexpected', message: 'boom', exitCode: 70 });
  });
});
