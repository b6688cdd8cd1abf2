import { sql } from 'kysely';
import { LonghaulError } from '../../../domain/shared/failures.ts';
import { untilAborted } from '../../../platform/until-aborted.ts';
import type { LedgerDatabase } from '../../ledger/open-ledger.ts';

/** An attempt of an activity that changes clusters. */
export interface ChangingAttempt {
  readonly repository: string;
  readonly environment: string;
  /** The service that it changes, without anything of others; null for everything in the environment. */
  readonly service: string | null;
  /** When Temporal scheduled this attempt: an order of attempts, also of those of several runs. */
  readonly scheduledAt: Date;
}

/** The row of a whole environment: no service has an empty name. */
const EVERYTHING = '';

/** A later answer may no longer be true. */
const ANSWER_MS = 5_000;

/**
 * Ends what earlier attempts write to the same service, or to the environment: from now on their checks fail. Returns the
 * check of this attempt, to be made directly before each write. Both throw `StepTakenOver` when a later attempt has begun,
 * also one that was quicker than this one, and the error of the database when it does not answer in time.
 *
 * The order is that of Temporal, not that of arrival: an attempt that was given up before it came this far must not take
 * the place of the one that follows it.
 */
export async function takeFence(ledger: LedgerDatabase, attempt: ChangingAttempt): Promise<() => Promise<void>> {
  const { repository, environment, service, scheduledAt } = attempt;
  const check = async (): Promise<void> => {
    const later = await untilAborted(
      AbortSignal.timeout(ANSWER_MS),
      ledger
        .selectFrom('deployment_fences')
        .select('latest_attempt')
        .where('repository', '=', repository)
        .where('environment', '=', environment)
        .$if(service !== null, (query) => query.where('service', 'in', [service ?? EVERYTHING, EVERYTHING]))
        .where('latest_attempt', '>', scheduledAt)
        .limit(1)
        .executeTakeFirst(),
    );
    if (later === undefined) return;
    const what = service === null ? environment : `${service} in ${environment}`;
    throw new LonghaulError(
      'StepTakenOver',
      `A later attempt changes ${what} (scheduled ${later.latest_attempt.toISOString()}, this one ${scheduledAt.toISOString()}): this one writes nothing more.`,
    );
  };
  await ledger
    .insertInto('deployment_fences')
    .values({ repository, environment, service: service ?? EVERYTHING, latest_attempt: scheduledAt })
    .onConflict((conflict) =>
      conflict.columns(['repository', 'environment', 'service']).doUpdateSet({
        latest_attempt: sql<Date>`greatest(deployment_fences.latest_attempt, excluded.latest_attempt)`,
      }),
    )
    .execute();
  await check();
  return check;
}
