import type { GateVerdict } from '../../gates/gate.ts';

/**
 * What approved a promotion: authenticated people; answers that prove nothing about who gave them, because no people are
 * configured; or the deadline of the gate, when too few people had approved.
 */
export type Approval = 'people' | 'unauthenticated' | 'deadline';

/** What a verdict that approves rests on. */
export function approvalBy({ reason, authenticated }: GateVerdict): Approval {
  if (reason === 'deadline') return 'deadline';
  return authenticated ? 'people' : 'unauthenticated';
}

/** The sentence about an approval that not enough known people gave; null for any other. */
export function doubtOf(approval: Approval | null): string | null {
  if (approval === 'unauthenticated') return 'unauthenticated, nothing proves who gave it';
  return approval === 'deadline' ? 'by the deadline, too few people had approved' : null;
}

/** The same as a line of output; no line for null. */
export function doubtLines(approval: Approval | null): readonly string[] {
  const doubt = doubtOf(approval);
  return doubt === null ? [] : [`Approval: ${doubt}`];
}
