import type { GivenUpAct, RefusedAct } from '../../domain/shared/acts.ts';
import { runningFlow } from '../shared/running-flow.ts';
import { actingFlow, type Canceller, type RunningFlow } from './acting-flow.ts';
import { ledgerFailure } from './ledger-failure.ts';
import type { LedgerDatabase } from './open-ledger.ts';
import { recordGiveUp, recordRefusal } from './record-refusal.ts';
import { type StartedRun, takeRequest } from './requests.ts';

/**
 * Activities of every flow that the audit trail has, in the role `ledger`. Each is one transaction, and does nothing when
 * it is repeated.
 */
export interface ActActivities {
  /** Makes a request that the gateway recorded that of the calling run. Throws `RequestUnproved`. */
  takeRequest(input: Omit<StartedRun, 'runId'>): Promise<void>;
  /** Records that the calling run was refused, failed, or was cancelled, unless its own event says so already. */
  recordRefusal(input: RefusedAct): Promise<void>;
  /** Records that a person ended the calling run although not everything was undone. */
  recordGiveUp(input: GivenUpAct): Promise<void>;
}

/** Tools of these activities. */
export interface ActTools {
  /** With the writer's login. */
  readonly ledger: LedgerDatabase;
  /** The address of the ledger, for messages. */
  readonly url: string;
  /** Who cancelled a run, and why, as Temporal's history says; null for a run that was not cancelled. */
  readonly cancelledBy: (run: Pick<RunningFlow, 'workflowId' | 'runId'>) => Promise<Canceller | null>;
}

/** Creates the activities. */
export function createActActivities(tools: ActTools): ActActivities {
  const { ledger, url } = tools;
  const named = async <Result>(work: () => Promise<Result>): Promise<Result> => {
    try {
      return await work();
    } catch (error) {
      throw ledgerFailure(error, url);
    }
  };
  return {
    takeRequest: (input) =>
      named(() => ledger.transaction().execute((trx) => takeRequest(trx, { ...input, ...runningFlow() }))),
    recordRefusal: (input) => named(async () => recordRefusal(tools, input, await actingFlow(ledger, input.by))),
    recordGiveUp: (input) => named(async () => recordGiveUp(tools, input, await actingFlow(ledger, input.by))),
  };
}
