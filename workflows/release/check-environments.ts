import { ActivityFailure, ApplicationFailure } from '@temporalio/workflow';
import {
  checkEnvironmentsFlow,
  type CheckEnvironmentsInput,
  type CheckEnvironmentsResult,
} from '../../domain/release/flows/environments-flow.ts';
import type { CheckedEnvironment } from '../../domain/release/deployment/environment-check.ts';
import { checked } from '../shared/input.ts';
import { inLanes } from '../shared/lanes.ts';
import { commitActivities, deployActivities, pipelineActivities } from './activities.ts';
import { BRIEF_QUEUE, failWithoutWorker, sealingKey } from './deploy-worker.ts';
import { readEnvironments } from './read-environments.ts';

/** Services that are rendered, and environments that are asked, in parallel. */
const AT_ONCE = 16;
/** Characters of a problem: all of them are in the result. */
const LONGEST_PROBLEM = 1_000;

/** Renders the manifests of each environment of a commit, and asks its cluster what a deployment would lack (docs/deploy.md). */
export async function checkEnvironments(input: CheckEnvironmentsInput): Promise<CheckEnvironmentsResult> {
  const { repository, commit, branch, environment, packed: given } = await checked(checkEnvironmentsFlow, input);
  const sealTo = await sealingKey(BRIEF_QUEUE);
  const packed =
    given ??
    (await commitActivities.packCommit.executeWithOptions(
      { summary: `pack ${commit?.slice(0, 12) ?? branch ?? 'HEAD'}` },
      [{ repository, ...(commit === undefined ? {} : { commit }), ...(branch === undefined ? {} : { branch }) }],
    ));
  const { contracts, environments: declared } = await readEnvironments({ repository, packed });
  const asked = declared.filter(({ name }) => environment === undefined || name === environment);
  if (asked.length === 0) {
    const known = declared.map(({ name }) => name).join(', ') || 'none';
    throw ApplicationFailure.nonRetryable(
      `${repository} has no environment${environment === undefined ? '' : ` ${environment}`} at ${packed.commit.slice(0, 12)}; environments: ${known}.`,
      'InvalidInput',
    );
  }
  const services = asked.flatMap(({ name, services: named }) =>
    named.map(({ name: service }) => ({ of: name, service })),
  );
  const rendered: { of: string; service: string; manifests?: string; problem?: string }[] = [];
  await inLanes([...services.entries()], AT_ONCE, async ([at, { of, service }]) => {
    try {
      const manifests = await pipelineActivities.renderManifests.executeWithOptions(
        { summary: `render ${service} for ${of}` },
        [{ repository, packed, contracts, environment: of, service, sealTo }],
      );
      rendered[at] = { of, service, manifests };
    } catch (error) {
      rendered[at] = { of, service, problem: problemOf(error) };
    }
  });
  const environments: CheckedEnvironment[] = [];
  await inLanes([...asked.entries()], AT_ONCE, async ([at, { name }]) => {
    const own = rendered.filter(({ of }) => of === name);
    const found = await deployActivities.checkEnvironment
      .executeWithOptions({ scheduleToStartTimeout: BRIEF_QUEUE, summary: `ask ${name}` }, [
        {
          repository,
          contracts,
          environment: name,
          services: own.flatMap(({ service, manifests }) => (manifests === undefined ? [] : [{ service, manifests }])),
        },
      ])
      .catch(failWithoutWorker);
    environments[at] = { ...found, problems: [...own.flatMap(({ problem = [] }) => problem), ...found.problems] };
  });
  return { commit: packed.commit, environments };
}

/** What is wrong with manifests, for the environment that has them; rethrows what is no answer, such as a cancellation. */
function problemOf(error: unknown): string {
  const cause = error instanceof ActivityFailure ? error.cause : null;
  if (cause instanceof ApplicationFailure) return cause.message.slice(0, LONGEST_PROBLEM);
  throw error;
}
