import { ApplicationFailure, CancellationScope, sleep } from '@temporalio/workflow';
import type { JudgedAlerts } from '../../activities/release/deployment/judge-alerts.ts';
import {
  describeAlert,
  LONGEST_SUMMARY,
  plainText,
  reasonOf,
  untilQuestionLook,
  untilDeploymentLook,
} from '../../domain/release/deployment/alert.ts';
import {
  answerAlertsFlow,
  type AnswerAlertsInput,
  type AnswerAlertsResult,
} from '../../domain/release/flows/alert-flow.ts';
import { deployReleaseFlow } from '../../domain/release/flows/deploy-flows.ts';
import type { CheckedOf } from '../../domain/shared/flow.ts';
import { runChild } from '../shared/child.ts';
import { failureOf } from '../shared/failure.ts';
import { passGate, recordClaimsOutsideGates } from '../shared/gate.ts';
import { asAct } from '../shared/act.ts';
import { ledgerActivities } from './activities.ts';

type Given = CheckedOf<typeof answerAlertsFlow>;
type Taken = Extract<JudgedAlerts, { readonly act: 'ask' | 'rollback' }>;

/** Looks, a little more than a week: as long as a watch may take. */
const MOST_LOOKS = 180;
/** Seconds for which a question is open. */
const DEADLINE_SECONDS = 7 * 86_400;

/**
 * Answers alerts about an environment (docs/deploy.md): goes back to the release before, asks people whether to, or does
 * nothing, as the contract of the present release says.
 */
export function answerAlerts(input: AnswerAlertsInput): Promise<AnswerAlertsResult> {
  recordClaimsOutsideGates();
  return asAct(answerAlertsFlow, input, async (given): Promise<AnswerAlertsResult> => {
    const judged = await judge(given);
    if (judged.act === 'nothing') return { did: 'nothing', why: judged.why };
    const text = reasonOf(judged.alerts);
    const { repository, environment, by, requestId } = given;
    const goBack = (): Promise<unknown> =>
      runChild(deployReleaseFlow, {
        repository,
        version: judged.to,
        environment,
        dryRun: false,
        goBack: true,
        // during a freeze a person is asked
        overrideFreeze: text,
        reason: text,
        alert: { deployment: judged.deployment, text },
        by,
        ...(requestId === undefined ? {} : { requestId }),
      });
    const failure = judged.act === 'rollback' ? await failureBeforeChanges(given, judged, goBack) : [];
    if (failure !== null) {
      const instead = await askPeople(given, judged, failure);
      if (instead !== null) return instead;
      await goBack();
    }
    return { did: 'rolled back', why: `${environment} has ${judged.to} again, because of ${text}` };
  });
}

/** What the alerts lead to, when no deployment is at work: its watch decides. */
async function judge(given: Given): Promise<Exclude<JudgedAlerts, { act: 'wait' }>> {
  for (let looks = 0; looks < MOST_LOOKS; looks++) {
    const judged = await look(given);
    if (judged.act !== 'wait') return judged;
    await sleep(untilDeploymentLook(looks), { summary: 'a deployment is at work' });
  }
  throw ApplicationFailure.nonRetryable(
    `The alerts about ${given.environment} were not answered: a deployment has been at work for a week.`,
    'EnvironmentBusy',
  );
}

function look({ repository, environment, alerts, by }: Given): Promise<JudgedAlerts> {
  return ledgerActivities.judgeAlerts.executeWithOptions({ summary: 'what the alerts lead to' }, [
    { repository, environment, alerts, by },
  ]);
}

/**
 * Goes back. Null when that has worked; otherwise why it has changed nothing, as evidence: such as another deployment at
 * work. Throws the failure of a rollback that was refused or cancelled, or that has changed something.
 */
async function failureBeforeChanges(
  given: Given,
  judged: Taken,
  goBack: () => Promise<unknown>,
): Promise<readonly string[] | null> {
  try {
    await goBack();
    return null;
  } catch (error) {
    const { type, error: message } = failureOf(error);
    if (type === 'DeploymentRefused' || type === 'Cancelled') throw error;
    if (!isAbout(await judge(given), judged)) throw error;
    return [`the rollback has failed: ${plainText(message, LONGEST_SUMMARY)}`];
  }
}

/** True while nothing was deployed since. */
function isAbout(now: JudgedAlerts, { act, deployment }: Taken): boolean {
  return now.act === act && now.deployment === deployment;
}

/** Asks whether to go back. Returns what was done instead; null when a person approves it. */
async function askPeople(given: Given, judged: Taken, failure: readonly string[]): Promise<AnswerAlertsResult | null> {
  const { repository, environment, by } = given;
  const { deployment, version, to, digest, alerts } = judged;
  const scope = new CancellationScope();
  const asking = scope.run(() =>
    passGate({
      kind: 'alert',
      subject: `${environment} of ${repository}, back from ${version} to ${to}`,
      repository,
      digest,
      requestedBy: by,
      requester: 'service',
      approvals: { needed: 1, from: [] },
      deadline: { seconds: DEADLINE_SECONDS, outcome: 'rejected' },
      evidence: [
        ...failure,
        ...alerts.slice(0, 20).map(describeAlert),
        `present release: longhaul deployments show ${deployment}`,
      ],
    }),
  );
  try {
    const verdict = await Promise.race([asking, scope.run(() => untilDeployed(given, judged)).then(() => null)]);
    if (verdict === null) return { did: 'nothing', why: 'Another deployment has begun since the question.' };
    if (verdict.status === 'approved') return null;
    const why =
      verdict.reason === 'deadline'
        ? 'No decision was made within a week.'
        : verdict.decisions.map(({ person, why: reason }) => `${person}: ${reason}`).join('; ');
    return { did: 'rejected', why };
  } finally {
    scope.cancel();
    // the gate is closed before the flow ends
    await asking.catch(() => undefined);
  }
}

/** Waits until another deployment to the environment has begun. */
async function untilDeployed(given: Given, judged: Taken): Promise<void> {
  for (let looks = 0; ; looks++) {
    await sleep(untilQuestionLook(looks), {
      summary: 'until the next look whether the question is still about the release',
    });
    if (!isAbout(await look(given), judged)) return;
  }
}
