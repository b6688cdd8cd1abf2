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
 * about which people are asked, or that is being rolled back, start nothing. Throws a `Refusal` with status 503, after
 * which Alertmanager sends the message again, when earlier ones are being judged: they may lead to nothing.
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
        return { id: writtenId(answerAlertsFlow, input), became: await start({ client, desk }, input) };
      }),
    ),
  );
  const idsOf = (became: Became): readonly string[] =>
    answered.filter((each) => each.became === became).map(({ id }) => id);
  if (idsOf('judging').length > 0) throw judging();
  return { started: idsOf('started'), busy: idsOf('busy') };
}

/** What became of alerts. `busy`: another run asks people or rolls back; `judging`: it has not decided that yet. */
type Became = 'started' | 'busy' | 'judging';

function judging(): Refusal {
  return new Refusal(
    503,
    'EnvironmentBusy',
    'Earlier alerts about the environment are being judged, or wait for its deployment. Send the message again.',
    { retryAfter: 30 },
  );
}

/** Starts the flow, whose request is in the ledger before, when no other run answers alerts about the environment. */
async function start(
  { client, desk }: { readonly client: Client; readonly desk: GatesTools['desk'] },
  input: CheckedOf<typeof answerAlertsFlow>,
): Promise<Became> {
  // Alertmanager repeats itself: not each repetition is a row
  const other = await otherRun(client, writtenId(answerAlertsFlow, input));
  if (other !== null) return other;
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
    return 'started';
  } catch (error) {
    if (error instanceof LonghaulError && error.type === answerAlertsFlow.busy(input).type) return 'judging';
    throw error;
  }
}

/** What the run that answers earlier alerts does; null when there is none. */
async function otherRun(client: Client, workflowId: string): Promise<'busy' | 'judging' | null> {
  try {
    const { status, memo, raw } = await client.workflow.getHandle(workflowId).describe();
    if (hasEnded(status.name)) return null;
    const isAsking = (memo?.['gate'] ?? null) !== null;
    return isAsking || (raw.pendingChildren ?? []).length > 0 ? 'busy' : 'judging';
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return null;
    throw error;
  }
}
