import { setTimeout as pause } from 'node:timers/promises';
import { Context } from '@temporalio/activity';
import type { Client } from '@temporalio/client';
import {
  type ForgeReport,
  lease,
  type LeaseAnswer,
  type LeaseRequest,
  NEW_BUDGET,
  report,
} from '../../../domain/forge/forge-budget.ts';
import { LonghaulError } from '../../../domain/shared/failures.ts';
import type { ForgeAccount } from './account.ts';

/** Access to the budget of an account. */
export interface BudgetKeeper {
  /** Requests places and points. The answer grants them or says until when to wait. */
  lease(request: LeaseRequest): Promise<LeaseAnswer>;
  /** Returns places, and passes on what the forge answered about its limits. */
  report(given: ForgeReport): Promise<void>;
}

/** Same as in `workers/roles.ts`: the queue of all flows. */
const FLOWS_QUEUE = 'longhaul-flows';
const TRIES = 3;
const TRY_AGAIN_MS = 500;
/** A busy worker takes a while to answer. */
const DEADLINE_MS = 60_000;

/**
 * In an activity: the workflow `forge/<host>/<fingerprint>`, which all workers share and which outlives them.
 * Elsewhere, such as on the command line: a budget in the memory of this process.
 */
export function keeperOf({ host, fingerprint }: ForgeAccount): BudgetKeeper {
  const memory = keeperInMemory();
  const workflowId = `forge/${host}/${fingerprint}`;
  let client: Client | null = null;
  const keeper = (): BudgetKeeper => {
    client = clientOfActivity() ?? client;
    return client === null ? memory : keeperInTemporal(client, workflowId);
  };
  return {
    lease: (request) => keeper().lease(request),
    report: (given) => keeper().report(given),
  };
}

/** A budget that ends with the process. */
export function keeperInMemory(): BudgetKeeper {
  let budget = NEW_BUDGET;
  return {
    lease(request) {
      const leased = lease(budget, request, Date.now());
      ({ budget } = leased);
      return Promise.resolve(leased.answer);
    },
    report(given) {
      budget = report(budget, given, Date.now());
      return Promise.resolve();
    },
  };
}

function keeperInTemporal(client: Client, workflowId: string): BudgetKeeper {
  async function update<Result>(name: string, given: ForgeReport): Promise<Result> {
    const { WithStartWorkflowOperation, WorkflowIdConflictPolicy } = await import('@temporalio/client');
    for (let tries = 1; ; tries++) {
      try {
        return await client.withDeadline(Date.now() + DEADLINE_MS, () =>
          client.workflow.executeUpdateWithStart<() => Promise<void>, Result, [ForgeReport]>(name, {
            args: [given],
            startWorkflowOperation: new WithStartWorkflowOperation('forgeBudget', {
              workflowId,
              taskQueue: FLOWS_QUEUE,
              args: [],
              workflowIdConflictPolicy: WorkflowIdConflictPolicy.USE_EXISTING,
              staticSummary: `budget of ${workflowId.slice('forge/'.length)}`,
            }),
          }),
        );
      } catch (error) {
        // the run may have ended between the request and its answer
        if (tries < TRIES) await pause(TRY_AGAIN_MS);
        else
          throw new LonghaulError('ServerUnavailable', `The budget workflow ${workflowId} does not answer.`, {
            cause: error,
          });
      }
    }
  }
  return {
    lease: (request) => update('lease', request),
    report: (given) => update('report', given),
  };
}

/** The Temporal client of the worker that runs the current activity; null outside of one. */
function clientOfActivity(): Client | null {
  try {
    return Context.current().client;
  } catch {
    return null;
  }
}
