import { releaseBefore, standing } from '../../../domain/release/deployment/standing.ts';
import type { Recovery, RecoveryFacts } from '../../../domain/release/promotion/recovery.ts';
import { LonghaulError } from '../../../domain/shared/failures.ts';
import { sha256 } from '../../../platform/sha256.ts';
import { recordEvent } from '../../ledger/audit.ts';
import type { LedgerDatabase } from '../../ledger/open-ledger.ts';
import { stayedIn } from '../deployment/stayed.ts';
import type { RunningFlow } from '../../ledger/acting-flow.ts';
import type { LedgerTools } from '../ledger-tools.ts';
import { notInLedger } from './generation-facts.ts';
import { lastDecision } from './last-decision.ts';

/** A bad release in an environment. */
export interface BadRelease {
  readonly repository: string;
  readonly version: string;
  readonly environment: string;
  /** What is wrong with it. */
  readonly why: string;
  /** What happens to its tag when it is withdrawn. */
  readonly tag: 'keep' | 'remove';
}

/** See `LedgerActivities.recoveryFacts`. */
export async function recoveryFacts(
  ledger: LedgerDatabase,
  { repository, version, environment, why, tag }: BadRelease,
): Promise<RecoveryFacts> {
  const { found, last } = await ledger.transaction().execute(async (trx) => ({
    found: await trx
      .selectFrom('generations')
      .select(['status', 'commit'])
      .where('repository', '=', repository)
      .where('version', '=', version)
      .executeTakeFirst(),
    last: await lastDecision(trx, repository, version),
  }));
  if (found === undefined) throw notInLedger(repository, version);
  const isPromoted = found.status === 'promoted';
  if (!isPromoted && last?.event_type !== 'generation.withdrawn') {
    throw new LonghaulError(
      'InvalidInput',
      `${version} of ${repository} was not promoted: there is nothing to take back.`,
    );
  }
  const releases = standing(await stayedIn(ledger, { repository, environment }));
  const present = releases.at(-1)?.version ?? null;
  return {
    isPromoted,
    commit: found.commit,
    present,
    before: present === version ? releaseBefore(releases) : null,
    digest: sha256(JSON.stringify([repository, version, found.commit, environment, why, tag])),
  };
}

/** What was decided about a bad release. */
export interface RecordRecovery extends Omit<BadRelease, 'tag'> {
  readonly back: Recovery['back'];
  readonly present: string | null;
  readonly decision: Recovery['decision'];
  readonly decidedBy: readonly string[];
  readonly by: string;
}

/** See `LedgerActivities.recordRecovery`. */
export async function recordRecovery(
  { ledger }: Pick<LedgerTools, 'ledger'>,
  { repository, version, environment, why, back, present, decision, decidedBy }: RecordRecovery,
  { workflowId, runId, who }: RunningFlow,
): Promise<void> {
  await ledger.transaction().execute(async (trx) => {
    const before = await trx
      .selectFrom('audit_events')
      .select('event_id')
      .where('run_id', '=', runId)
      .where('event_type', '=', 'generation.recovered')
      .executeTakeFirst();
    if (before !== undefined) return;
    await recordEvent(trx, {
      event_type: 'generation.recovered',
      repository,
      resource_type: 'generation',
      resource_id: version,
      action: 'recover',
      status: 'success',
      ...who,
      why,
      workflow_id: workflowId,
      run_id: runId,
      details: { environment, back, present, decision, decidedBy },
    });
  });
}
