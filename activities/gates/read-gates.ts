import type { GateView } from '../../domain/gates/gate.ts';
import type { Directory } from '../../domain/gates/people.ts';
import { LonghaulError } from '../../domain/shared/failures.ts';
import type { LedgerDatabase } from '../ledger/open-ledger.ts';
import { decisionsOf, findGate, viewOf } from './gate-rows.ts';

/** The open gates of all flows, the oldest first. With any login that reads gates. */
export async function openGates(ledger: LedgerDatabase, directory: Directory | null): Promise<readonly GateView[]> {
  const rows = await ledger
    .selectFrom('gates')
    .selectAll()
    .where('status', '=', 'open')
    .orderBy('requested_at')
    .orderBy('gate_id')
    .execute();
  const decisions = await decisionsOf(
    ledger,
    rows.map(({ gate_id: id }) => id),
  );
  const now = Date.now();
  return rows.map((row) => viewOf(row, decisions.get(row.gate_id) ?? [], directory, now));
}

/** A gate, open or closed. Throws `GateNotFound`. */
export async function readGate(ledger: LedgerDatabase, directory: Directory | null, id: string): Promise<GateView> {
  const row = await findGate(ledger, id);
  if (row === null) throw new LonghaulError('GateNotFound', `There is no gate ${id}.`);
  return viewOf(row, (await decisionsOf(ledger, [id])).get(id) ?? [], directory, Date.now());
}
