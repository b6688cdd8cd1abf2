import { ApplicationFailure } from '@temporalio/workflow';
import type { EvolutionStart } from '../../domain/release/evolutions/evolution.ts';
import { startEvolutionFlow, type StartEvolutionInput } from '../../domain/release/flows/evolution-flows.ts';
import { checked } from '../shared/input.ts';
import { commitActivities, ledgerActivities, pipelineActivities } from './activities.ts';

/**
 * Starts an evolution (docs/release.md): the policies first, then a pending evolution with the number of its release
 * candidate. Fails with `PolicyViolation`, which carries the checks, when a policy is violated.
 */
export async function startEvolution(input: StartEvolutionInput): Promise<EvolutionStart> {
  const { repository, version, change, pipeline, by, ...rest } = await checked(startEvolutionFlow, input);
  const contracts = rest.contracts ?? (await committedContracts(repository));
  const result = await ledgerActivities.startEvolution.executeWithOptions({ summary: `${change} for ${version}` }, [
    { repository, version, change, contracts, by, ...(pipeline === undefined ? {} : { pipeline }) },
  ]);
  if (result.started !== null) return result;
  const violations = result.checks.flatMap((check) => check.violations);
  throw ApplicationFailure.create({
    type: 'PolicyViolation',
    message: `Policy violation: ${violations.join('; ')}`.slice(0, 1_000),
    nonRetryable: true,
    details: [result],
  });
}

async function committedContracts(repository: string): Promise<string> {
  const packed = await commitActivities.packCommit.executeWithOptions({ summary: 'pack the default branch' }, [
    { repository },
  ]);
  const { contracts } = await pipelineActivities.readCommit.executeWithOptions({ summary: 'read the contracts' }, [
    { repository, packed },
  ]);
  return contracts;
}
