import { firstHash, type HashedEvent, hashOfEvent } from '../activities/ledger/audit.ts';
import { ledgerLogins } from '../activities/ledger/logins.ts';
import { migrateLedger } from '../activities/ledger/migrate.ts';
import { type LedgerDatabase, openLedger } from '../activities/ledger/open-ledger.ts';
import { verifyAudit } from '../activities/ledger/verify-audit.ts';
import { mustEqual, timed } from './harness.ts';
import type { BenchContext, Benchmark, Figure } from './harness.ts';
import { startServers } from './servers.ts';

const EVENTS = 100_000;
/** Events in one insert. */
const BATCH = 1_000;
/** Between two readings of the memory of this process, in milliseconds. */
const READING_MS = 20;
const MB = 1e6;

/** Verifies an audit trail of 100,000 events in a real PostgreSQL, with the reader's login. */
export const audit: Benchmark = { about: `audit verify of ${EVENTS} events`, measure };

async function measure(context: BenchContext): Promise<Figure[]> {
  const stack = await startServers(context, ['postgres']);
  try {
    const logins = ledgerLogins(stack.postgres.url, {});
    await migrateLedger(logins, { actor: 'bench' });
    context.note(`writing ${EVENTS} events`);
    const owner = openLedger(logins.owner);
    await writeEvents(owner);
    await owner.destroy();
    const seconds: number[] = [];
    const megabytes: number[] = [];
    for (let run = 0; run < context.runs; run++) {
      const reader = openLedger(logins.reader);
      const start = process.memoryUsage.rss();
      let peak = start;
      const timer = setInterval(() => (peak = Math.max(peak, process.memoryUsage.rss())), READING_MS);
      const verified = await timed(() => verifyAudit(reader, []));
      clearInterval(timer);
      await reader.destroy();
      mustEqual('finding', verified.result.finding, null);
      mustEqual('events', verified.result.events, EVENTS);
      seconds.push(verified.seconds);
      megabytes.push((peak - start) / MB);
    }
    return [
      { what: `audit verify of ${EVENTS} events`, unit: 's', values: seconds, bar: '≤ 10' },
      { what: '  memory above that before', unit: 'MB', values: megabytes },
    ];
  } finally {
    await stack.stop();
  }
}

/** Appends events in large inserts, with the hashes that appends one by one would have. */
async function writeEvents(ledger: LedgerDatabase): Promise<void> {
  const end = await ledger.selectFrom('ledger').selectAll().executeTakeFirstOrThrow();
  let { event_id, hash } = end;
  if (event_id === 0) hash = firstHash(end.ledger_id);
  for (let first = event_id + 1; first <= EVENTS; first += BATCH) {
    const rows = [];
    for (event_id = first; event_id < first + BATCH && event_id <= EVENTS; event_id++) {
      const content = eventAfter(hash, event_id);
      hash = hashOfEvent(content);
      rows.push({ ...content, event_id, hash, details_json: JSON.stringify(content.details_json) });
    }
    await ledger.insertInto('audit_events').values(rows).execute();
  }
  await ledger.updateTable('ledger').set({ event_id: EVENTS, hash }).execute();
}

function eventAfter(previous: string, number: number): HashedEvent {
  return {
    event_type: 'evolution.passed',
    repository: 'work/acme/orders',
    resource_type: 'evolution',
    resource_id: `evolution-${number}`,
    action: 'prove',
    status: 'success',
    actor: 'ada@example.com',
    authenticated_by: 'api-key',
    why: null,
    workflow_id: 'generation/work/acme/orders/v1.5.0',
    run_id: '0197a4d2-7c1e-7bb3-9d40-3f2f8a6b1c55',
    contract_digest: hashOf(number),
    details_json: { rc: number, tag: `v1.5.0-rc.${number}`, steps: ['unit-tests', 'e2e-tests'], seconds: 12.5 },
    timestamp: '2026-11-29T16:00:00.123456Z',
    previous_hash: previous,
  };
}

function hashOf(number: number): string {
  return number.toString(16).padStart(64, '0');
}
