import { sql } from 'kysely';
import type { Anchor } from './anchors.ts';
import { type ChainLink, firstHash, type HashedEvent, hashOfEvent, utcText } from './audit.ts';
import type { LedgerDatabase, LedgerTransaction } from './open-ledger.ts';

/** The first place at which the audit chain is not as it was written. */
export interface AuditFinding {
  readonly event_id: number;
  readonly problem: 'changed' | 'removed' | 'moved' | 'cut off' | 'replaced';
  /** One sentence. */
  readonly message: string;
}

/** What a verification read and found. */
export interface AuditVerification {
  /** Events that are as they were written. */
  readonly events: number;
  /** Anchors that the chain was compared with. */
  readonly anchors: number;
  /** Null when everything is as it was written. */
  readonly finding: AuditFinding | null;
}

/** Events in one page: few enough that memory stays flat. */
const PAGE = 2_000;

type StoredEvent = HashedEvent & ChainLink;

/**
 * Reads the audit chain from its first event to its end, in one snapshot, and compares every hash, the recorded end and
 * the anchors. Stops at the first difference.
 */
export async function verifyAudit(ledger: LedgerDatabase, anchors: readonly Anchor[]): Promise<AuditVerification> {
  return ledger
    .transaction()
    .setIsolationLevel('repeatable read')
    .setAccessMode('read only')
    .execute(async (trx) => {
      const recorded = await trx.selectFrom('ledger').selectAll().executeTakeFirstOrThrow();
      let last: ChainLink = { event_id: 0, hash: firstHash(recorded.ledger_id) };
      const result = (finding: AuditFinding | null): AuditVerification => ({
        events: last.event_id,
        anchors: anchors.length,
        finding,
      });
      const anchored = Map.groupBy(anchors, ({ event_id }) => event_id);
      for await (const page of pagesOf(trx)) {
        for (const event of page) {
          const finding =
            (await findingIn(trx, event, last)) ?? findingOfAnchors(event, anchored.get(event.event_id) ?? []);
          if (finding !== null) return result(finding);
          last = event;
        }
      }
      return result(findingAtEnd(last, recorded, anchors));
    });
}

/** All events in order, in pages. The server reads a page while the one before is verified. */
async function* pagesOf(trx: LedgerTransaction): AsyncGenerator<readonly StoredEvent[]> {
  await sql`
    DECLARE events NO SCROLL CURSOR FOR
    SELECT event_id, ${utcText('timestamp')} AS timestamp, event_type, repository, resource_type, resource_id, action,
      status, actor, authenticated_by, why, workflow_id, run_id, contract_digest, details_json, previous_hash, hash
    FROM audit_events ORDER BY event_id`.execute(trx);
  const read = async (): Promise<readonly StoredEvent[]> =>
    (await sql<StoredEvent>`FETCH ${sql.lit(PAGE)} FROM events`.execute(trx)).rows;
  let next = read();
  for (;;) {
    const page = await next;
    if (page.length === 0) return;
    next = read();
    // a reader that stops early does not wait for it
    next.catch(() => undefined);
    yield page;
  }
}

/** Whether an event is the one after `last`, and unchanged. */
async function findingIn(
  trx: LedgerTransaction,
  { event_id, hash, ...content }: StoredEvent,
  last: ChainLink,
): Promise<AuditFinding | null> {
  const expected = last.event_id + 1;
  if (event_id !== expected) {
    const { rows } = await sql<ChainLink>`
      SELECT event_id FROM audit_events WHERE previous_hash = ${last.hash} LIMIT 1`.execute(trx);
    const now = rows[0]?.event_id;
    return now === undefined
      ? { event_id: expected, problem: 'removed', message: `Event ${expected} was removed.` }
      : { event_id: expected, problem: 'moved', message: `Event ${expected} was moved: it is now event ${now}.` };
  }
  if (hashOfEvent(content) !== hash) {
    return { event_id, problem: 'changed', message: `Event ${event_id} was changed: it does not match its hash.` };
  }
  if (content.previous_hash === last.hash) return null;
  const { rows } = await sql<ChainLink>`
    SELECT event_id FROM audit_events WHERE hash = ${content.previous_hash}`.execute(trx);
  const before = rows[0]?.event_id;
  if (before !== undefined) {
    return { event_id, problem: 'moved', message: `Event ${event_id} was moved: it continues event ${before}.` };
  }
  return {
    event_id,
    problem: 'removed',
    message:
      `Event ${event_id} does not continue event ${last.event_id}: ` +
      `that one was rewritten with its hash, or events between them were removed.`,
  };
}

/** Whether the anchors of an event have its hash. */
function findingOfAnchors({ event_id, hash }: ChainLink, anchors: readonly Anchor[]): AuditFinding | null {
  const other = anchors.find((anchor) => anchor.hash !== hash);
  if (other === undefined) return null;
  const message =
    `Event ${event_id} was replaced: the anchor ${other.place} has another hash. ` +
    'It, or an event before it, was rewritten, or events were added to an old copy of the ledger.';
  return { event_id, problem: 'replaced', message };
}

/** Whether the chain ends where the ledger and the anchors say. */
function findingAtEnd(last: ChainLink, recorded: ChainLink, anchors: readonly Anchor[]): AuditFinding | null {
  const next = last.event_id + 1;
  const cutOff = (message: string): AuditFinding => ({ event_id: next, problem: 'cut off', message });
  const beyond = anchors.findLast(({ event_id }) => event_id > last.event_id);
  if (beyond !== undefined) {
    return cutOff(
      `Event ${next} was cut off at the end: the ledger ends with event ${last.event_id}, and the anchor ` +
        `${beyond.place} names event ${beyond.event_id}. Events were deleted, or an old copy of the ledger was restored.`,
    );
  }
  if (recorded.event_id > last.event_id) {
    return cutOff(`Events ${next} to ${recorded.event_id} were cut off at the end.`);
  }
  if (recorded.event_id === last.event_id && (last.event_id === 0 || recorded.hash === last.hash)) return null;
  const message = `Event ${last.event_id} is not the end that the ledger records, which is event ${recorded.event_id}.`;
  return { event_id: last.event_id, problem: 'replaced', message };
}
