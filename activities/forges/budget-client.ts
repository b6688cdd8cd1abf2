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
} from '../../domain/forge/forge-budget.ts';
import { forgeBudgetFlow, type ForgeBudgetInput } from '../../domain/forge/forge-budget-flow.ts';
import { LonghaulError } from '../../domain/shared/failures.ts';
import { startOptions } from '../shared/start-options.ts';
import type { ForgeAccount } from './account.ts';

/** Access to the budget of an account. */
export interface BudgetClient {
  /** Requests places and points. The answer grants them or says until when to wait. */
  lease(request: LeaseRequest): Promise<LeaseAnswer>;
  /** Returns places, and passes on what the forge answered about its limits. */
  report(given: ForgeReport): Promise<void>;
}

const TRIES = 3;
const TRY_AGAIN_MS = 500;
/** A busy worker takes a while to answer. */
const DEADLINE_MS = 60_000;

/**
 * In an activity: the workflow `forge/<host>/<fingerprint>`, which all workers share and which outlives them.
 * Elsewhere, such as on the command line: a budget in the memory of this process.
 */
export function budgetClientOf({ host, fingerprint }: ForgeAccount): BudgetClient {
  const memory = budgetInMemory();
  let client: Client | null = null;
  const current = (): BudgetClient => {
    client = clientOfActivity() ?? client;
    return client === null ? memory : budgetInTemporal(client, { host, fingerprint });
  };
  return {
    lease: (request) => current().lease(request),
    report: (given) => current().report(given),
  };
}

/** A budget that ends with the process. */
export function budgetInMemory(): BudgetClient {
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

function budgetInTemporal(client: Client, account: ForgeBudgetInput): BudgetClient {
  const start = startOptions(forgeBudgetFlow, account);
  async function update<Result>(name: string, given: ForgeReport): Promise<Result> {
    const { WithStartWorkflowOperation, WorkflowIdConflictPolicy } = await import('@temporalio/client');
    for (let tries = 1; ; tries++) {
      try {
        return await client.withDeadline(Date.now() + DEADLINE_MS, () =>
          client.workflow.executeUpdateWithStart<(input: ForgeBudgetInput) => Promise<void>, Result, [ForgeReport]>(
            name,
            {
              args: [given],
              startWorkflowOperation: new WithStartWorkflowOperation(forgeBudgetFlow.type, {
                ...start,
                workflowIdConflictPolicy: WorkflowIdConflictPolicy.USE_EXISTING,
              }),
            },
          ),
        );
      } catch (error) {
        // the run may have ended between the request and its answer
        if (tries < TRIES) await pause(TRY_AGAIN_MS);
        else
          throw new LonghaulError('ServerUnavailable', `The budget workflow ${start.workflowId} does not answer.`, {
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
