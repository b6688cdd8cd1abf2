import { ApplicationFailure, isCancellation } from '@temporalio/workflow';
import { deployReleaseFlow } from '../../domain/release/flows/deploy-flows.ts';
import { startEvolutionFlow } from '../../domain/release/flows/evolution-flows.ts';
import { createHotfixFlow } from '../../domain/release/flows/hotfix-flow.ts';
import {
  releaseHotfixFlow,
  type ReleaseHotfixInput,
  type ReleaseHotfixResult,
} from '../../domain/release/flows/hotfix-release-flow.ts';
import { promoteGenerationFlow } from '../../domain/release/flows/promotion-flows.ts';
import { isHotfixReady, nextForHotfix } from '../../domain/release/promotion/hotfix-state.ts';
import type { HotfixKey, HotfixState } from '../../domain/release/promotion/hotfix-steps.ts';
import type { CheckedOf } from '../../domain/shared/flow.ts';
import { runChild } from '../shared/child.ts';
import { failureOf } from '../shared/failure.ts';
import { recordClaimsOutsideGates } from '../shared/gate.ts';
import { type FlowStages, stagesOf } from '../shared/stages.ts';
import { asAct, hasEvent } from '../shared/act.ts';
import { commitActivities, ledgerActivities, waitingLedgerActivities } from './activities.ts';
import { readEnvironments } from './read-environments.ts';
import { showGeneration } from './show-generation.ts';

type Given = CheckedOf<typeof releaseHotfixFlow>;
type Promoted = Pick<ReleaseHotfixResult, 'commit' | 'published'>;

/** What each stage hands on. */
interface Outputs extends Record<string, unknown> {
  readonly hotfix: HotfixState;
  readonly evolution: null;
  readonly proof: null;
  readonly promotion: Promoted;
  readonly deployment: ReleaseHotfixResult;
}

/**
 * Brings a hotfix from its issue into a healthy environment (docs/deploy.md): creates it, waits until its fix is proven,
 * promotes it, and deploys it past the environments before, with the reason. Each part is a flow with its own lock and
 * undo. A new run with the same input finds what is done, and continues. A deployment that does not stay is put back; the
 * hotfix stays promoted, and the failure carries the result.
 */
export function releaseHotfix(input: ReleaseHotfixInput): Promise<ReleaseHotfixResult> {
  recordClaimsOutsideGates();
  const stages = stagesOf<Outputs>(['hotfix', 'evolution', 'proof', 'promotion', 'deployment']);
  return asAct(releaseHotfixFlow, input, (given) => release(given, stages));
}

async function release(given: Given, stages: FlowStages<Outputs>): Promise<ReleaseHotfixResult> {
  const { repository } = given;
  const hotfix = await stages.run('hotfix', () => findOrCreate(given));
  const { version } = hotfix;
  showGeneration({ repository, version });
  await stages.run('evolution', async () => {
    if (!hotfix.isPromoted) await startEvolution(given, hotfix);
    return null;
  });
  await stages.run('proof', () => untilProven(repository, version, stages.show));
  const promoted = await stages.run('promotion', () => promote(given, version));
  return stages.run('deployment', () => deploy(given, hotfix, promoted));
}

/** Fields that every part has. */
function common({ repository, by, requestId }: Given) {
  return { repository, by, ...(requestId === undefined ? {} : { requestId }) };
}

/** The hotfix that the input names; a new one, unless the release has one for this change. */
async function findOrCreate(given: Given): Promise<HotfixState> {
  const { repository, base, issue, title, version } = given;
  if (base !== undefined && issue !== undefined && title !== undefined) {
    const found = await find({ repository, base, issue });
    if (found !== null) return found;
    const created = await runChild(createHotfixFlow, { ...common(given), base, issue, title });
    return existing(repository, created.version);
  }
  return existing(repository, version ?? 'unknown');
}

async function existing(repository: string, version: string): Promise<HotfixState> {
  const hotfix = await find({ repository, version });
  if (hotfix !== null) return hotfix;
  throw invalid(`The ledger has no hotfix ${version} of ${repository}: create it with \`longhaul hotfix create\`.`);
}

async function find(key: HotfixKey): Promise<HotfixState | null> {
  return ledgerActivities.findHotfix.executeWithOptions({ summary: 'find the hotfix' }, [key]);
}

/** Starts the first evolution, which the run of a pipeline at the fix then proves, when there is such an environment. */
async function startEvolution(given: Given, { version, issue, branch, evolutions }: HotfixState): Promise<void> {
  const { repository, environment } = given;
  const packed = await commitActivities.packCommit.executeWithOptions({ summary: `pack ${branch}` }, [
    { repository, branch },
  ]);
  const { declared: contracts, environments } = await readEnvironments({ repository, packed });
  if (!environments.some(({ name }) => name === environment)) {
    const known = environments.map(({ name }) => name).join(', ') || 'none';
    throw invalid(`${branch} of ${repository} has no environment ${environment}; environments: ${known}.`);
  }
  if (evolutions.length > 0) return;
  await runChild(startEvolutionFlow, {
    ...common(given),
    version,
    change: issue,
    contracts,
    replaces: [],
    request: 'hotfix-release',
  });
}

/** Waits for the fix, which people write. */
async function untilProven(
  repository: string,
  version: string,
  show: (...lines: readonly string[]) => void,
): Promise<null> {
  let seen = await existing(repository, version);
  while (!isHotfixReady(seen)) {
    show(...nextForHotfix(seen));
    seen = await waitingLedgerActivities.awaitHotfix.executeWithOptions({ summary: 'wait for the proof' }, [
      { repository, seen },
    ]);
  }
  return null;
}

async function promote(given: Given, version: string): Promise<Promoted> {
  const { overrideFreeze } = given;
  const { report, published } = await runChild(promoteGenerationFlow, {
    ...common(given),
    version,
    kind: 'hotfix',
    dryRun: false,
    overrideFreeze,
  });
  return { commit: report.commit, published };
}

async function deploy(given: Given, { base, version, issue }: HotfixState, promoted: Promoted) {
  const { environment, reason, overrideFreeze } = given;
  const result: ReleaseHotfixResult = {
    base,
    version,
    issue,
    environment,
    reason,
    ...promoted,
    deployment: null,
    problem: null,
  };
  try {
    const { plan, samples } = await runChild(deployReleaseFlow, {
      ...common(given),
      version,
      environment,
      dryRun: false,
      overrideFreeze,
      reason,
      goBack: false,
    });
    return { ...result, deployment: { id: plan.deployment, samples } };
  } catch (error) {
    if (isCancellation(error)) throw error;
    const { type, error: problem } = failureOf(error);
    const failure = ApplicationFailure.create({
      type,
      message: `${version} is promoted, but is not in ${environment}: ${problem}`.slice(0, 2_000),
      nonRetryable: true,
      details: [{ ...result, problem }],
      ...(error instanceof Error ? { cause: error } : {}),
    });
    // the deployment has recorded how it ended
    hasEvent(failure);
    throw failure;
  }
}

function invalid(message: string): ApplicationFailure {
  return ApplicationFailure.nonRetryable(message, 'InvalidInput');
}
