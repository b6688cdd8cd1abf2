import type { LedgerTransaction } from '../../ledger/open-ledger.ts';

/** The last promotion or withdrawal of a version, as its event; undefined for none. */
export function lastDecision(trx: LedgerTransaction, repository: string, version: string) {
  return trx
    .selectFrom('audit_events')
    .select(['event_type', 'details_json', 'why', 'timestamp'])
    .where('repository', '=', repository)
    .where('resource_type', '=', 'generation')
    .where('resource_id', '=', version)
    .where('event_type', 'in', ['generation.promoted', 'generation.withdrawn'])
    .orderBy('event_id', 'desc')
    .limit(1)
    .executeTakeFirst();
}
