import { anchorAuditFlow, type AnchorAuditResult } from '../../domain/release/flows/anchor-flow.ts';
import { checked } from '../shared/input.ts';
import { ledgerActivities } from './activities.ts';

/** Records the end of the audit trail in the blob store (docs/ledger.md). A schedule starts it every hour. */
export async function anchorAudit(input: Readonly<Record<string, never>>): Promise<AnchorAuditResult> {
  await checked(anchorAuditFlow, input);
  return ledgerActivities.anchorAudit.executeWithOptions({ summary: 'record the end of the audit trail' }, []);
}
