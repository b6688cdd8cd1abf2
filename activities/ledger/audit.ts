import canonicalize from 'canonicalize';
import { sql } from 'kysely';
import { sha256 } from '../../platform/sha256.ts';
import type { LedgerTransaction } from './open-ledger.ts';

/** An act, accepted or refused: who, how it was proved who, when, what, why, in which run, under which contract. */
export interface AuditEvent {
  /** What happened: `generation.promoted`. */
  readonly event_type: string;
  /** @default null, for an act that belongs to no repository */
  readonly repository?: string | null;
  readonly resource_type: string;
  readonly resource_id: string;
  readonly action: string;
  readonly status: 'success' | 'refused' | 'failure';
  /** The person or program. */
  readonly actor: string;
  /** How it was proved who: `api-key`, `oidc`, `database login`, `system`, `unauthenticated`. */
  readonly authenticated_by: string;
  /** The reason that a person gave. @default null */
  readonly why?: string | null;
  /** The flow in Temporal. @default null */
  readonly workflow_id?: string | null;
  /** The run of that flow. @default null */
  readonly run_id?: string | null;
  /** SHA-256 of the contract that applied. @default null */
  readonly contract_digest?: string | null;
  /** Anything else, as JSON. @default {} */
  readonly details?: Readonly<Record<string, unknown>>;
}

/** The place of an event in the chain. */
export interface ChainLink {
  /** 1 for the first event. */
  readonly event_id: number;
  /** SHA-256, 64 hexadecimal digits. */
  readonly hash: string;
}

/** The content of an event that its hash covers, in the form in which it is hashed. */
export interface HashedEvent extends Required<Omit<AuditEvent, 'details'>> {
  /** UTC in microseconds: `2026-11-29T16:00:00.000000Z`. */
  readonly timestamp: string;
  readonly details_json: Readonly<Record<string, unknown>>;
  /** The hash of the event before it; for the first one that of the ledger's id. */
  readonly previous_hash: string;
}

/** A time as {@link HashedEvent} has it. */
export const utcText = (column: string): ReturnType<typeof sql.raw> =>
  sql.raw(`to_char(${column} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')`);

/** SHA-256 of an event in canonical JSON (RFC 8785). */
export function hashOfEvent(event: HashedEvent): string {
  return sha256(canonicalize(event) ?? '');
}

/** The hash that the first event of a ledger continues. */
export function firstHash(ledgerId: string): string {
  return sha256(ledgerId);
}

/**
 * Appends an event to the chain, in the transaction of the act that it records: both or neither exist. Call it last:
 * from here until the commit, other appends wait. Returns the event's place.
 */
export async function recordEvent(trx: LedgerTransaction, event: AuditEvent): Promise<ChainLink> {
  const end = await trx
    .selectFrom('ledger')
    .select(['ledger_id', 'event_id', 'hash'])
    .forUpdate()
    .executeTakeFirstOrThrow();
  const { rows } = await sql<{ now: string }>`SELECT ${utcText('clock_timestamp()')} AS now`.execute(trx);
  const { details = {}, ...fields } = event;
  const hashed: HashedEvent = storable({
    repository: null,
    why: null,
    workflow_id: null,
    run_id: null,
    contract_digest: null,
    ...fields,
    timestamp: rows[0]?.now ?? '',
    details_json: details,
    previous_hash: end.event_id === 0 ? firstHash(end.ledger_id) : end.hash,
  });
  const link = { event_id: end.event_id + 1, hash: hashOfEvent(hashed) };
  await trx
    .insertInto('audit_events')
    .values({ ...hashed, ...link, details_json: JSON.stringify(hashed.details_json) })
    .execute();
  await trx.updateTable('ledger').set(link).execute();
  return link;
}

/** A value as the database can store it: PostgreSQL's text has no NUL, and JSON no half of a surrogate pair. */
export function storable<Value>(value: Value): Value {
  const text = JSON.stringify(value);
  // an escaped backslash is matched too, so that the u after it is not taken for an escape
  const replaced = text.replaceAll(/\\\\|\\u(?:0000|d[89a-f][\da-f]{2})/g, (found) =>
    found === '\\\\' ? found : '\\ufffd',
  );
  return JSON.parse(replaced) as Value;
}
