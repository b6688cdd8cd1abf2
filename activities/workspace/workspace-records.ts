import { workspaceKey } from '../../domain/workspace/flows/apply-plan-flow.ts';
import type { ApplyState } from '../../domain/workspace/plan-states.ts';
import { actingFlow } from '../ledger/acting-flow.ts';
import { recordEvent } from '../ledger/audit.ts';
import { ledgerFailure } from '../ledger/ledger-failure.ts';
import type { LedgerDatabase } from '../ledger/open-ledger.ts';

/** A plan that has come to a state. */
export interface RecordApplyState {
  readonly host: string;
  readonly root: string;
  /** Its id. */
  readonly plan: string;
  readonly state: ApplyState;
  readonly by: string;
  /** Anything else for the audit trail. @default {} */
  readonly details?: Readonly<Record<string, unknown>>;
}

/** Activities of workspaces in the role `ledger`. */
export interface WorkspaceRecords {
  /** Records that a plan has come to a state, once in a run. */
  recordApplyState(input: RecordApplyState): Promise<void>;
}

/** Creates the activities. `url` is the address of the ledger, for messages. */
export function createWorkspaceRecords({
  ledger,
  url,
}: {
  readonly ledger: LedgerDatabase;
  readonly url: string;
}): WorkspaceRecords {
  return {
    async recordApplyState({ host, root, plan, state, by, details = {} }) {
      try {
        const { workflowId, runId, who } = await actingFlow(ledger, by);
        await ledger.transaction().execute(async (trx) => {
          // the lock of the chain: an attempt that was given up may still run
          await trx.selectFrom('ledger').select('event_id').forUpdate().executeTakeFirstOrThrow();
          const type = `workspace.${state}`;
          const known = await trx
            .selectFrom('audit_events')
            .select('event_id')
            .where('run_id', '=', runId)
            .where('event_type', '=', type)
            .executeTakeFirst();
          if (known !== undefined) return;
          await recordEvent(trx, {
            event_type: type,
            resource_type: 'workspace',
            resource_id: workspaceKey(host, root),
            action: 'apply',
            status: state === 'rolled_back' || state === 'failed' ? 'failure' : 'success',
            ...who,
            workflow_id: workflowId,
            run_id: runId,
            details: { plan, ...details },
          });
        });
      } catch (error) {
        throw ledgerFailure(error, url);
      }
    },
  };
}
