import { ApplicationFailure, ParentClosePolicy, sleep, startChild } from '@temporalio/workflow';
import { defineSearchAttributeKey, WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import {
  changeEnvironmentFlow,
  deployReleaseFlow,
  type DeployReleaseInput,
  type DeployReleaseResult,
} from '../../domain/release/flows/deploy-flows.ts';
import { type CheckedOf, writtenId } from '../../domain/shared/flow.ts';
import { stagesOf } from '../shared/stages.ts';
import { listenForTurns } from '../shared/turns.ts';
import { asAct } from '../shared/act.ts';
import { commitActivities, ledgerActivities } from './activities.ts';
import { readEnvironments, recordedContracts } from './read-environments.ts';
import { replacedIn } from './deployment-failures.ts';
import type { DeployPlace } from '../../domain/release/deployment/deployment.ts';
import type { PackedCommit } from '../../domain/release/pipelines/job.ts';

/** What each stage hands on. */
interface Outputs extends Record<string, unknown> {
  readonly soak: null;
  readonly next: string | null;
  readonly release: {
    readonly packed: PackedCommit;
    readonly place: DeployPlace;
    /** Name of the environment after it; null for the last one. */
    readonly next: string | null;
  };
  readonly deployment: DeployReleaseResult;
}

/**
 * Deploys a release to an environment (docs/deploy.md): reads the release, waits for its turn in the environment, and
 * lets `changeEnvironment` do it.
 */
export function deployRelease(input: DeployReleaseInput): Promise<DeployReleaseResult> {
  const stages = stagesOf<Outputs>(['soak', 'release', 'deployment', 'next']);
  const turns = listenForTurns();
  return asAct(deployReleaseFlow, input, async (given) => {
    const { repository, version, environment, services } = given;
    await stages.run('soak', async () => {
      if (given.soaked !== undefined) await untilSoaked(given.soaked, environment, stages.show);
      return null;
    });
    const { packed, place, next } = await stages.run('release', async () => {
      const pack = given.candidate?.packed ?? (await packRelease(given));
      // those of a release that it goes back to are those that it was deployed with
      const read = await readEnvironments({ repository, packed: pack }, recordedContracts(given));
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
      const after = read.environments[read.environments.indexOf(found) + 1]?.name ?? null;
      return { packed: pack, place: found, next: after };
    });
    const result = await stages.run('deployment', () =>
      turns.run<DeployReleaseResult>(
        (waiting) => {
          const { soaked: _soaked, ...asked } = given;
          const child = { ...asked, packed, waiting };
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
          replaced: replacedIn(environment),
          onWait: () => stages.show(`waits for its turn: another deployment to ${environment} is at work`),
        },
      ),
    );
    const goesOn =
      place.soak > 0 && !given.dryRun && !given.goBack && services === undefined && given.candidate === undefined;
    await stages.run('next', async () =>
      next === null || !goesOn ? null : startNext(given, { next, soak: place.soak, after: result.plan.deployment }),
    );
    return result;
  });
}

/** The commit of a release. */
async function packRelease({ repository, version }: CheckedOf<typeof deployReleaseFlow>): Promise<PackedCommit> {
  const { commit } = await ledgerActivities.findReleased.executeWithOptions({ summary: 'find the release' }, [
    { repository, version },
  ]);
  return commitActivities.packCommit.executeWithOptions({ summary: `pack ${commit.slice(0, 12)}` }, [
    { repository, commit },
  ]);
}

/**
 * Waits for the end of the soak time in the environment before. Fails when the release did not stay there, or people have
 * deployed it to this one meanwhile.
 */
async function untilSoaked(
  { deployment, until }: NonNullable<DeployReleaseInput['soaked']>,
  to: string,
  show: (line: string) => void,
): Promise<void> {
  show(`waits until ${until.slice(0, 16)}Z: soak time in the environment before`);
  await sleep(Math.max(1, Date.parse(until) - Date.now()), { summary: 'soak time in the environment before' });
  const problem = await ledgerActivities.problemOfSoaked.executeWithOptions({ summary: 'did it stay?' }, [
    { deployment, to },
  ]);
  if (problem === null) return;
  throw ApplicationFailure.nonRetryable(`The release does not go on: ${problem}.`, 'DeploymentRefused');
}

/** Starts the deployment to the next environment, which waits for the soak time of this one. Returns its workflow id. */
async function startNext(
  given: CheckedOf<typeof deployReleaseFlow>,
  { next, soak, after }: { readonly next: string; readonly soak: number; readonly after: string },
): Promise<string> {
  const until = new Date(Date.now() + soak * 1_000).toISOString();
  const input = { ...given, environment: next, overrideFreeze: '', reason: '', soaked: { deployment: after, until } };
  const workflowId = writtenId(deployReleaseFlow, input);
  try {
    await startChild(deployReleaseFlow.type, {
      workflowId,
      args: [input],
      // it goes on by itself, for days
      parentClosePolicy: ParentClosePolicy.ABANDON,
      staticSummary: deployReleaseFlow.summary(input),
      typedSearchAttributes: Object.entries(deployReleaseFlow.searchAttributes(input)).map(([name, value]) => ({
        key: defineSearchAttributeKey(name, 'KEYWORD'),
        value,
      })),
    });
  } catch (error) {
    // an earlier deployment of it goes on
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
  }
  return workflowId;
}

function invalid(message: string): ApplicationFailure {
  return ApplicationFailure.nonRetryable(message, 'InvalidInput');
}
