import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Connection } from '@temporalio/client';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { type Boundary, boundariesOf } from '../../support/doomed-process.ts';
import { impatientBundle } from '../../support/impatient.ts';
import { collectRuns } from '../../support/recorded-runs.ts';
import {
  abandonLife,
  brokenLinks,
  closeLane,
  type Lane,
  type LanePlace,
  liveThrough,
  openLane,
  type Scenario,
  type Stage,
  STAGES,
} from '../../support/release/lives.ts';
import { sampleWithKinds } from '../../support/sample-of-kinds.ts';
import { replayAll } from '../../support/replay.ts';

/** The last boundary of each of these kinds is killed in every run. */
const ALWAYS: Readonly<Record<Stage, readonly string[]>> = {
  refute: ['judgeEvolution: a commit is answered', 'runJob: bwrap runs'],
  prove: ['startEvolution: a commit is answered', 'pushCandidate: git push has ended'],
  promote: [
    'openGate: a commit is answered',
    'settleGate: a commit is asked',
    'pushRelease: git push runs',
    'commitPromotion: a commit is asked',
    'commitPromotion: a commit is answered',
    'recordPart: a commit is answered',
  ],
  hotfix: ['pushBranch: git push has ended', 'openHotfix: a commit is answered'],
  'release hotfix': ['pushRelease: git push runs', 'offerHotfix: git push has ended'],
  withdraw: ['withdrawGeneration: a commit is answered', 'removeTag: git push has ended'],
};
/** How many boundaries of each stage are killed in every run, spread evenly over their kinds. */
const SAMPLE = 10;
/** Scenarios that run in parallel: the detection of a dead worker takes a while, but no processor time. */
const LANES = 4;

let place: LanePlace;
const lanes: Lane[] = [];

beforeAll(async () => {
  const { temporalAddress, superuserUrl } = inject('stack');
  const folder = await mkdtemp(join(tmpdir(), 'longhaul-release-sweep-'));
  const connection = await Connection.connect({ address: temporalAddress });
  place = { connection, temporalAddress, superuserUrl, folder, bundle: await impatientBundle(folder) };
});

afterAll(async () => {
  await Promise.all(lanes.map(closeLane));
  await place.connection.close();
  await rm(place.folder, { recursive: true, force: true, maxRetries: 5 });
});

async function open(name: string): Promise<Lane> {
  const lane = await openLane(name, place);
  lanes.push(lane);
  return lane;
}

test(
  'the next worker ends what a killed worker left: remote, ledger and audit agree',
  { timeout: 14_400_000 },
  async () => {
    const reference = await open('reference');
    const boundaries = {} as Record<Stage, Boundary[]>;
    await liveThrough(reference, {}, async (stage) => {
      boundaries[stage] = boundariesOf(await reference.worker.report());
    });
    const every = STAGES.reduce((sum, stage) => sum + boundaries[stage].length, 0);
    const chosen = process.env['FULL_SWEEP'] === '1' ? boundaries : sampleOf(boundaries);
    const scenarios = scenariosOf(chosen);

    const failures: string[] = [];
    let survived = 0;
    const work = async (lane: Lane): Promise<void> => {
      for (let scenario = scenarios.shift(); scenario; scenario = scenarios.shift()) {
        try {
          await liveThrough(lane, scenario, async (stage) => {
            if (scenario?.[stage]) survived++;
          });
        } catch (error) {
          const failure = `${JSON.stringify(scenario)}: ${error instanceof Error ? error.message : String(error)}`;
          failures.push(failure);
          process.stderr.write(`${failure}\n`);
          await abandonLife(lane);
        }
      }
    };
    const others = Array.from({ length: Math.min(LANES, scenarios.length) - 1 }, (_, at) =>
      open(`lane${at}`).then(work),
    );
    await Promise.all([work(reference), ...others]);

    const asked = STAGES.reduce((sum, stage) => sum + chosen[stage].length, 0);
    process.stderr.write(
      `kill sweep of a release: ${survived} of ${asked}${asked < every ? ` (FULL_SWEEP=1: of ${every})` : ''}\n`,
    );
    expect(failures).toEqual([]);
    for (const lane of lanes) {
      expect(await brokenLinks(lane)).toEqual([]);
      await replayAll(await collectRuns(lane.client, lane.started), inject('stack').workflowBundle);
    }
  },
);

/** The same ones in every run. */
function sampleOf(boundaries: Record<Stage, readonly Boundary[]>): Record<Stage, Boundary[]> {
  const chosen = STAGES.map((stage) => [stage, sampleWithKinds(boundaries[stage], ALWAYS[stage], SAMPLE)]);
  return Object.fromEntries(chosen) as Record<Stage, Boundary[]>;
}

/** The fewest scenarios that cover every boundary. */
function scenariosOf(boundaries: Record<Stage, readonly Boundary[]>): Scenario[] {
  const most = Math.max(...STAGES.map((stage) => boundaries[stage].length));
  return Array.from({ length: most }, (_, at) => {
    const dooms = STAGES.flatMap((stage) => {
      const doom = boundaries[stage][at];
      return doom ? [[stage, doom] as const] : [];
    });
    return Object.fromEntries(dooms);
  });
}
