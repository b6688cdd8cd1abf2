import type { GateQuestion } from '../../domain/gates/gate.ts';
import type { Directory } from '../../domain/gates/people.ts';
import { recordEvent } from '../ledger/audit.ts';
import type { LedgerDatabase, LedgerTransaction } from '../ledger/open-ledger.ts';
import { ledgerFailure } from '../ledger/ledger-failure.ts';
import { runningFlow } from '../shared/running-flow.ts';
import { decisionsOf, viewOf } from './gate-rows.ts';
import { type GateOfFlow, gateIdOf, openGate } from './open-gate.ts';
import { cancelGate, type GateState, settleGate } from './settle-gate.ts';

/** Which gate of the calling flow. */
type OwnGate = Omit<GateOfFlow, 'workflowId'>;

/** A gate to open. */
export interface OpenGateInput extends GateQuestion, Pick<OwnGate, 'firstRunId'> {
  /** The clock of the flow. ISO 8601. */
  readonly at: string;
}

/** A gate to read. */
export interface SettleGateInput extends OwnGate {
  /** The clock of the flow. ISO 8601. */
  readonly at: string;
  /** How many decisions were sent to the flow directly. */
  readonly claims: number;
}

/** A decision that was sent to the flow instead of the gateway. */
export interface GateClaim extends OwnGate {
  /** The message, as JSON, clipped. */
  readonly claim: string;
}

/** Activities of gates, in the role `ledger`. Each is one transaction, and does nothing when it is repeated. */
export interface GateActivities {
  /**
   * Opens a gate. Throws `InvalidInput` and `InvalidConfiguration` for a question that cannot be answered, and
   * `RequestUnproved` for one that no person asked at the gateway.
   */
  openGate(input: OpenGateInput): Promise<GateState['view']>;
  /** Reads the decisions of a gate, and closes it when it is decided. */
  settleGate(input: SettleGateInput): Promise<GateState>;
  /** Closes a gate for which the flow no longer waits. */
  cancelGate(input: OwnGate): Promise<void>;
  /** Records that a decision was sent to the flow directly. */
  recordClaim(input: GateClaim): Promise<void>;
}

/** Tools of the activities of gates. */
export interface GateTools {
  /** With the writer's login. */
  readonly ledger: LedgerDatabase;
  /** The address of the ledger, for messages. */
  readonly url: string;
  /** Null when no people are configured. */
  readonly directory: Directory | null;
}

/** Creates the activities. */
export function createGateActivities({ ledger, url, directory }: GateTools): GateActivities {
  const inTransaction = async <Result>(work: (trx: LedgerTransaction) => Promise<Result>): Promise<Result> => {
    try {
      return await ledger.transaction().execute(work);
    } catch (error) {
      throw ledgerFailure(error, url);
    }
  };
  return {
    openGate: (input) =>
      inTransaction(async (trx) => {
        const row = await openGate(trx, { ...input, ...runningFlow() }, directory);
        const decisions = (await decisionsOf(trx, [row.gate_id])).get(row.gate_id) ?? [];
        return viewOf(row, decisions, directory, Date.parse(input.at));
      }),
    settleGate: (input) => inTransaction((trx) => settleGate(trx, { ...input, ...runningFlow() }, directory)),
    cancelGate: (input) => inTransaction((trx) => cancelGate(trx, { ...input, ...runningFlow() })),
    recordClaim: ({ claim, ...gate }) =>
      inTransaction(async (trx) => {
        const { workflowId, runId } = runningFlow();
        const id = gateIdOf({ ...gate, workflowId });
        await recordEvent(trx, {
          event_type: 'gate.refusal',
          resource_type: 'gate',
          resource_id: id,
          action: 'decide',
          status: 'refused',
          actor: 'unknown',
          authenticated_by: 'unauthenticated',
          workflow_id: workflowId,
          run_id: runId,
          details: { reason: 'SentToFlow', claim },
        });
      }),
  };
}
