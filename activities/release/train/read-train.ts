import { TRAIN_EVENTS, type TrainEvent, type TrainState } from '../../../domain/release/train/train.ts';
import { recordEvent } from '../../ledger/audit.ts';
import { readContracts } from '../contracts/stored-contracts.ts';
import type { RunningFlow } from '../../ledger/acting-flow.ts';
import type { LedgerTools } from '../ledger-tools.ts';
import { trainOf } from './plan-train.ts';
import type { TrainSchedules } from './train-schedule.ts';

/** Tools for the schedules of trains. */
type TrainTools = Pick<LedgerTools, 'ledger' | 'blobs'> & { readonly trains: TrainSchedules };

/** Asks for the train of a repository. */
export interface ReadTrain {
  readonly repository: string;
  /** Digest of the contracts of the default branch. */
  readonly contracts: string;
}

/** Asks to start or stop the train of a repository. */
export interface ScheduleTrain {
  readonly repository: string;
  /** Digest of the contracts of the default branch; null deletes the schedule. */
  readonly contracts: string | null;
  readonly by: string;
}

/** Events that are read: those of one departure are fewer. */
const MOST_EVENTS = 20;

/** See `LedgerActivities.readTrain`. */
export async function readTrain(
  { ledger, blobs, trains }: TrainTools,
  { repository, contracts: stored }: ReadTrain,
): Promise<TrainState> {
  const contracts = await readContracts(blobs, stored, `the default branch of ${repository}`);
  const state = await trains.read(repository, trainOf(contracts, repository));
  const rows = await ledger
    .selectFrom('audit_events')
    .select(['event_type', 'resource_id', 'timestamp', 'details_json'])
    .where('repository', '=', repository)
    .where(
      'event_type',
      'in',
      TRAIN_EVENTS.map((event) => `train.${event}`),
    )
    .orderBy('event_id', 'desc')
    .limit(MOST_EVENTS)
    .execute();
  const last = rows
    .filter(({ resource_id: departure }) => departure === rows[0]?.resource_id)
    .toReversed()
    .map(({ event_type: type, resource_id: departure, timestamp, details_json: json }) => {
      const { version, details } = json as unknown as Pick<TrainEvent, 'version' | 'details'>;
      const event = type.slice('train.'.length) as TrainEvent['event'];
      return { event, departure, version, details, time: new Date(timestamp).toISOString() };
    });
  return { ...state, last };
}

/** See `LedgerActivities.scheduleTrain`. */
export async function setTrainSchedule(
  { ledger, blobs, trains }: TrainTools,
  { repository, contracts: stored }: ScheduleTrain,
  { workflowId, runId, who }: RunningFlow,
): Promise<void> {
  if (stored === null) await trains.stop(repository);
  else {
    const contracts = await readContracts(blobs, stored, `the default branch of ${repository}`);
    await trains.start(repository, trainOf(contracts, repository));
  }
  const action = stored === null ? 'stopped' : 'started';
  await ledger.transaction().execute(async (trx) => {
    await trx.selectFrom('ledger').select('event_id').forUpdate().executeTakeFirstOrThrow();
    const known = await trx
      .selectFrom('audit_events')
      .select('event_id')
      .where('run_id', '=', runId)
      .where('event_type', '=', `train.${action}`)
      .executeTakeFirst();
    if (known !== undefined) return;
    await recordEvent(trx, {
      event_type: `train.${action}`,
      repository,
      resource_type: 'train',
      resource_id: repository,
      action: 'schedule',
      status: 'success',
      ...who,
      workflow_id: workflowId,
      run_id: runId,
    });
  });
}
