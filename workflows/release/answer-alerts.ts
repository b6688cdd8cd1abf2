import { ApplicationFailure, sleep } from '@temporalio/workflow';
import type { JudgedAlerts } from '../../activities/release/deployment/judge-alerts.ts';
import { describeAlert, reasonOf } from '../../domain/release/deployment/alert.ts';
import {
  answerAlertsFlow,
  type AnswerAlertsInput,
  type AnswerAlertsResult,
} from '../../domain/release/flows/alert-flow.ts';
import { deployReleaseFlow } from '../../domain/release/flows/deploy-flows.ts';
import type { CheckedOf } from '../../domain/shared/flow.ts';
import { runChild } from '../shared/child.ts';
import { passGate, recordClaimsOutsideGates } from '../shared/gate.ts';
import { asAct } from './act.ts';
import { ledgerActivities } from './activities.ts';

type Given = CheckedOf<typeof answerAlertsFlow>;
type Taken = Extract<JudgedAlerts, { readonly act: 'ask' | 'rollback' }>;

/** Milliseconds between looks while a deployment is at work: the first, and the longest. */
const LOOK_MS = 15_000;
const LONGEST_MS = 600_000;
/** Looks, a little more than a week: as long as a watch may take. */
const MOST_LOOKS = 1_200;

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
    if (judged.act === 'ask') {
      const rejected = await askPeople(given, judged);
      if (rejected !== null) return { did: 'rejected', why: rejected };
    }
    const { repository, environment, by, requestId } = given;
    await runChild(deployReleaseFlow, {
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
    return { did: 'rolled back', why: `${environment} has ${judged.to} again, because of ${text}` };
  });
}

/** What the alerts lead to, when no deployment is at work: its watch decides. */
async function judge({ repository, environment, alerts, by }: Given): Promise<Exclude<JudgedAlerts, { act: 'wait' }>> {
  for (let looks = 0; looks < MOST_LOOKS; looks++) {
    const judged = await ledgerActivities.judgeAlerts.executeWithOptions({ summary: 'what the alerts lead to' }, [
      { repository, environment, alerts, by },
    ]);
    if (judged.act !== 'wait') return judged;
    await sleep(Math.min(LOOK_MS * 2 ** looks, LONGEST_MS), { summary: 'a deployment is at work' });
  }
  throw ApplicationFailure.nonRetryable(
    `The alerts about ${environment} were not answered: a deployment has been at work for a week.`,
    'EnvironmentBusy',
  );
}

/** Asks whether to go back. Returns why not; null when a person approves it. */
async function askPeople(
  { repository, environment, by }: Given,
  { deployment, version, to, digest, alerts }: Taken,
): Promise<string | null> {
  const { status, decisions } = await passGate({
    kind: 'alert',
    subject: `${environment} of ${repository}, back from ${version} to ${to}`,
    repository,
    digest,
    requestedBy: by,
    requester: 'service',
    approvals: { needed: 1, from: [] },
    evidence: [...alerts.slice(0, 20).map(describeAlert), `present release: longhaul deployments show ${deployment}`],
  });
  return status === 'approved' ? null : decisions.map(({ person, why }) => `${person}: ${why}`).join('; ');
}
