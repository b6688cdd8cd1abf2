import { type Selectable, sql } from 'kysely';
import type { GateDecision, GateRules, GateView } from '../../domain/gates/gate.ts';
import { outcomeOf } from '../../domain/gates/outcome.ts';
import { type Directory, membersOf, peopleNamed } from '../../domain/gates/people.ts';
import type { LedgerDatabase, LedgerTransaction } from '../ledger/open-ledger.ts';
import type { LedgerTables } from '../ledger/tables.ts';

/** A row of `gates`. */
export type GateRow = Selectable<LedgerTables['gates']>;

/**
 * Makes the writers of a gate take turns until the transaction ends: a decision is either seen by the flow or refused. By
 * its row, because every login can take an advisory lock, also one that only reads. Does nothing for an unknown gate.
 */
export async function lockGate(trx: LedgerTransaction, gateId: string): Promise<void> {
  await sql`SELECT lock_gate(${gateId})`.execute(trx);
}

/** The row of a gate; null for an unknown one. */
export async function findGate(ledger: LedgerDatabase, gateId: string): Promise<GateRow | null> {
  const row = await ledger.selectFrom('gates').selectAll().where('gate_id', '=', gateId).executeTakeFirst();
  return row ?? null;
}

/** The decisions of gates, in the order in which they were made, by id of the gate. */
export async function decisionsOf(
  ledger: LedgerDatabase,
  gateIds: readonly string[],
): Promise<ReadonlyMap<string, readonly GateDecision[]>> {
  const found = new Map<string, GateDecision[]>(gateIds.map((id) => [id, []]));
  if (gateIds.length === 0) return found;
  const rows = await ledger
    .selectFrom('gate_decisions')
    .selectAll()
    .where('gate_id', 'in', gateIds)
    .orderBy('sequence')
    .execute();
  for (const { gate_id: gateId, person, on_behalf_of, verdict, why, digest, authenticated_by, decided_at } of rows) {
    found.get(gateId)?.push({
      person,
      onBehalfOf: on_behalf_of,
      verdict,
      why,
      digest,
      authenticatedBy: authenticated_by,
      at: decided_at.toISOString(),
    });
  }
  return found;
}

/** The rules of a gate with the people who are configured now. */
export function rulesOf(row: GateRow, directory: Directory | null): GateRules {
  const deadline =
    row.deadline === null || row.at_deadline === null ? null : { at: row.deadline.getTime(), outcome: row.at_deadline };
  const common = { digest: row.digest, needed: row.approvals_needed, deadline };
  if (directory === null) {
    return { ...common, people: [], approvers: null, laterApprovers: [], escalatesAt: null, excluded: [] };
  }
  return {
    ...common,
    people: directory.people.map(({ name }) => name),
    approvers: membersOf(directory, row.approvers),
    laterApprovers: row.escalates_at === null ? [] : membersOf(directory, row.escalation_approvers),
    escalatesAt: row.escalates_at?.getTime() ?? null,
    excluded: [row.requested_by, ...row.excluded].flatMap((name) => peopleNamed(directory, name)),
  };
}

/** A gate as people see it, at a time in milliseconds since 1970. */
export function viewOf(
  row: GateRow,
  decisions: readonly GateDecision[],
  directory: Directory | null,
  now: number,
): GateView {
  const { have, needed } = outcomeOf(rulesOf(row, directory), decisions, now);
  return {
    id: row.gate_id,
    kind: row.kind,
    subject: row.subject,
    repository: row.repository,
    workflowId: row.workflow_id,
    digest: row.digest,
    requestedBy: row.requested_by,
    requestedAt: row.requested_at.toISOString(),
    deadline: row.deadline?.toISOString() ?? null,
    atDeadline: row.at_deadline,
    escalatesAt: row.escalates_at?.toISOString() ?? null,
    needed,
    have,
    from: row.approvers,
    escalatesTo: row.escalation_approvers,
    evidence: row.evidence,
    status: row.status,
    reason: row.reason,
    closedAt: row.closed_at?.toISOString() ?? null,
    decisions,
    authenticated: directory !== null,
  };
}
