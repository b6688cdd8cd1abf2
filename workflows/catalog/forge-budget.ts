import {
  ApplicationFailure,
  condition,
  continueAsNew,
  defineQuery,
  defineUpdate,
  setCurrentDetails,
  setHandler,
  workflowInfo,
} from '@temporalio/workflow';
import {
  type ForgeBudget,
  type ForgeBudgetStatus,
  type ForgeReport,
  isIdle,
  isLeaseRequest,
  isReport,
  lease,
  type LeaseAnswer,
  type LeaseRequest,
  NEW_BUDGET,
  report,
  statusOf,
} from '../../domain/forge/forge-budget.ts';
import { forgeBudgetFlow, type ForgeBudgetInput } from '../../domain/forge/forge-budget-flow.ts';
import { describeForgeBudget, forgeBudgetProgress } from '../../domain/catalog/flows/progress.ts';
import { checked } from '../shared/input.ts';
import { isPatched } from '../shared/patches.ts';
import { answerProgress } from '../shared/progress.ts';

const leaseUpdate = defineUpdate<LeaseAnswer, [LeaseRequest]>('lease');
const reportUpdate = defineUpdate<ForgeBudgetStatus, [ForgeReport]>('report');
const budgetQuery = defineQuery<ForgeBudgetStatus>('budget');

/** Updates per run: keeps its history below a few thousand events. */
const UPDATES_A_RUN = 500;
/** A budget that was unused for this long and has no state to keep ends. */
const IDLE = '1 hour';

/**
 * Holds the budget of all workers for one forge and token. Its workflow id is `forge/<host>/<fingerprint of the
 * token>`; the first request starts it.
 */
export async function forgeBudget(
  input?: Partial<ForgeBudgetInput> & { readonly continued?: ForgeBudget },
): Promise<void> {
  const { continued, ...account } = input ?? {};
  const isContinued = workflowInfo().continuedFromExecutionRunId !== undefined;
  let budget = (isContinued ? continued : undefined) ?? NEW_BUDGET;
  let updates = 0;

  function changed(next: ForgeBudget): ForgeBudgetStatus {
    budget = next;
    updates++;
    const status = statusOf(budget, Date.now());
    setCurrentDetails(describeForgeBudget(status));
    return status;
  }

  answerProgress(() => forgeBudgetProgress(statusOf(budget, Date.now())));
  setHandler(budgetQuery, () => statusOf(budget, Date.now()), {
    description: 'Requests to the forge in this minute and hour, and the waiting processes',
  });
  setHandler(
    leaseUpdate,
    (request) => {
      const leased = lease(budget, request, Date.now());
      changed(leased.budget);
      return leased.answer;
    },
    {
      description: 'Asks for points and places (workers do)',
      validator: (given) => refuseUnless(isLeaseRequest(given)),
    },
  );
  setHandler(reportUpdate, (given) => changed(report(budget, given, Date.now())), {
    description: 'Gives back a lease, with what the forge said (workers do)',
    validator: (given) => refuseUnless(isReport(given)),
  });

  // workers of 0.4.0 start it without an input; later runs of such a chain have the budget only
  if (Object.keys(account).length > 0 && isPatched('input-is-checked')) await checked(forgeBudgetFlow, account);
  for (let seen = -1; seen !== updates || !isIdle(budget, Date.now());) {
    seen = updates;
    if (await condition(() => updates >= UPDATES_A_RUN, IDLE)) {
      await continueAsNew<typeof forgeBudget>({ ...account, continued: budget });
    }
  }
}

function refuseUnless(isRight: boolean): void {
  if (!isRight) throw ApplicationFailure.nonRetryable('This is not what a worker would ask.', 'InvalidInput');
}
