import { escapeMarkdown, markdownList, markdownTable } from '../shared/markdown.ts';
import type { GateDecision, GateView } from './gate.ts';

/** A gate as markdown, for the page of its flow in the Temporal UI. */
export function describeGate(gate: GateView): string {
  const { id, kind, subject, requestedBy, requestedAt, deadline, atDeadline, evidence, decisions } = gate;
  const table = markdownTable([
    ['Gate', id],
    ['Asked by', `${requestedBy}, ${minute(requestedAt)}`],
    ['Approvals', approvalsOf(gate)],
    ['May decide', deciders(gate)],
    ...(deadline === null ? [] : [['Deadline', `${minute(deadline)}, then ${atDeadline}`] as const]),
  ]);
  return [
    `**Waiting for people: ${escapeMarkdown(`${kind} of ${subject}`)}**`,
    table,
    ...(evidence.length === 0 ? [] : [markdownList('Evidence', evidence, evidence.length)]),
    ...(decisions.length === 0 ? [] : [markdownList('Decisions', decisions.map(sentenceOf), decisions.length)]),
    `Decide in the console, or with \`longhaul approve ${id} --why "…"\`.`,
  ].join('\n\n');
}

/** The approvals so far: `1 of 2`; where no people are configured it says so. */
export function approvalsOf({
  have,
  needed,
  authenticated,
}: Pick<GateView, 'have' | 'needed' | 'authenticated'>): string {
  return authenticated ? `${have} of ${needed}` : `${have} of 1, unauthenticated: no people are configured`;
}

/** A decision as a sentence: `ada approved on behalf of bob: looks good`. */
export function sentenceOf({ person, onBehalfOf, verdict, why, authenticatedBy, at }: GateDecision): string {
  const verb = { approve: 'approved', reject: 'rejected', revoke: 'revoked the approval' }[verdict];
  const instead = onBehalfOf === null ? '' : ` on behalf of ${onBehalfOf}`;
  const proof = authenticatedBy === 'unauthenticated' ? ' (unauthenticated)' : '';
  return `${minute(at)} ${person}${proof} ${verb}${instead}: ${why}`;
}

/** Who may decide a gate: `release-managers, ada; after 2026-11-30 12:00 also bob`. */
export function deciders({ from, escalatesAt, escalatesTo }: GateView): string {
  const first = from.length === 0 ? 'everyone' : from.join(', ');
  return escalatesAt === null ? first : `${first}; after ${minute(escalatesAt)} also ${escalatesTo.join(', ')}`;
}

function minute(at: string): string {
  return `${at.slice(0, 16).replace('T', ' ')}Z`;
}
