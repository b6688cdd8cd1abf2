import { ApplicationFailure } from '@temporalio/workflow';
import type { RefusalFacts } from '../../domain/shared/acts.ts';
import type { EvolutionStart } from '../../domain/release/evolutions/evolution.ts';
import {
  proveChangeFlow,
  type ProveChangeResult,
  startEvolutionFlow,
  type StartEvolutionInput,
  type StartEvolutionResult,
} from '../../domain/release/flows/evolution-flows.ts';
import type { CheckedOf } from '../../domain/shared/flow.ts';
import { runChild } from '../shared/child.ts';
import { asAct } from '../shared/act.ts';
import { commitActivities, ledgerActivities, pipelineActivities } from './activities.ts';
import { pipelineFailure } from './failed-run.ts';

type Given = CheckedOf<typeof startEvolutionFlow>;

/**
 * Starts an evolution (docs/release.md): the policies first, then a pending evolution with the number of its release
 * candidate; with a commit it is proven at once. Fails with `PolicyViolation` when a policy is violated, and with
 * `PipelineFailed` when the change was not proven; both carry the result.
 */
export function startEvolution(input: StartEvolutionInput): Promise<StartEvolutionResult> {
  return asAct(startEvolutionFlow, input, start);
}

async function start(given: Given): Promise<StartEvolutionResult> {
  const { repository, version, change, pipeline, by } = given;
  const contracts = given.contracts ?? (await committedContracts(given));
  const opened = await ledgerActivities.startEvolution.executeWithOptions({ summary: `${change} for ${version}` }, [
    {
      repository,
      version,
      change,
      contracts,
      replaces: given.replaces,
      by,
      ...(pipeline === undefined ? {} : { pipeline }),
    },
  ]);
  if (opened.started === null) {
    const reasons = opened.checks.flatMap((check) => check.violations);
    const facts = { reasons, pipeline: opened.pipeline, contract: opened.contract };
    throw failed('PolicyViolation', `Policy violation: ${reasons.join('; ')}`, { ...opened, proof: null }, facts);
  }
  return { ...opened, proof: given.commit === undefined ? null : await prove(given, opened, opened.started.tag) };
}

async function committedContracts({ repository, commit, packed: given }: Given): Promise<string> {
  const packed =
    given ??
    (await commitActivities.packCommit.executeWithOptions(
      { summary: commit === undefined ? 'pack the default branch' : `pack ${commit.slice(0, 12)}` },
      [{ repository, ...(commit === undefined ? {} : { commit }) }],
    ));
  const { contracts } = await pipelineActivities.readCommit.executeWithOptions({ summary: 'read the contracts' }, [
    { repository, packed },
  ]);
  return contracts;
}

async function prove(given: Given, opened: EvolutionStart, evolution: string): Promise<ProveChangeResult> {
  const { repository, commit, branch, packed, by, requestId } = given;
  try {
    return await runChild(proveChangeFlow, {
      repository,
      pipeline: opened.pipeline,
      evolution,
      supersedes: [],
      by,
      ...(commit === undefined ? {} : { commit }),
      ...(branch === undefined ? {} : { branch }),
      ...(packed === undefined ? {} : { packed }),
      ...(requestId === undefined ? {} : { requestId }),
    });
  } catch (error) {
    const cause = pipelineFailure(error);
    if (cause === null) throw error;
    const proof = (cause.details?.[0] ?? null) as ProveChangeResult | null;
    throw failed('PipelineFailed', cause.message, { ...opened, proof });
  }
}

function failed(
  type: string,
  message: string,
  result: StartEvolutionResult,
  facts: RefusalFacts | null = null,
): ApplicationFailure {
  const details = [result, facts];
  return ApplicationFailure.create({ type, message: message.slice(0, 1_000), nonRetryable: true, details });
}
