import type { BlobStore } from '../blobs/blob-store.ts';
import type { ChainLink } from './audit.ts';
import type { LedgerDatabase } from './open-ledger.ts';

/** The end of the audit chain at some time, recorded outside the database. */
export interface Anchor extends ChainLink {
  /** Where it is recorded, for messages. */
  readonly place: string;
}

/**
 * Records the end of the audit chain in the blob store, where the database's logins cannot change it. Idempotent.
 * Returns null for a ledger without events.
 */
export async function recordAnchor(ledger: LedgerDatabase, blobs: BlobStore): Promise<Anchor | null> {
  const { ledger_id, event_id, hash } = await ledger.selectFrom('ledger').selectAll().executeTakeFirstOrThrow();
  if (event_id === 0) return null;
  const place = `${folderOf(ledger_id)}${String(event_id).padStart(15, '0')}-${hash}.json`;
  await blobs.putRecord(place, Buffer.from(`${JSON.stringify({ ledger_id, event_id, hash })}\n`));
  return { event_id, hash, place };
}

/** The anchors of a ledger in the blob store, by event. Their names have all of their content. */
export async function readAnchors(ledger: LedgerDatabase, blobs: BlobStore): Promise<readonly Anchor[]> {
  const { ledger_id } = await ledger.selectFrom('ledger').select('ledger_id').executeTakeFirstOrThrow();
  const anchors: Anchor[] = [];
  for await (const place of blobs.listRecords(folderOf(ledger_id))) {
    const [, event, hash] = /(\d{15})-([0-9a-f]{64})\.json$/.exec(place) ?? [];
    if (hash !== undefined) anchors.push({ event_id: Number(event), hash, place });
  }
  return anchors;
}

function folderOf(ledgerId: string): string {
  return `audit/${ledgerId}/`;
}
