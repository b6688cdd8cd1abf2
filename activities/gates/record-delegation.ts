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
 * unknown person, the actor, or a time that is no time or more than a year ahead.
 */
export async function recordDelegation(
  ledger: LedgerDatabase,
  directory: Directory,
  { name: person, authenticatedBy }: Actor,
  { delegate: named, until }: Pick<Delegation, 'delegate' | 'until'>,
): Promise<Delegation> {
  const [delegate] = peopleNamed(directory, named);
  if (delegate === undefined) throw new LonghaulError('InvalidInput', `longhaul.yaml has no person "${named}".`);
  if (delegate === person) throw new LonghaulError('InvalidInput', 'You decide for yourself already.');
  const at = Date.parse(until);
  if (Number.isNaN(at)) throw new LonghaulError('InvalidInput', `"${until}" is no time: give it as 2026-12-24T18:00Z.`);
  if (at > Date.now() + LONGEST_MS) {
    throw new LonghaulError('InvalidInput', 'A delegation ends within a year: give an earlier time.');
  }
  const delegation = { person, delegate, until: new Date(at).toISOString() };
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
