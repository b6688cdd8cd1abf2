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
import { forgeBudgetFlow, type ForgeBudgetInput } from '../../../domain/forge/forge-budget-flow.ts';
import { LonghaulError } from '../../../domain/shared/failures.ts';
import type { ForgeAccount } from './account.ts';

/** Where the budget of an account is kept. */
export interface BudgetKeeper {
  lease(request: LeaseRequest): Promise<LeaseAnswer>;
  report(given: ForgeReport): Promise<void>;
}

const TRIES = 3;
const TRY_AGAIN_MS = 500;
/** A worker that is busy takes a while to answer. */
const DEADLINE_MS = 60_000;

/**
 * In an activity: the workflow `forge/<host>/<fingerprint>`, which all workers share and which outlives them. Elsewhere, as
 * on the command line: the memory of this process.
 */
export function keeperOf({ host, fingerprint }: ForgeAccount): BudgetKeeper {
  const memory = keeperInMemory();
  let client: Client | null = null;
  const keeper = (): BudgetKeeper => {
    client = clientOfActivity() ?? client;
    return client === null ? memory : keeperInTemporal(client, { host, fingerprint });
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

function keeperInTemporal(client: Client, account: ForgeBudgetInput): BudgetKeeper {
  const { type, queue: taskQueue, id, summary } = forgeBudgetFlow;
  const workflowId = `${id(account)}`;
  async function update<Result>(name: string, given: ForgeReport): Promise<Result> {
    const { WithStartWorkflowOperation, WorkflowIdConflictPolicy } = await import('@temporalio/client');
    for (let tries = 1; ; tries++) {
      try {
        return await client.withDeadline(Date.now() + DEADLINE_MS, () =>
          client.workflow.executeUpdateWithStart<(input: ForgeBudgetInput) => Promise<void>, Result, [ForgeReport]>(
            name,
            {
              args: [given],
              startWorkflowOperation: new WithStartWorkflowOperation(type, {
                workflowId,
                taskQueue,
                args: [account],
                workflowIdConflictPolicy: WorkflowIdConflictPolicy.USE_EXISTING,
                staticSummary: summary(account),
              }),
            },
          ),
        );
      } catch (error) {
        // the run may have ended between the question and its answer
        if (tries < TRIES) await pause(TRY_AGAIN_MS);
        else throw new LonghaulError('ServerUnavailable', `Nobody keeps the budget ${workflowId}.`, { cause: error });
      }
    }
  }
  return {
    lease: (request) => update('lease', request),
    report: (given) => update('report', given),
  };
}

/** The client of the worker that runs the activity that this is part of; null outside of one. */
function clientOfActivity(): Client | null {
  try {
    return Context.current().client;
  } catch {
    return null;
  }
}
