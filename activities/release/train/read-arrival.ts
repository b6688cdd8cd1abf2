import { arrivalOf, type TrainArrival } from '../../../domain/release/train/overtaken.ts';
import type { LedgerDatabase } from '../../ledger/open-ledger.ts';
import type { ReleaseKey } from '../deployment/released.ts';
import { type EnvironmentKey, stayedIn } from '../deployment/stayed.ts';

/** See `LedgerActivities.readArrival`. */
export async function readArrival(
  ledger: LedgerDatabase,
  { repository, environment, version }: EnvironmentKey & ReleaseKey,
): Promise<TrainArrival> {
  return arrivalOf(await stayedIn(ledger, { repository, environment }), { version, environment });
}
