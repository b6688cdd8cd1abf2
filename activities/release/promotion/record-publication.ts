import { recordEvent } from '../../ledger/audit.ts';
import type { LedgerTransaction } from '../../ledger/open-ledger.ts';
import type { RunningFlow } from '../../ledger/acting-flow.ts';
import type { LedgerTools } from '../ledger-tools.ts';
import { notInLedger } from './generation-facts.ts';

/** What was published after a promotion. */
export interface Publication {
  readonly repository: string;
  readonly version: string;
  /** Digest of the notes. */
  readonly notes: string;
  /** A line each. */
  readonly published: readonly string[];
  readonly by: string;
}

/** See `LedgerActivities.recordPublication`. */
export async function recordPublication(
  { ledger }: Pick<LedgerTools, 'ledger'>,
  { repository, version, notes, published }: Publication,
  { workflowId, runId, who }: RunningFlow,
): Promise<void> {
  await ledger.transaction().execute(async (trx) => {
    const generation = await trx
      .selectFrom('generations')
      .select('generation_id')
      .where('repository', '=', repository)
      .where('version', '=', version)
      // an attempt that was given up may still run
      .forUpdate()
      .executeTakeFirst();
    if (generation === undefined) throw notInLedger(repository, version);
    const { generation_id: subject } = generation;
    await trx
      .insertInto('evidence')
      .values({ digest: notes, kind: 'release notes', subject, repository, blob: notes })
      .onConflict((conflict) => conflict.doNothing())
      .execute();
    const recorded = await recordedSincePromotion(trx, repository, version);
    const isRecorded = recorded !== null && published.every((line) => recorded.has(line));
    if (isRecorded) return;
    await recordEvent(trx, {
      event_type: 'generation.published',
      repository,
      resource_type: 'generation',
      resource_id: version,
      action: 'publish',
      status: 'success',
      ...who,
      workflow_id: workflowId,
      run_id: runId,
      details: { notes, published },
    });
  });
}

/** The lines that are recorded since the last promotion of a version; null when there is no record yet. */
async function recordedSincePromotion(
  trx: LedgerTransaction,
  repository: string,
  version: string,
): Promise<ReadonlySet<string> | null> {
  const events = await trx
    .selectFrom('audit_events')
    .select(['event_type', 'details_json'])
    .where('repository', '=', repository)
    .where('resource_type', '=', 'generation')
    .where('resource_id', '=', version)
    .where('event_type', 'in', ['generation.promoted', 'generation.published'])
    .orderBy('event_id', 'desc')
    .execute();
  const promoted = events.findIndex(({ event_type: type }) => type === 'generation.promoted');
  const since = promoted === -1 ? events : events.slice(0, promoted);
  if (since.length === 0) return null;
  return new Set(since.flatMap(({ details_json: details }) => (details as Pick<Publication, 'published'>).published));
}
