import type { FailureType } from '../shared/failures.ts';
import type { GateDecision, GateReason, GateRules } from './gate.ts';

/** The state of a gate, by its rules. */
export type GateOutcome = (
  | { readonly status: 'open'; readonly reason: null }
  | {
      readonly status: 'approved' | 'rejected';
      /** What decided it. */
      readonly reason: Extract<GateReason, 'quorum' | 'rejection' | 'deadline'>;
    }
) & {
  /** Approvals that count. */
  readonly have: number;
  readonly needed: number;
  /** The decisions that count, in order: standing approvals, or the rejection. */
  readonly counted: readonly GateDecision[];
};

/** Why a decision does not count, with a failure's name; null when it does. */
export type NotCounted = Extract<FailureType, 'GateClosed' | 'GateChanged' | 'NotAnApprover' | 'OwnRequest'>;

/**
 * Why the rules do not accept a decision; null when they do. The same rule for the gateway, which refuses the decision,
 * and for the flow, which does not count it.
 */
export function whyNotCounted(gate: GateRules, decision: GateDecision): NotCounted | null {
  const at = Date.parse(decision.at);
  if (gate.deadline !== null && at >= gate.deadline.at) return 'GateClosed';
  if (decision.digest !== gate.digest) return 'GateChanged';
  if (gate.approvers === null) return null;
  if (decision.authenticatedBy === 'unauthenticated') return 'NotAnApprover';
  // a delegate too: who was removed from the configuration decides nothing
  if (!gate.people.includes(decision.person)) return 'NotAnApprover';
  const involved = [decision.person, ...(decision.onBehalfOf === null ? [] : [decision.onBehalfOf])];
  if (involved.some((name) => gate.excluded.includes(name))) return 'OwnRequest';
  const mayDecide = gate.escalatesAt !== null && at >= gate.escalatesAt ? gate.laterApprovers : [];
  return [...gate.approvers, ...mayDecide].includes(placeOf(decision)) ? null : 'NotAnApprover';
}

/**
 * The outcome of a gate at a time, in milliseconds since 1970, from its decisions in the order in which they were made.
 * The first decision that completes the quorum, or rejects, ends it: what comes later changes nothing.
 */
export function outcomeOf(gate: GateRules, decisions: readonly GateDecision[], now: number): GateOutcome {
  const needed = gate.approvers === null ? 1 : gate.needed;
  let standing: readonly GateDecision[] = [];
  for (const decision of decisions) {
    if (whyNotCounted(gate, decision) !== null) continue;
    if (decision.verdict === 'reject') {
      return { status: 'rejected', reason: 'rejection', have: countOf(standing).length, needed, counted: [decision] };
    }
    standing = standing.filter((each) => each.person !== decision.person || placeOf(each) !== placeOf(decision));
    if (decision.verdict === 'approve') standing = [...standing, decision];
    const counted = countOf(standing);
    if (counted.length >= needed) {
      return { status: 'approved', reason: 'quorum', have: counted.length, needed, counted };
    }
  }
  const counted = countOf(standing);
  const open = { have: counted.length, needed, counted };
  if (gate.deadline === null || now < gate.deadline.at) return { status: 'open', reason: null, ...open };
  return { status: gate.deadline.outcome, reason: 'deadline', ...open };
}

/**
 * The approvals that count as those of different people: each person counts once, as the one who decides and as the one
 * who delegated. A person's own approval comes before one on behalf of another.
 */
function countOf(standing: readonly GateDecision[]): readonly GateDecision[] {
  const own = standing.filter(({ onBehalfOf }) => onBehalfOf === null);
  const delegated = standing.filter(({ onBehalfOf }) => onBehalfOf !== null);
  const people = new Set<string>();
  const places = new Set<string>();
  return [...own, ...delegated].filter((decision) => {
    if (people.has(decision.person) || places.has(placeOf(decision))) return false;
    people.add(decision.person);
    places.add(placeOf(decision));
    return true;
  });
}

/** The person whose approval it is. */
function placeOf({ person, onBehalfOf }: Pick<GateDecision, 'person' | 'onBehalfOf'>): string {
  return onBehalfOf ?? person;
}
