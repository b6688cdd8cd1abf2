import type { GateVerdict, GateView } from '../../domain/gates/gate.ts';
import { outcomeOf } from '../../domain/gates/outcome.ts';
import type { Directory } from '../../domain/gates/people.ts';
import { LonghaulError } from '../../domain/shared/failures.ts';
import type { LedgerTransaction } from '../ledger/open-ledger.ts';
import { closeGate } from './close-gate.ts';
import { decisionsOf, findGate, lockGate, rulesOf, viewOf } from './gate-rows.ts';
import { type GateOfFlow, gateIdOf } from './open-gate.ts';

/** A flow reads its gate. */
export interface SettleGate extends GateOfFlow {
  readonly runId: string;
  /** The clock of the flow. ISO 8601. */
  readonly at: string;
  /** Decisions that were sent to the flow directly. */
  readonly claims: number;
}

/** A gate as its flow needs it. */
export interface GateState {
  readonly view: GateView;
  /** Null while the gate is open. */
  readonly verdict: GateVerdict | null;
}

/**
 * Reads the decisions of a gate, and closes it when they, or its deadline, decide it. A closed gate keeps its outcome.
 * Throws `GateClosed` for one that was cancelled.
 */
export async function settleGate(
  trx: LedgerTransaction,
  settle: SettleGate,
  directory: Directory | null,
): Promise<GateState> {
  const id = gateIdOf(settle);
  await lockGate(trx, id);
  const row = await findGate(trx, id);
  if (row === null) throw new LonghaulError('GateNotFound', `There is no gate ${id}.`);
  if (row.status === 'cancelled') throw new LonghaulError('GateClosed', `The gate ${id} was cancelled.`);
  const decisions = (await decisionsOf(trx, [id])).get(id) ?? [];
  const now = Date.parse(settle.at);
  const view = viewOf(row, decisions, directory, now);
  const { status, reason, counted } = outcomeOf(rulesOf(row, directory), decisions, now);
  const verdict = { gate: id, decisions: counted, authenticated: directory !== null };
  if (row.status !== 'open') {
    // closed by an earlier attempt whose answer was lost
    return { view, verdict: { ...verdict, status: row.status, reason: row.reason ?? 'quorum' } };
  }
  if (status === 'open') return { view, verdict: null };
  const { runId, claims } = settle;
  await closeGate(trx, row, { ...verdict, status, reason, runId, claims });
  return { view, verdict: { ...verdict, status, reason } };
}

/** Closes a gate whose flow no longer waits. Does nothing when it is closed, or was never opened. */
export async function cancelGate(trx: LedgerTransaction, gate: GateOfFlow & Pick<SettleGate, 'runId'>): Promise<void> {
  const id = gateIdOf(gate);
  await lockGate(trx, id);
  const row = await findGate(trx, id);
  if (row?.status !== 'open') return;
  await closeGate(trx, row, { status: 'cancelled', reason: 'cancelled', runId: gate.runId });
}
