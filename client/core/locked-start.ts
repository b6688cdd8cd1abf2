import type { LedgerDatabase } from '../../activities/ledger/open-ledger.ts';
import { startOptions } from '../../activities/shared/start-options.ts';
import type { Actor } from '../../domain/shared/actor.ts';
import { LonghaulError } from '../../domain/shared/failures.ts';
import type { AnyFlow } from '../../domain/shared/flow.ts';

/** The refusal of a start because another run has the workflow id; null for any other error. */
function lockOf(flow: AnyFlow, checked: object, error: unknown): LonghaulError | null {
  return error instanceof LonghaulError && error.type === flow.busy(checked).type ? error : null;
}

/** Where the refusal of a start is recorded. */
export interface StartRecord {
  readonly actor: Actor;
  /** The ledger with the login of the gateway, for as long as `work` runs; nothing is done where there is none. */
  readonly withLedger: (work: (ledger: LedgerDatabase) => Promise<void>) => Promise<void>;
  /** Called when the ledger does not take it: the refusal itself goes on. */
  readonly onMissing: (error: unknown) => void;
}

/**
 * Starts a flow with a checked input. When another run has its workflow id, the audit trail has the refusal before the
 * error goes on: no run exists that could record it. Flows that do not record who asks leave no trace.
 */
export async function recordingLock<Started>(
  flow: AnyFlow,
  checked: object,
  { actor, withLedger, onMissing }: StartRecord,
  start: () => Promise<Started>,
): Promise<Started> {
  try {
    return await start();
  } catch (error) {
    const lock = flow.isRequested ? lockOf(flow, checked, error) : null;
    if (lock !== null) {
      const { workflowId } = startOptions(flow, checked);
      const { type: reason, message } = lock;
      const { recordLockedStart } = await import('../../activities/ledger/requests.ts');
      const refused = { type: flow.type, input: checked, workflowId, message, reason, actor };
      await withLedger((ledger) => recordLockedStart(ledger, refused)).catch(onMissing);
    }
    throw error;
  }
}
