import { sql } from 'kysely';
import { openBlobs } from '../blobs/open-blobs.ts';
import { openLedger } from '../ledger/open-ledger.ts';
import { ledgerFailure } from '../ledger/ledger-failure.ts';
import type { OpenRole, WorkerStart } from '../shared/wing-role.ts';
import { cancellerOf } from '../ledger/canceller.ts';
import { scheduleAnchors } from './anchor-schedule.ts';
import { createLedgerActivities } from './ledger.ts';
import { createTrainSchedules } from './train/train-schedule.ts';

/** Opens the tools of the role `ledger`: the database with the writer's login. Schedules the anchors of its audit trail. */
export async function openLedgerRole({ loaded, env, places, client }: WorkerStart): Promise<OpenRole> {
  const url = places.ledger();
  const ledger = openLedger(url);
  const blobs = await openBlobs(loaded, env);
  await scheduleAnchors(client);
  const check = async (): Promise<void> => {
    try {
      await sql`SELECT 1`.execute(ledger);
    } catch (error) {
      throw ledgerFailure(error, url);
    }
  };
  const { people, release } = loaded.config;
  const tools = {
    ledger,
    url,
    blobs,
    hasPeople: people.length > 0,
    announce: release.announce,
    cancelledBy: (run: Parameters<typeof cancellerOf>[1]) => cancellerOf(client, run),
  };
  return {
    activities: createLedgerActivities(tools, createTrainSchedules(client)),
    checks: [{ name: 'ledger', run: check }],
    close: () => ledger.destroy(),
  };
}
