import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { heartbeating } from '../../../activities/shared/heartbeating.ts';
import { mockActivity } from '../../support/mock-activity.ts';

/** This process does nothing for so long, as one whose machine stands still. */
function standStill(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}

const work = async (signal: AbortSignal): Promise<string> => {
  await delay(10);
  standStill(700);
  await delay(0);
  return signal.aborted ? (signal.reason as Error).message : 'goes on';
};

describe('an activity whose process stands still', () => {
  it('is ended where another worker may have begun its work', async () => {
    const activity = mockActivity({ heartbeatTimeoutMs: 900 });
    expect(await activity.run(() => heartbeating(work, { endsWhenAway: true }))).toMatch(
      /^This process was away for [01] s: another worker may do its work\.$/u,
    );
  });

  it('goes on where that does no harm, and after a pause that is too short', async () => {
    expect(await mockActivity({ heartbeatTimeoutMs: 900 }).run(() => heartbeating(work))).toBe('goes on');
    const patient = mockActivity({ heartbeatTimeoutMs: 60_000 });
    expect(await patient.run(() => heartbeating(work, { endsWhenAway: true }))).toBe('goes on');
  });
});
