import { runningFlow } from '../shared/running-flow.ts';
import type { AuditEvent } from './audit.ts';
import type { LedgerDatabase } from './open-ledger.ts';
import { requesterOf } from './requests.ts';

/** Who cancelled a run: a name that Temporal does not verify. */
export interface Canceller {
  readonly name: string;
  readonly why: string | null;
}

/** The flow that an activity belongs to, for records. */
export interface RunningFlow {
  readonly workflowId: string;
  readonly runId: string;
  /** Who asked for it, and how that was proved. */
  readonly who: Pick<AuditEvent, 'actor' | 'authenticated_by'>;
}

/** The flow that calls the current activity: of the person whose request started it, else of the one whom its input names. */
export async function actingFlow(ledger: LedgerDatabase, by: string): Promise<RunningFlow> {
  const { workflowId, runId } = runningFlow();
  const requester = await requesterOf(ledger, runId);
  const { name, authenticatedBy } = requester ?? { name: by, authenticatedBy: 'unauthenticated' };
  return { workflowId, runId, who: { actor: name, authenticated_by: authenticatedBy } };
}
