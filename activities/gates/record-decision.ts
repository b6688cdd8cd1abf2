import type { GateAnswer, GateDecision, GateView } from '../../domain/gates/gate.ts';
import { type DecisionAttempt, type Delegation, entitlementOf } from '../../domain/gates/delegation.ts';
import { outcomeOf } from '../../domain/gates/outcome.ts';
import type { Directory } from '../../domain/gates/people.ts';
import type { Actor } from '../../domain/shared/actor.ts';
import { type FailureType, LonghaulError } from '../../domain/shared/failures.ts';
import { recordEvent } from '../ledger/audit.ts';
import type { LedgerDatabase, LedgerTransaction } from '../ledger/open-ledger.ts';
import { decisionsOf, findGate, type GateRow, lockGate, rulesOf, viewOf } from './gate-rows.ts';

/** A decision to record. */
export interface NewDecision {
  readonly gate: string;
  readonly verdict: GateAnswer;
  readonly why: string;
  /** Digest of what the person saw. */
  readonly digest: string;
  /** The person in whose place the actor decides. @default the actor's own place, else that of a person who delegated */
  readonly onBehalfOf?: string;
}

/** A decision that the ledger has. */
export interface RecordedDecision {
  readonly gate: GateView;
  readonly decision: GateDecision;
  /** True when the person had decided the same already. */
  readonly repeated: boolean;
}

/** A decision that is refused leaves its audit event, so the transaction must not be rolled back. */
type Recorded = RecordedDecision | { readonly refused: LonghaulError };

/**
 * Records a decision of a person, with the login of the gateway. The gate's flow must then be woken. A decision that
 * repeats the person's last one is not recorded again. Throws `GateNotFound`, `GateClosed`, `GateChanged`,
 * `NotAnApprover`, `OwnRequest`, `DelegationExpired`, and `InvalidInput` for a revocation of nothing: each is in the audit
 * trail. `at`: the time of the decision.
 */
export async function recordDecision(
  ledger: LedgerDatabase,
  directory: Directory | null,
  actor: Actor,
  given: NewDecision,
  at: Date = new Date(),
): Promise<RecordedDecision> {
  const recorded = await ledger.transaction().execute((trx) => decide(trx, directory, actor, given, at));
  if ('refused' in recorded) throw recorded.refused;
  return recorded;
}

async function decide(
  trx: LedgerTransaction,
  directory: Directory | null,
  actor: Actor,
  given: NewDecision,
  at: Date,
): Promise<Recorded> {
  const { gate: gateId, verdict, why, digest } = given;
  await lockGate(trx, gateId);
  const row = await findGate(trx, gateId);
  if (row === null) {
    return refuse(trx, actor, given, null, new LonghaulError('GateNotFound', `There is no gate ${gateId}.`));
  }
  const attempt: DecisionAttempt = {
    person: actor.name,
    verdict,
    why,
    digest,
    authenticatedBy: actor.authenticatedBy,
    at: at.toISOString(),
  };
  if (row.status !== 'open') {
    const message = `The gate ${gateId} is closed: ${row.status}${row.reason === null ? '' : ` by ${row.reason}`}.`;
    return refuse(trx, actor, given, row, new LonghaulError('GateClosed', message));
  }
  const delegations = await delegationsTo(trx, actor.name);
  const entitlement = entitlementOf(rulesOf(row, directory), attempt, delegations, given.onBehalfOf ?? null);
  if (!entitlement.accepted) {
    const message = sentenceFor(entitlement.type, row, actor.name);
    return refuse(trx, actor, given, row, new LonghaulError(entitlement.type, message));
  }
  const decision = { ...attempt, onBehalfOf: entitlement.onBehalfOf };
  const before = (await decisionsOf(trx, [gateId])).get(gateId) ?? [];
  const last = before.findLast(
    ({ person, onBehalfOf }) => person === decision.person && onBehalfOf === decision.onBehalfOf,
  );
  const view = (decisions: readonly GateDecision[]): GateView => viewOf(row, decisions, directory, at.getTime());
  if (last !== undefined && last.verdict === verdict && last.digest === digest) {
    return { gate: view(before), decision: last, repeated: true };
  }
  const { status, reason } = outcomeOf(rulesOf(row, directory), before, at.getTime());
  if (status !== 'open') {
    const message = `The gate ${gateId} is decided: ${status} by ${reason}.`;
    return refuse(trx, actor, given, row, new LonghaulError('GateClosed', message));
  }
  if (verdict === 'revoke' && last?.verdict !== 'approve') {
    const message = `${actor.name} has not approved the gate ${gateId}, so there is nothing to revoke.`;
    return refuse(trx, actor, given, row, new LonghaulError('InvalidInput', message));
  }
  await trx
    .insertInto('gate_decisions')
    .values({
      decision_id: `${gateId}/${before.length + 1}`,
      gate_id: gateId,
      person: decision.person,
      on_behalf_of: decision.onBehalfOf,
      verdict,
      why,
      digest,
      authenticated_by: decision.authenticatedBy,
      decided_at: decision.at,
    })
    .execute();
  await recordEvent(trx, {
    event_type: `gate.${{ approve: 'approval', reject: 'rejection', revoke: 'revocation' }[verdict]}`,
    ...about(row, actor, given),
    status: 'success',
    details: { verdict, digest, on_behalf_of: decision.onBehalfOf },
  });
  return { gate: view([...before, decision]), decision, repeated: false };
}

async function refuse(
  trx: LedgerTransaction,
  actor: Actor,
  given: NewDecision,
  row: GateRow | null,
  refused: LonghaulError,
): Promise<Recorded> {
  await recordEvent(trx, {
    event_type: 'gate.refusal',
    ...about(row, actor, given),
    status: 'refused',
    details: { verdict: given.verdict, digest: given.digest, reason: refused.type },
  });
  return { refused };
}

function about(row: GateRow | null, { name, authenticatedBy }: Actor, { gate, why }: NewDecision) {
  return {
    repository: row?.repository ?? null,
    resource_type: 'gate',
    resource_id: gate,
    action: 'decide',
    actor: name,
    authenticated_by: authenticatedBy,
    why,
    workflow_id: row?.workflow_id ?? null,
    run_id: row?.run_id ?? null,
  };
}

function sentenceFor(type: FailureType, { gate_id: id, deadline }: GateRow, person: string): string {
  switch (type) {
    case 'GateClosed':
      return `The deadline of the gate ${id} has passed: ${deadline?.toISOString() ?? ''}.`;
    case 'GateChanged':
      return `The gate ${id} is about something else now than what you decided.`;
    case 'OwnRequest':
      return `${person} may not decide the gate ${id}: it is the own request, or the own commit.`;
    case 'DelegationExpired':
      return `The delegation by which ${person} could decide the gate ${id} has ended.`;
    default:
      return `${person} is not an approver of the gate ${id}.`;
  }
}

async function delegationsTo(trx: LedgerTransaction, delegate: string): Promise<readonly Delegation[]> {
  const rows = await trx
    .selectFrom('gate_delegations')
    .selectAll()
    .where('delegate', '=', delegate)
    .orderBy('sequence')
    .execute();
  return rows.map(({ person, until }) => ({ person, delegate, until: until.toISOString() }));
}
