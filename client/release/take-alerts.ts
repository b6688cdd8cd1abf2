import { randomBytes } from 'node:crypto';
import type { Client } from '@temporalio/client';
import { WorkflowNotFoundError } from '@temporalio/common';
import { ledgerFailure } from '../../activities/ledger/ledger-failure.ts';
import { recordRequest } from '../../activities/ledger/requests.ts';
import { type AlertLabels, firingAlerts } from '../../domain/release/deployment/alertmanager.schema.ts';
import { answerAlertsFlow } from '../../domain/release/flows/alert-flow.ts';
import type { CheckedOf } from '../../domain/shared/flow.ts';
import { writtenId } from '../../domain/shared/flow.ts';
import { LonghaulError } from '../../domain/shared/failures.ts';
import { parseInput } from '../../domain/shared/flow.schema.ts';
import { hasEnded } from '../core/running-question.ts';
import { startChecked } from '../core/start-flow.ts';
import type { AnsweredAlerts } from '../gateway/alertmanager.ts';
import type { GatesTools } from '../gateway/gates.ts';
import { Refusal } from '../gateway/refusal.ts';

/** Alertmanager gives up after ten seconds. */
const DEADLINE_MS = 4_500;
/** Environments of one message: more are not one incident. */
const MOST_ENVIRONMENTS = 50;
/** Who asks, in the audit trail. */
const ACTOR = { name: 'alertmanager', authenticatedBy: 'api-key' } as const;

/**
 * Starts what answers the alerts of a message of Alertmanager, one flow for each environment. Alerts about an environment
 * whose earlier ones are still being answered start nothing: Alertmanager repeats those that go on.
 */
export async function takeAlerts(
  { client, desk }: { readonly client: Client; readonly desk: GatesTools['desk'] },
  message: unknown,
  labels: AlertLabels,
): Promise<AnsweredAlerts> {
  const found = firingAlerts(message, labels);
  if (found === null) {
    throw new Refusal(422, 'InvalidInput', 'The body is not a message of Alertmanager, version 4 of its webhooks.');
  }
  const answered = await client.withDeadline(Date.now() + DEADLINE_MS, () =>
    Promise.all(
      found.slice(0, MOST_ENVIRONMENTS).map(async (alerts) => {
        const input = parseInput(answerAlertsFlow, { ...alerts, by: ACTOR.name });
        return { id: writtenId(answerAlertsFlow, input), isStarted: await start({ client, desk }, input) };
      }),
    ),
  );
  const idsOf = (isStarted: boolean): readonly string[] =>
    answered.filter((each) => each.isStarted === isStarted).map(({ id }) => id);
  return { started: idsOf(true), busy: idsOf(false) };
}

/** Starts the flow, whose request is in the ledger before. False when another run answers alerts about the environment. */
async function start(
  { client, desk }: { readonly client: Client; readonly desk: GatesTools['desk'] },
  input: CheckedOf<typeof answerAlertsFlow>,
): Promise<boolean> {
  // Alertmanager repeats itself: not each repetition is a row
  if (await isRunning(client, writtenId(answerAlertsFlow, input))) return false;
  const id = randomBytes(16).toString('hex');
  if (desk !== null) {
    try {
      await recordRequest(desk.ledger, { id, type: answerAlertsFlow.type, input, actor: ACTOR, isPerson: false });
    } catch (error) {
      throw ledgerFailure(error, desk.url);
    }
  }
  try {
    await startChecked(client, answerAlertsFlow, desk === null ? input : { ...input, requestId: id });
    return true;
  } catch (error) {
    if (error instanceof LonghaulError && error.type === answerAlertsFlow.busy(input).type) return false;
    throw error;
  }
}

async function isRunning(client: Client, workflowId: string): Promise<boolean> {
  try {
    const { status } = await client.workflow.getHandle(workflowId).describe();
    return !hasEnded(status.name);
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return false;
    throw error;
  }
}
