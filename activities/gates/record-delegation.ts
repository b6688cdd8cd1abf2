import { randomUUID } from 'node:crypto';
import type { Delegation } from '../../domain/gates/delegation.ts';
import { type Directory, peopleNamed } from '../../domain/gates/people.ts';
import type { Actor } from '../../domain/shared/actor.ts';
import { LonghaulError } from '../../domain/shared/failures.ts';
import { recordEvent } from '../ledger/audit.ts';
import type { LedgerDatabase } from '../ledger/open-ledger.ts';

/** The longest delegation, in milliseconds: one that was forgotten ends by itself. */
const LONGEST_MS = 366 * 86_400_000;

/**
 * Lets another person decide in the place of the actor until a time; an earlier time ends it. Throws `InvalidInput` for an
 * unknown person, the actor, or a time that is no time or more than a year ahead: each is in the audit trail.
 */
export async function recordDelegation(
  ledger: LedgerDatabase,
  directory: Directory,
  { name: person, authenticatedBy }: Actor,
  { delegate: named, until }: Pick<Delegation, 'delegate' | 'until'>,
): Promise<Delegation> {
  const [delegate] = peopleNamed(directory, named);
  const problem = problemOf({ person, delegate, named, until });
  if (problem !== null || delegate === undefined) {
    const refused = new LonghaulError('InvalidInput', problem ?? '');
    await ledger.transaction().execute((trx) =>
      recordEvent(trx, {
        event_type: 'gate.refusal',
        resource_type: 'person',
        resource_id: person,
        action: 'delegate',
        status: 'refused',
        actor: person,
        authenticated_by: authenticatedBy,
        why: refused.message,
        details: { delegate: named, until, reason: refused.type },
      }),
    );
    throw refused;
  }
  const delegation = { person, delegate, until: new Date(until).toISOString() };
  await ledger.transaction().execute(async (trx) => {
    await trx
      .insertInto('gate_delegations')
      .values({ ...delegation, delegation_id: randomUUID(), authenticated_by: authenticatedBy })
      .execute();
    await recordEvent(trx, {
      event_type: 'gate.delegation',
      resource_type: 'person',
      resource_id: person,
      action: 'delegate',
      status: 'success',
      actor: person,
      authenticated_by: authenticatedBy,
      details: { delegate, until: delegation.until },
    });
  });
  return delegation;
}

/** Why a delegation is refused; null when it is not. */
function problemOf({
  person,
  delegate,
  named,
  until,
}: {
  readonly person: string;
  readonly delegate: string | undefined;
  /** The delegate as the person wrote it. */
  readonly named: string;
  readonly until: string;
}): string | null {
  if (delegate === undefined) return `longhaul.yaml has no person "${named}".`;
  if (delegate === person) return 'You decide for yourself already.';
  const at = Date.parse(until);
  if (Number.isNaN(at)) return `"${until}" is no time: give it as 2026-12-24T18:00Z.`;
  return at > Date.now() + LONGEST_MS ? 'A delegation ends within a year: give an earlier time.' : null;
}
