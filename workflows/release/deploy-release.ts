import { ApplicationFailure } from '@temporalio/workflow';
import {
  changeEnvironmentFlow,
  deployReleaseFlow,
  type DeployReleaseInput,
  type DeployReleaseResult,
} from '../../domain/release/flows/deploy-flows.ts';
import { writtenId } from '../../domain/shared/flow.ts';
import { stagesOf } from '../shared/stages.ts';
import { inTurn } from '../shared/turns.ts';
import { asAct } from './act.ts';
import { commitActivities, ledgerActivities, pipelineActivities } from './activities.ts';
import type { DeployPlace } from '../../domain/release/deployment/deployment.ts';
import type { PackedCommit } from '../../domain/release/pipelines/job.ts';

/** What each stage hands on. */
interface Outputs extends Record<string, unknown> {
  readonly release: { readonly packed: PackedCommit; readonly contracts: string; readonly place: DeployPlace };
  readonly deployment: DeployReleaseResult;
}

/**
 * Deploys a release to an environment (docs/deploy.md): reads the release, waits for its turn in the environment, and
 * lets `changeEnvironment` do it.
 */
export function deployRelease(input: DeployReleaseInput): Promise<DeployReleaseResult> {
  const stages = stagesOf<Outputs>(['release', 'deployment']);
  return asAct(deployReleaseFlow, input, async (given) => {
    const { repository, version, environment, services } = given;
    const { packed, contracts, place } = await stages.run('release', async () => {
      const { commit } = await ledgerActivities.findReleased.executeWithOptions({ summary: 'find the release' }, [
        { repository, version },
      ]);
      const pack = await commitActivities.packCommit.executeWithOptions({ summary: `pack ${commit.slice(0, 12)}` }, [
        { repository, commit },
      ]);
      const read = await pipelineActivities.readEnvironments.executeWithOptions({ summary: 'read the environments' }, [
        { repository, packed: pack },
      ]);
      const found = read.environments.find(({ name }) => name === environment);
      if (found === undefined) {
        const known = read.environments.map(({ name }) => name).join(', ') || 'none';
        throw invalid(`${version} of ${repository} has no environment ${environment}; environments: ${known}.`);
      }
      const unknown = services?.find((service) => !found.services.some(({ name }) => name === service));
      if (unknown !== undefined) {
        const known = found.services.map(({ name }) => name).join(', ');
        throw invalid(`${environment} has no service ${unknown}; services: ${known}.`);
      }
      return { packed: pack, contracts: read.contracts, place: found };
    });
    return stages.run('deployment', () =>
      inTurn<DeployReleaseResult>(
        (waiting) => {
          const child = { ...given, packed, contracts, waiting };
          return {
            type: changeEnvironmentFlow.type,
            input: child,
            workflowId: writtenId(changeEnvironmentFlow, child),
            summary: changeEnvironmentFlow.summary(child),
            searchAttributes: changeEnvironmentFlow.searchAttributes(child),
            busy: changeEnvironmentFlow.busy(child),
          };
        },
        {
          whenTaken: place.concurrency,
          onWait: () => stages.show(`waits for its turn: another deployment to ${environment} is at work`),
        },
      ),
    );
  });
}

function invalid(message: string): ApplicationFailure {
  return ApplicationFailure.nonRetryable(message, 'InvalidInput');
}
