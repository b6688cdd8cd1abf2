import { workspaceKey } from '../../domain/workspace/flows/apply-plan-flow.ts';
import type { ApplyState } from '../../domain/workspace/plan-states.ts';
import { actingFlow } from '../ledger/acting-flow.ts';
import { type AuditEvent, recordEvent } from '../ledger/audit.ts';
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

/** Something that a person or a flow did with a workspace, other than to apply a plan. */
export interface RecordWorkspaceAct {
  readonly host: string;
  readonly root: string;
  /**
   * `confirmed` or `declined`: a person answered what may be lost; `quarantined`: a repository was kept; `torn_down`: the
   * workspace has ended; `repaired`: it is as its manifest says again; `ready`: so
   * for the first time.
   */
  readonly what: 'confirmed' | 'declined' | 'quarantined' | 'torn_down' | 'repaired' | 'ready';
  readonly action: 'tear down' | 'repair' | 'prepare';
  /** What it is about: the event is recorded once in a run for each. */
  readonly name: string;
  /** The person: a name that proves nothing. */
  readonly by: string;
  /** Anything else for the audit trail. @default {} */
  readonly details?: Readonly<Record<string, unknown>>;
}

/** Activities of workspaces in the role `ledger`. */
export interface WorkspaceRecords {
  /** Records that a plan has come to a state, once in a run. */
  recordApplyState(input: RecordApplyState): Promise<void>;
  /** Records something else that happened to a workspace, once in a run. */
  recordWorkspaceAct(input: RecordWorkspaceAct): Promise<void>;
}

/** Creates the activities. `url` is the address of the ledger, for messages. */
export function createWorkspaceRecords({
  ledger,
  url,
}: {
  readonly ledger: LedgerDatabase;
  readonly url: string;
}): WorkspaceRecords {
  /** Records an event unless this run has done so. */
  async function recordOnce(
    { host, root, by, name }: Pick<RecordWorkspaceAct, 'host' | 'root' | 'by'> & { readonly name: string | null },
    event: Pick<AuditEvent, 'event_type' | 'action' | 'status'>,
    details: Readonly<Record<string, unknown>>,
  ): Promise<void> {
    try {
      const { workflowId, runId, who } = await actingFlow(ledger, by);
      await ledger.transaction().execute(async (trx) => {
        // the lock of the chain: an attempt that was given up may still run
        await trx.selectFrom('ledger').select('event_id').forUpdate().executeTakeFirstOrThrow();
        const known = await trx
          .selectFrom('audit_events')
          .select(['event_id', 'details_json'])
          .where('run_id', '=', runId)
          .where('event_type', '=', event.event_type)
          .execute();
        const isSame = (value: unknown): boolean => (value as { readonly name?: unknown } | null)?.name === name;
        if (known.some(({ details_json: kept }) => name === null || isSame(kept))) return;
        await recordEvent(trx, {
          ...event,
          resource_type: 'workspace',
          resource_id: workspaceKey(host, root),
          ...who,
          workflow_id: workflowId,
          run_id: runId,
          details: { ...details, ...(name === null ? {} : { name }) },
        });
      });
    } catch (error) {
      throw ledgerFailure(error, url);
    }
  }

  return {
    recordApplyState: ({ host, root, plan, state, by, details = {} }) =>
      recordOnce(
        { host, root, by, name: null },
        {
          event_type: `workspace.${state}`,
          action: 'apply',
          status: state === 'rolled_back' || state === 'failed' ? 'failure' : 'success',
        },
        { plan, ...details },
      ),
    recordWorkspaceAct: ({ host, root, what, action, name, by, details = {} }) =>
      recordOnce(
        { host, root, by, name },
        { event_type: `workspace.${what}`, action, status: what === 'declined' ? 'refused' : 'success' },
        details,
      ),
  };
}
