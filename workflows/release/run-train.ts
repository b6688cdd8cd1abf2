import { ContinueAsNew, continueAsNew, isCancellation, sleep, workflowInfo } from '@temporalio/workflow';
import { runTrainFlow, type RunTrainInput, type RunTrainResult } from '../../domain/release/flows/train-flows.ts';
import type { TrainPlan } from '../../domain/release/train/train.ts';
import { failureOf } from '../shared/failure.ts';
import type { StartFrom } from '../../domain/shared/stages.ts';
import { type FlowStages, stagesOf } from '../shared/stages.ts';
import { act, recordingRefusal } from '../shared/act.ts';
import { commitActivities, ledgerActivities } from './activities.ts';
import { deployTrain } from './deploy-train.ts';
import { holding } from './hold-train.ts';
import { readGates, type Left, readTrainPlan, reasonsOf, type TrainRun, type TrainWork } from './plan-train.ts';
import { promoteTrain } from './promote-train.ts';

/** What each stage hands on. */
interface Outputs extends Record<string, unknown> {
  readonly timetable: Pick<TrainPlan, 'departure' | 'cutOff' | 'hasLeft'>;
  readonly offer: { readonly version: string | null };
  readonly wait: null;
  readonly promotion: Left | null;
  /** Why it was not deployed; null when it was, or goes nowhere. */
  readonly deployment: string | null;
}

/** The most characters of gates that a run hands on: with more, a refused promotion is tried once more. */
const LONGEST_TRIED = 10_000;

/** What a run hands to the one that continues it. */
export interface ContinuedTrain {
  readonly from: StartFrom<Outputs>;
  /** When its stage began to hold, in milliseconds. */
  readonly heldSince: number;
  /** See {@link TrainWork.tried}. */
  readonly tried: string;
}

/**
 * The release train of a repository (docs/train.md). At the cut-off it offers the changes that are not proven to the next
 * generation; at its departure it promotes the generation, and deploys it, or holds until that can be done. The contract
 * of the default branch decides when; the schedule only starts it.
 */
export function runTrain(asked: RunTrainInput & { readonly continued?: ContinuedTrain }): Promise<RunTrainResult> {
  const { input, continued } = continuedOf(asked);
  const stages = stagesOf<Outputs>(['timetable', 'offer', 'wait', 'promotion', 'deployment'], continued?.from);
  const work = async (): Promise<RunTrainResult> => {
    const start = startOf();
    // the child that has the lock gets it too
    return act(runTrainFlow, { after: start, ...input }, (checked) => {
      const given = { ...checked, after: checked.after ?? start };
      return given.dryRun ? look(given) : run(given, stages, continued);
    });
  };
  // a dry run is no act
  return input?.dryRun === true ? work() : recordingRefusal(runTrainFlow, input, work);
}

/** The input, and what the run before this one has handed on; only a run that continues another one may have that. */
function continuedOf(asked: RunTrainInput & { readonly continued?: ContinuedTrain }): {
  readonly input: RunTrainInput;
  readonly continued: ContinuedTrain | null;
} {
  if (workflowInfo().continuedFromExecutionRunId === undefined) return { input: asked, continued: null };
  const { continued = null, ...input } = asked;
  return { input, continued };
}

/** When the schedule was to start this run; when it was started, for a run without a schedule. */
function startOf(): string {
  const { searchAttributes, startTime } = workflowInfo();
  const [scheduled] = (searchAttributes['TemporalScheduledStartTime'] ?? []) as readonly Date[];
  return (scheduled ?? startTime).toISOString();
}

/** What `longhaul train status` shows. */
async function look(given: TrainRun): Promise<RunTrainResult> {
  const { repository } = given;
  const plan = await readTrainPlan(given);
  const { train, departure, cutOff, generation, contracts } = plan;
  const state = await ledgerActivities.readTrain.executeWithOptions({ summary: 'its schedule, and the last one' }, [
    { repository, contracts },
  ]);
  const withdrawn = generation?.withdrawn ?? null;
  const waitsFor = [
    ...(withdrawn === null ? [] : [withdrawn]),
    ...(generation === null ? [] : reasonsOf(await readGates(given, plan, generation))),
  ];
  return {
    report: { ...state, repository, train, departure, cutOff, generation, waitsFor },
    departure,
    outcome: 'none',
    version: generation?.version ?? null,
    environment: train.environment,
  };
}

async function run(
  given: TrainRun,
  stages: FlowStages<Outputs>,
  continued: ContinuedTrain | null,
): Promise<RunTrainResult> {
  const tried = { gates: continued?.tried ?? '' };
  const hold: Pick<TrainWork, 'show' | 'heldSince' | 'tried' | 'renew'> = {
    show: stages.show,
    tried,
    heldSince: () => (continued?.from.stage === stages.position().stage ? continued.heldSince : null),
    renew: (heldSince) =>
      continueAsNew<typeof runTrain>({
        ...given,
        continued: { from: stages.position(), heldSince, tried: tried.gates.length > LONGEST_TRIED ? '' : tried.gates },
      }),
  };
  const plan = await stages.run('timetable', () =>
    holding(hold, async () => {
      const { departure, cutOff, hasLeft } = await readTrainPlan(given);
      return { done: { departure, cutOff, hasLeft } };
    }),
  );
  const { departure } = plan;
  const ended = { report: null, departure, version: null, environment: null };
  if (plan.hasLeft) return { ...ended, outcome: 'left' };
  const work: TrainWork = {
    given,
    ...hold,
    record: (event, version, details = []) =>
      ledgerActivities.recordTrain.executeWithOptions({ summary: `record: ${event}` }, [
        { repository: given.repository, by: given.by, event, departure, version, details: details.slice(0, 100) },
      ]),
  };
  await sleepUntil(plan.cutOff, 'cut-off');
  const { version: chosen } = await stages.run('offer', () => offer(work));
  await stages.run('wait', async () => {
    stages.show(`leaves at ${departure.slice(0, 16)}Z`);
    await sleepUntil(departure, 'departure');
    return null;
  });
  const left = await stages.run('promotion', () => promoteTrain(work, chosen));
  if (left === null) {
    await work.record('departed', null);
    return { ...ended, outcome: 'empty' };
  }
  const { version, environment } = left;
  await work.record('departed', version);
  const overtaken = await stages.run('deployment', async () => {
    if (environment === null) return null;
    let why: string | null;
    try {
      why = await deployTrain(work, { version, environment });
    } catch (error) {
      if (!isCancellation(error) && !(error instanceof ContinueAsNew))
        await work.record('failed', version, [failureOf(error).error]);
      throw error;
    }
    if (why === null) await work.record('arrived', version, [environment]);
    else await work.record('overtaken', version, [why]);
    return why;
  });
  if (overtaken !== null) return { ...ended, outcome: 'overtaken', version };
  return { ...ended, outcome: 'departed', version, environment };
}

/** Offers the changes that are not proven to the next generation. Returns the version that is on the train. */
async function offer(work: TrainWork): Promise<{ readonly version: string | null }> {
  const { given, record, show, heldSince, renew } = work;
  const { repository } = given;
  const { generation, move, departure, packed } = await holding({ show, heldSince, renew }, async () => ({
    done: await readTrainPlan(given, null, { withMove: true }),
  }));
  const version = generation?.version ?? null;
  if (move === null) return { version };
  show(`offers ${move.changes.join(', ')} to ${move.to}`);
  const offered = await commitActivities.offerMove
    .executeWithOptions({ summary: `offer ${move.changes.length} changes to ${move.to}` }, [
      { repository, departure, at: new Date(Date.now()).toISOString(), from: packed.commit, move },
    ])
    .catch((error: unknown) => {
      if (isCancellation(error)) throw error;
      // the train leaves without the offer
      return `missing (${failureOf(error).error})`;
    });
  await record('offered', version, [`${move.changes.join(', ')} to ${move.to}: ${offered}`]);
  return { version };
}

/** Waits until an instant; not at all when it is over. */
async function sleepUntil(instant: string, summary: string): Promise<void> {
  const rest = Date.parse(instant) - Date.now();
  if (rest > 0) await sleep(rest, { summary });
}
