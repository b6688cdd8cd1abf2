import { ActivityFailure, ApplicationFailure, TimeoutFailure } from '@temporalio/workflow';
import {
  checkEnvironmentsFlow,
  type CheckEnvironmentsInput,
  type CheckEnvironmentsResult,
} from '../../domain/release/flows/environments-flow.ts';
import type { CheckedEnvironment } from '../../domain/release/deployment/environment-check.ts';
import { checked } from '../shared/input.ts';
import { commitActivities, deployActivities, pipelineActivities } from './activities.ts';

/** Longest wait for a worker: people wait for the answer, and not every installation has one. */
const LONGEST_QUEUE = '30 seconds';

/** Renders the manifests of each environment of a commit, and asks its cluster what a deployment would lack (docs/deploy.md). */
export async function checkEnvironments(input: CheckEnvironmentsInput): Promise<CheckEnvironmentsResult> {
  const { repository, commit, branch, environment, packed: given } = await checked(checkEnvironmentsFlow, input);
  const patience = { scheduleToStartTimeout: LONGEST_QUEUE } as const;
  const sealTo = await deployActivities.sealingKey
    .executeWithOptions({ ...patience, summary: 'ask for the key of the manifests' }, [])
    .catch(failWithoutWorker);
  const packed =
    given ??
    (await commitActivities.packCommit.executeWithOptions(
      { summary: `pack ${commit?.slice(0, 12) ?? branch ?? 'HEAD'}` },
      [{ repository, ...(commit === undefined ? {} : { commit }), ...(branch === undefined ? {} : { branch }) }],
    ));
  const { contracts, environments: declared } = await pipelineActivities.readEnvironments.executeWithOptions(
    { summary: 'read the environments' },
    [{ repository, packed }],
  );
  const asked = declared.filter(({ name }) => environment === undefined || name === environment);
  if (asked.length === 0) {
    const known = declared.map(({ name }) => name).join(', ') || 'none';
    throw ApplicationFailure.nonRetryable(
      `${repository} has no environment${environment === undefined ? '' : ` ${environment}`} at ${packed.commit.slice(0, 12)}; environments: ${known}.`,
      'InvalidInput',
    );
  }
  const check = async ({ name, services }: (typeof asked)[number]): Promise<CheckedEnvironment> => {
    const rendered = await Promise.all(
      services.map(async ({ name: service }) => ({
        service,
        manifests: await pipelineActivities.renderManifests.executeWithOptions(
          { summary: `render ${service} for ${name}` },
          [{ repository, packed, contracts, environment: name, service, sealTo }],
        ),
      })),
    );
    return deployActivities.checkEnvironment
      .executeWithOptions({ ...patience, summary: `ask ${name}` }, [
        { repository, contracts, environment: name, services: rendered },
      ])
      .catch(failWithoutWorker);
  };
  return { commit: packed.commit, environments: await Promise.all(asked.map(check)) };
}

function failWithoutWorker(error: unknown): never {
  const cause = error instanceof ActivityFailure ? error.cause : null;
  if (cause instanceof TimeoutFailure && cause.timeoutType === 'SCHEDULE_TO_START') {
    throw ApplicationFailure.nonRetryable(
      'No worker serves the role deploy: start one with `longhaul worker --roles deploy`.',
      'ServerUnavailable',
    );
  }
  throw error;
}
