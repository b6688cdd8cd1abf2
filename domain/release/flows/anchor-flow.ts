import { defineFlow } from '../../shared/flow.ts';

/** Result of `anchorAudit`. */
export interface AnchorAuditResult {
  /** The last event of the audit trail; 0 for none. */
  readonly event: number;
  /** The record in the blob store; null for a trail without events. */
  readonly place: string | null;
}

/** Records the end of the audit trail outside the database. */
export const anchorAuditFlow = defineFlow<Readonly<Record<string, never>>, AnchorAuditResult>()({
  type: 'anchorAudit',
  input: (z) => z.strictObject({}),
  does: 'records the end of [the audit trail](ledger.md#the-audit-trail) in the blob store',
  examples: [{}],
  startedBy: ['schedules', 'people'],
  id: () => 'audit-anchor',
  summary: () => 'record the end of the audit trail',
});
