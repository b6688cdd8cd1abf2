import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { Connection } from '@temporalio/client';
import { afterAll, beforeAll, expect, inject, test, vi } from 'vitest';
import { startDeclared } from '../../../client/core/start-flow.ts';
import { startEvolutionFlow } from '../../../domain/release/flows/evolution-flows.ts';
import { runTrainFlow, scheduleTrainFlow } from '../../../domain/release/flows/train-flows.ts';
import { DAYS } from '../../../domain/release/train/timetable.ts';
import { startDoomedWorker } from '../../support/doomed-process.ts';
import { impatientBundle } from '../../support/impatient.ts';
import { collectRuns } from '../../support/recorded-runs.ts';
import { brokenLinks, closeLane, type Lane, openLane } from '../../support/release/lives.ts';
import { REPOSITORY } from '../../support/release/releases.ts';
import { commit, generation, tagsOf, write } from '../../support/release/work.ts';
import { replayAll } from '../../support/replay.ts';
import { git } from '../../support/scratch-git.ts';

let folder: string;
let connection: Connection;
let lane: Lane;

beforeAll(async () => {
  const { temporalAddress, superuserUrl } = inject('stack');
  folder = await mkdtemp(join(tmpdir(), 'longhaul-train-'));
  connection = await Connection.connect({ address: temporalAddress });
  const bundle = await impatientBundle(folder);
  lane = await openLane('train', { connection, temporalAddress, superuserUrl, folder, bundle });
});

afterAll(async () => {
  await closeLane(lane);
  await connection.close();
  await rm(folder, { recursive: true, force: true, maxRetries: 5 });
});

test(
  'a train whose worker is killed before and at its departure leaves once, as soon as another worker is there',
  { timeout: 600_000 },
  async () => {
    const { client, clone, remote, ledger, started } = lane;
    // a second departure would release the second one
    const releases = { 'v1.0.0': 'FEAT-1', 'v1.1.0': 'FEAT-2' };
    for (const [version, change] of Object.entries(releases)) {
      write(clone, { [`.longhaul/generations/${version}.yaml`]: generation(version, [change]) });
    }
    const proven = commit(clone, 'feat: two changes [FEAT-1] [FEAT-2]');
    git(clone, 'push', '--quiet', 'origin', 'HEAD:main');
    for (const [version, change] of Object.entries(releases)) {
      const given = { repository: REPOSITORY, version, change, commit: proven };
      await (await startDeclared(client, startEvolutionFlow, given)).result();
    }
    // long enough for the train to be ready before
    const departure = new Date(Math.ceil((Date.now() + 30_000) / 60_000) * 60_000);
    const [day, time] = [DAYS[departure.getUTCDay()], departure.toISOString().slice(11, 16)];
    write(clone, { '.longhaul/policy.yaml': `train: {day: ${day}, time: "${time}"}\n` });
    const released = commit(clone, 'chore: a train');
    git(clone, 'push', '--quiet', 'origin', 'HEAD:main');
    await (await startDeclared(client, scheduleTrainFlow, { repository: REPOSITORY })).result();
    const begin = new Date();
    await client.schedule.getHandle(`train/${REPOSITORY}`).trigger();

    const train = client.workflow.getHandle(`train/${REPOSITORY}`);
    await vi.waitFor(async () => expect(await train.query('stages')).toMatchObject({ stage: 'wait' }), {
      timeout: 60_000,
      interval: 200,
    });
    expect(Date.now()).toBeLessThan(departure.getTime());
    await lane.worker.kill();
    await pause(departure.getTime() - Date.now() + 2_000);
    expect(tagsOf(remote)).not.toContain('v1.0.0');

    // late, and killed again, between the tag and its record
    lane.worker = await startDoomedWorker(lane.env, 'release');
    await lane.worker.arm({ kind: 'pushRelease: git push has ended', nth: 1 });
    expect(await lane.worker.ended).toBe('SIGKILL');
    lane.worker = await startDoomedWorker(lane.env, 'release');
    expect(await train.result()).toMatchObject({
      outcome: 'departed',
      version: 'v1.0.0',
      departure: departure.toISOString(),
    });

    // a start for the same departure, however it comes about, finds that the train has left
    const again = await startDeclared(client, runTrainFlow, { repository: REPOSITORY, after: begin.toISOString() });
    expect(await again.result()).toMatchObject({ outcome: 'left', departure: departure.toISOString() });
    expect(tagsOf(remote).filter((tag) => !tag.includes('rc'))).toEqual(['v1.0.0']);
    expect(git(remote, 'rev-parse', 'v1.0.0^{commit}')).toBe(released);
    const events = await ledger.sql<{ event_type: string; resource_id: string; isLate: boolean }>(
      `SELECT event_type, resource_id, timestamp >= $1 AS "isLate" FROM audit_events
       WHERE event_type IN ('train.departed', 'generation.promoted') ORDER BY event_id`,
      [departure.toISOString()],
    );
    expect(events).toEqual([
      { event_type: 'generation.promoted', resource_id: 'v1.0.0', isLate: true },
      { event_type: 'train.departed', resource_id: departure.toISOString(), isLate: true },
    ]);
    expect(await brokenLinks(lane)).toEqual([]);
    await replayAll(
      await collectRuns(client, [...started, [`train/${REPOSITORY}`, '']]),
      inject('stack').workflowBundle,
    );
  },
);
