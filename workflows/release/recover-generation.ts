import { ApplicationFailure, ParentClosePolicy, startChild } from '@temporalio/workflow';
import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import { deployReleaseFlow } from '../../domain/release/flows/deploy-flows.ts';
import { releaseHotfixFlow } from '../../domain/release/flows/hotfix-release-flow.ts';
import {
  RECOVERY_STAGES,
  recoverGenerationFlow,
  type RecoverGenerationInput,
} from '../../domain/release/flows/recovery-flow.ts';
import { withdrawGenerationFlow } from '../../domain/release/flows/withdrawal-flow.ts';
import { describeBack, type Recovery, type RecoveryFacts } from '../../domain/release/promotion/recovery.ts';
import { type CheckedOf, writtenId } from '../../domain/shared/flow.ts';
import { childAttributes, runChild } from '../shared/child.ts';
import { passGate, recordClaimsOutsideGates } from '../shared/gate.ts';
import { type FlowStages, stagesOf } from '../shared/stages.ts';
import { asAct } from '../shared/act.ts';
import { ledgerActivities } from './activities.ts';

type Given = CheckedOf<typeof recoverGenerationFlow>;
type Stage = (typeof RECOVERY_STAGES)[number];

/** What each stage hands on. */
interface Outputs extends Record<string, unknown> {
  readonly rollback: Pick<Recovery, 'back' | 'present'>;
  readonly decision: Pick<Recovery, 'decision' | 'decidedBy'>;
  readonly withdrawal: Recovery['tag'];
  readonly hotfix: string | null;
}

/**
 * After a bad promotion (docs/deploy.md): the environment goes back first; then people choose whether the generation is
 * withdrawn; then the hotfix is started, or offered. Each part is a flow of its own. It fails where a part does, and a new
 * run continues there: what is done is read from the ledger, never from the input.
 */
export function recoverGeneration(input: RecoverGenerationInput): Promise<Recovery> {
  recordClaimsOutsideGates();
  const stages = stagesOf<Outputs>(RECOVERY_STAGES);
  return asAct(recoverGenerationFlow, input, (given) => recover(given, stages));
}

async function recover(given: Given, stages: FlowStages<Outputs>): Promise<Recovery> {
  const { version, environment } = given;
  const facts = await factsOf(given);
  const place = await stages.run('rollback', () => goBack(given, facts));
  const decided = await stages.run('decision', () => decide(given, { facts, place, show: stages.show }));
  const tag = await stages.run('withdrawal', () => withdraw(given, { ...place, ...decided }));
  const hotfix = await stages.run('hotfix', () => startHotfix(given, place.present));
  return { version, environment, ...place, ...decided, tag, hotfix };
}

/** True for a stage that this run passes over. */
function isPassedOver({ from }: Given, stage: Stage): boolean {
  return RECOVERY_STAGES.indexOf(stage) < RECOVERY_STAGES.indexOf(from);
}

/** Fields that every part has. */
function common({ repository, by, requestId }: Given) {
  return { repository, by, ...(requestId === undefined ? {} : { requestId }) };
}

async function factsOf(given: Given): Promise<RecoveryFacts> {
  const { repository, version, environment, why, tag } = given;
  return ledgerActivities.recoveryFacts.executeWithOptions({ summary: `${version} in ${environment}` }, [
    { repository, version, environment, why, tag },
  ]);
}

/** Takes the environment back, where it has the release. */
async function goBack(given: Given, { present, before }: RecoveryFacts): Promise<Outputs['rollback']> {
  const { version, environment, why, overrideFreeze } = given;
  if (present !== version || isPassedOver(given, 'rollback')) return { back: null, present };
  if (before === null) {
    throw ApplicationFailure.nonRetryable(
      `${environment} had no other release before ${version}: deploy one, or pass this over with --from decision.`,
      'InvalidInput',
    );
  }
  const { plan } = await runChild(deployReleaseFlow, {
    ...common(given),
    version: before,
    environment,
    dryRun: false,
    overrideFreeze,
    reason: why,
    goBack: true,
  });
  return { back: { to: before, deployment: plan.deployment }, present: before };
}

/** Whether the generation is withdrawn: as the person said who started this, else as people choose at a gate. */
async function decide(
  given: Given,
  {
    facts: { isPromoted, commit, digest },
    place,
    show,
  }: { readonly facts: RecoveryFacts; readonly place: Outputs['rollback']; readonly show: (line: string) => void },
): Promise<Outputs['decision']> {
  const { repository, version, environment, why, tag, by, decision } = given;
  if (!isPromoted) return { decision: 'withdrawn before', decidedBy: [] };
  if (decision !== undefined) return { decision: decision === 'withdraw' ? 'withdrawn' : 'kept', decidedBy: [] };
  // at the stage of the hotfix it stays what it is
  if (isPassedOver(given, 'decision')) return { decision: 'kept', decidedBy: [] };
  show('waits for people: longhaul inbox');
  const { status, decisions } = await passGate({
    kind: 'withdrawal',
    subject: `withdrawal of ${version} of ${repository}`,
    repository,
    digest,
    requestedBy: by,
    approvals: { needed: 1, from: [], excludeAuthors: [] },
    evidence: [
      `commit ${commit}`,
      why,
      describeBack({ version, environment, ...place }),
      `approve: ${version} is a draft again, and its tag is ${tag === 'keep' ? 'kept' : 'removed'}`,
      `reject: ${version} stays promoted, which is recorded`,
    ],
  });
  return {
    decision: status === 'approved' ? 'withdrawn' : 'kept',
    decidedBy: decisions.map(({ person, why: reason }) => `${person}: ${reason}`),
  };
}

/** Withdraws the generation, or records that it stays promoted. */
async function withdraw(
  given: Given,
  decided: Outputs['rollback'] & Outputs['decision'],
): Promise<Outputs['withdrawal']> {
  const { repository, version, environment, why, by, tag } = given;
  if (isPassedOver(given, 'withdrawal')) return null;
  const withdrawn =
    decided.decision === 'withdrawn'
      ? await runChild(withdrawGenerationFlow, { ...common(given), version, why, tag })
      : null;
  await ledgerActivities.recordRecovery.executeWithOptions({ summary: `record: ${decided.decision}` }, [
    { repository, version, environment, why, by, ...decided },
  ]);
  return withdrawn?.tag ?? null;
}

/** Starts the hotfix of the release that the environment has; it goes on by itself, for days. Returns its workflow id. */
async function startHotfix(given: Given, base: string | null): Promise<string | null> {
  const { version, environment, why, overrideFreeze, hotfix } = given;
  if (hotfix === undefined || base === null) return null;
  if (base === version) {
    throw ApplicationFailure.nonRetryable(
      `${environment} still has ${version}: take it back before its hotfix is started.`,
      'InvalidInput',
    );
  }
  const input = { ...common(given), ...hotfix, base, environment, reason: why, overrideFreeze };
  const workflowId = writtenId(releaseHotfixFlow, input);
  try {
    await startChild(releaseHotfixFlow.type, {
      workflowId,
      args: [input],
      parentClosePolicy: ParentClosePolicy.ABANDON,
      staticSummary: releaseHotfixFlow.summary(input),
      typedSearchAttributes: childAttributes(releaseHotfixFlow.searchAttributes(input)),
    });
  } catch (error) {
    // a person has started it
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
  }
  return workflowId;
}
