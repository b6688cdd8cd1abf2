import type { FailureType } from '../shared/failures.ts';
import type { GateDecision, GateRules } from './gate.ts';
import { whyNotCounted } from './outcome.ts';

/** A person lets another one decide in his or her place for a time. */
export interface Delegation {
  readonly person: string;
  readonly delegate: string;
  /** ISO 8601. A later row of the same two people replaces it. */
  readonly until: string;
}

/** A decision that a person is about to make, before it is known in whose place. */
export type DecisionAttempt = Omit<GateDecision, 'onBehalfOf'>;

/** In whose place a decision counts, or why it does not. */
export type Entitlement =
  | { readonly accepted: true; readonly onBehalfOf: string | null }
  | { readonly accepted: false; readonly type: FailureType };

/**
 * Whether a person may make a decision: in the own place, else in that of a person who delegated it. `forPerson` asks for
 * the place of that person only. Of the delegations of two people the last one counts.
 */
export function entitlementOf(
  gate: GateRules,
  attempt: DecisionAttempt,
  delegations: readonly Delegation[],
  forPerson: string | null = null,
): Entitlement {
  const own = whyNotCounted(gate, { ...attempt, onBehalfOf: null });
  if (forPerson === null && own !== 'NotAnApprover') {
    return own === null ? { accepted: true, onBehalfOf: null } : { accepted: false, type: own };
  }
  const latest = new Map(
    delegations.filter(({ delegate }) => delegate === attempt.person).map((each) => [each.person, each]),
  );
  const places = [...latest.values()].filter(({ person }) => forPerson === null || person === forPerson);
  const reasons = places.map(({ person, until }): { readonly person: string; readonly type: FailureType | null } => {
    const refused = whyNotCounted(gate, { ...attempt, onBehalfOf: person });
    return { person, type: refused ?? (Date.parse(until) > Date.parse(attempt.at) ? null : 'DelegationExpired') };
  });
  const place = reasons.find(({ type }) => type === null);
  if (place !== undefined) return { accepted: true, onBehalfOf: place.person };
  const reason = reasons.find(({ type }) => type !== 'NotAnApprover')?.type ?? 'NotAnApprover';
  return { accepted: false, type: reason };
}
