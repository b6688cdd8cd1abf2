import type { GateDecision, GateReason } from '../../domain/gates/gate.ts';
import { recordEvent } from '../ledger/audit.ts';
import type { LedgerTransaction } from '../ledger/open-ledger.ts';
import type { GateRow } from './gate-rows.ts';

/** How a gate closes. */
export interface GateEnd {
  readonly status: 'approved' | 'rejected' | 'cancelled';
  readonly reason: GateReason;
  readonly runId: string;
  /** The decisions that counted. @default none */
  readonly decisions?: readonly GateDecision[];
  /** Decisions that were sent to the flow directly, and counted for nothing. @default 0 */
  readonly claims?: number;
  /** False where no people are configured. @default true */
  readonly authenticated?: boolean;
}

/** Closes a gate that is open, with its audit event. The caller has locked it. */
export async function closeGate(
  trx: LedgerTransaction,
  { gate_id: gateId, repository, workflow_id, kind, subject, digest }: GateRow,
  { status, reason, runId, decisions = [], claims = 0, authenticated = true }: GateEnd,
): Promise<void> {
  await trx
    .updateTable('gates')
    .set({ status, reason, closed_at: new Date() })
    .where('gate_id', '=', gateId)
    .where('status', '=', 'open')
    .execute();
  await recordEvent(trx, {
    event_type: `gate.${status}`,
    repository,
    resource_type: 'gate',
    resource_id: gateId,
    action: 'close',
    status: 'success',
    actor: 'longhaul',
    authenticated_by: authenticated ? 'system' : 'unauthenticated',
    workflow_id,
    run_id: runId,
    details: { kind, subject, digest, reason, decisions, ...(claims === 0 ? {} : { claims }) },
  });
}
