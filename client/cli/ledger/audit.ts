import { readAnchors, recordAnchor } from '../../../activities/ledger/anchors.ts';
import { readTagAnchors } from '../../../activities/ledger/tag-anchors.ts';
import { withLedger } from '../../../activities/ledger/open-ledger.ts';
import { verifyAudit } from '../../../activities/ledger/verify-audit.ts';
import { openBlobs } from '../../../activities/blobs/open-blobs.ts';
import { FAILURES, LonghaulError } from '../../../domain/shared/failures.ts';
import type { CliContext } from '../../core/context.ts';
import { readersLogin } from '../../core/ledger.ts';
import { loadedConfig } from '../../core/servers.ts';

/** Options of `longhaul audit verify`. */
export interface VerifyOptions {
  /** Print exactly one JSON value. */
  readonly json?: boolean;
  /** A clone, whose final tags are anchors too. */
  readonly tags?: string;
}

/**
 * `longhaul audit verify`: checks the audit trail against its hashes, and its end against the anchors in the blob store
 * and those in the messages of final tags. Returns 0. Throws `AuditDiffers` with the first event that is not as it was
 * written, `ServerUnavailable`, `AuthenticationFailed`, `LedgerOutdated`, and `InvalidInput` for a folder without git.
 */
export async function verify(context: CliContext, { json = false, tags }: VerifyOptions): Promise<number> {
  const tagged = tags === undefined ? [] : await readTagAnchors(tags, context.env);
  const blobs = await openBlobs(loadedConfig(context), context.env);
  const result = await withLedger(await readersLogin(context), async (ledger) =>
    verifyAudit(ledger, [...(await readAnchors(ledger, blobs)), ...tagged]),
  );
  const { events, anchors, finding } = result;
  if (json) {
    context.stdout.write(`${JSON.stringify(result)}\n`);
    return finding === null ? 0 : FAILURES.AuditDiffers.exitCode;
  }
  if (finding !== null) throw new LonghaulError('AuditDiffers', finding.message);
  const compared =
    ['there is no anchor outside the database', 'one anchor agrees'][anchors] ?? `${anchors} anchors agree`;
  context.stdout.write(`${events} events are as they were written; ${compared}.\n`);
  return 0;
}

/** `longhaul audit anchor`: records the end of the audit trail. Returns 0. Throws as {@link verify} and `openBlobs` do. */
export async function anchor(context: CliContext, { json = false }: { readonly json?: boolean }): Promise<number> {
  const blobs = await openBlobs(loadedConfig(context), context.env);
  const made = await withLedger(await readersLogin(context), (ledger) => recordAnchor(ledger, blobs));
  if (json) context.stdout.write(`${JSON.stringify(made)}\n`);
  else if (made === null) context.stdout.write('The audit trail is empty.\n');
  else context.stdout.write(`Event ${made.event_id} is recorded in ${blobs.place}: ${made.place}.\n`);
  return 0;
}
