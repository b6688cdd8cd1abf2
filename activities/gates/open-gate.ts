import type { GateQuestion } from '../../domain/gates/gate.ts';
import { type Directory, isPlainName, membersOf, peopleNamed, unknownName } from '../../domain/gates/people.ts';
import type { Actor } from '../../domain/shared/actor.ts';
import { LonghaulError } from '../../domain/shared/failures.ts';
import { sha256 } from '../../platform/sha256.ts';
import { recordEvent } from '../ledger/audit.ts';
import type { LedgerTransaction } from '../ledger/open-ledger.ts';
import { closeGate } from './close-gate.ts';
import { requesterOf } from '../ledger/requests.ts';
import { findGate, type GateRow, lockGate } from './gate-rows.ts';

/** Which gate of which flow: what identifies it. */
export interface GateOfFlow extends Pick<GateQuestion, 'kind' | 'digest'> {
  readonly workflowId: string;
  /** The first run of the flow, which stays the same when it continues as new. */
  readonly firstRunId: string;
}

/** The id of a gate: repeated questions of a flow are one gate. */
export function gateIdOf({ workflowId, firstRunId, kind, digest }: GateOfFlow): string {
  return `gate-${sha256(JSON.stringify([workflowId, firstRunId, kind, digest])).slice(0, 12)}`;
}

/** A question with the flow that asks it. */
export interface OpenGate extends GateQuestion, GateOfFlow {
  readonly runId: string;
  /** When the flow asked, by its own clock. ISO 8601. */
  readonly at: string;
}

/**
 * Opens a gate, or finds it when the flow has opened it. A gate of the same flow and kind about something else is closed
 * as superseded, with its approvals. Throws `InvalidInput` and `InvalidConfiguration` for a question that cannot be
 * answered, and `RequestUnproved` where people are configured and no person has asked at the gateway: otherwise people
 * could decide their own requests, which they make under another name.
 */
export async function openGate(
  trx: LedgerTransaction,
  question: OpenGate,
  directory: Directory | null,
): Promise<GateRow> {
  const { workflowId, runId, kind, subject, digest, repository = null, approvals } = question;
  const id = gateIdOf(question);
  const known = await findGate(trx, id);
  if (known !== null) return known;
  const asker = await askerOf(trx, question, directory);
  const requestedBy = asker.name;
  if (directory !== null) checkQuestion({ ...question, requestedBy }, directory);
  const older = await trx
    .selectFrom('gates')
    .selectAll()
    .where('workflow_id', '=', workflowId)
    .where('kind', '=', kind)
    .where('status', '=', 'open')
    .execute();
  for (const { gate_id: gateId } of older) {
    await lockGate(trx, gateId);
    const row = await findGate(trx, gateId);
    // another attempt of the same activity may have closed it
    if (row?.status === 'open') await closeGate(trx, row, { status: 'cancelled', reason: 'superseded', runId });
  }
  const at = Date.parse(question.at);
  const after = (seconds: number | undefined): string | null =>
    seconds === undefined ? null : new Date(at + seconds * 1_000).toISOString();
  const row = await trx
    .insertInto('gates')
    .values({
      gate_id: id,
      repository,
      workflow_id: workflowId,
      run_id: runId,
      kind,
      subject,
      digest,
      requested_by: requestedBy,
      requested_at: question.at,
      deadline: after(question.deadline?.seconds),
      at_deadline: question.deadline?.outcome ?? null,
      approvals_needed: approvals.needed,
      approvers: JSON.stringify(approvals.from),
      excluded: JSON.stringify(approvals.excludeAuthors ?? []),
      escalates_at: after(question.escalation?.afterSeconds),
      escalation_approvers: JSON.stringify(question.escalation?.to ?? []),
      evidence: JSON.stringify(question.evidence ?? []),
    })
    // by another attempt of the same activity
    .onConflict((conflict) => conflict.doNothing())
    .returningAll()
    .executeTakeFirst();
  if (row === undefined) return (await findGate(trx, id)) ?? neverOpened(id);
  await recordEvent(trx, {
    event_type: 'gate.opened',
    repository,
    resource_type: 'gate',
    resource_id: id,
    action: 'ask',
    status: 'success',
    actor: requestedBy,
    authenticated_by: asker.authenticatedBy,
    workflow_id: workflowId,
    run_id: runId,
    details: { kind, subject, digest, needed: approvals.needed, from: approvals.from },
  });
  return row;
}

function neverOpened(id: string): never {
  throw new Error(`the gate ${id} is neither new nor known`);
}

/** Who asks: the person who started the flow at the gateway, or the one whom the flow names where that is enough. */
async function askerOf(
  trx: LedgerTransaction,
  { runId, requestedBy, requester = 'person' }: OpenGate,
  directory: Directory | null,
): Promise<Actor> {
  const asked = await requesterOf(trx, runId);
  if (asked?.isPerson === true) return asked;
  const isProved = requester === 'program' || (requester === 'service' && asked !== null);
  if (directory === null || isProved) {
    return asked ?? { name: requestedBy, authenticatedBy: 'unauthenticated' };
  }
  const who = asked === null ? `it was started under the name ${requestedBy}` : `the service ${asked.name} started it`;
  throw new LonghaulError(
    'RequestUnproved',
    `A person${requester === 'service' ? ' or service' : ''} must ask for this decision, and nothing proves which one does: ${who}.`,
  );
}

/** Refuses names that are unknown or could be taken for others, and a quorum that cannot be reached. */
function checkQuestion({ requestedBy, approvals, escalation }: GateQuestion, directory: Directory): void {
  const { needed, from, excludeAuthors = [] } = approvals;
  if (!isPlainName(requestedBy)) {
    throw new LonghaulError(
      'InvalidInput',
      'The name of the person who asks has characters other than visible ASCII, so it could be taken for another name.',
    );
  }
  const later = escalation?.to ?? [];
  const unknown = unknownName(directory, [...from, ...later]);
  if (unknown !== null) {
    throw new LonghaulError(
      'InvalidConfiguration',
      `The gate asks "${unknown}", which is neither a person nor a group in longhaul.yaml.`,
    );
  }
  const excluded = [requestedBy, ...excludeAuthors].flatMap((name) => peopleNamed(directory, name));
  const possible = new Set([...membersOf(directory, from), ...(later.length === 0 ? [] : membersOf(directory, later))]);
  for (const name of excluded) possible.delete(name);
  if (possible.size >= needed) return;
  throw new LonghaulError(
    'InvalidConfiguration',
    `The gate needs ${needed} approvals, but of ${from.join(', ') || 'all people'} only ${possible.size} may approve: not the person who asks, and not an author where authors are excluded.`,
  );
}
