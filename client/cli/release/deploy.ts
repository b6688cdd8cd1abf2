import { openBlobs } from '../../../activities/blobs/open-blobs.ts';
import {
  describeDeployment,
  describeDeployments,
  describeWaiting,
  type DeploymentView,
  describePlan,
  describeStayed,
  shortId,
  type WaitingDeployment,
} from '../../../domain/release/deployment/describe.ts';
import { releaseBefore, standing } from '../../../domain/release/deployment/standing.ts';
import { deployReleaseFlow } from '../../../domain/release/flows/deploy-flows.ts';
import { LonghaulError } from '../../../domain/shared/failures.ts';
import type { CliContext } from '../../core/context.ts';
import { repositoryOfFolder } from '../../core/folder-repository.ts';
import { readersLogin } from '../../core/ledger.ts';
import { connectTemporal } from '../../core/servers.ts';
import { shownError } from '../../core/errors.ts';
import { userName } from '../../core/user-name.ts';
import { type FlowOptions, runFlow } from '../flows/run-flow.ts';
import { printable } from '../../core/sanitize.ts';
import { printableLines } from './printable-lines.ts';
import type { ReadOptions } from './read-view.ts';

/** Options of `longhaul deploy`. */
export interface DeployOptions extends FlowOptions {
  /** Name of the environment. */
  readonly env: string;
  /** Only these services. @default all of the environment */
  readonly service?: readonly string[];
  /** Shows the plan, and does nothing else. */
  readonly dryRun?: boolean;
  /** Number of an issue at the forge that gets a comment when it is rolled back. */
  readonly issue?: number;
  /** Why it is deployed during a freeze. */
  readonly overrideFreeze?: string;
  /** Why it is urgent, and environments before this one are passed over. */
  readonly reason?: string;
  /** Id of the repository. @default that of the working folder */
  readonly repo?: string;
}

/** `longhaul deploy`: deploys a release to an environment. Exit code 9 when it is refused, 11 when it was rolled back. */
export async function deployCommand(context: CliContext, version: string, options: DeployOptions): Promise<number> {
  const repository = options.repo ?? (await repositoryOfFolder(context));
  return startDeployment(context, { repository, version, goBack: false }, options);
}

/** Options of `longhaul rollback`. */
export interface RollbackOptions extends Omit<DeployOptions, 'service' | 'issue'> {
  /** The release to go back to. @default the one before the present one */
  readonly to?: string;
}

/** `longhaul rollback`: deploys a release that the environment had before, and takes back the hooks of later ones. */
export async function rollbackCommand(context: CliContext, options: RollbackOptions): Promise<number> {
  const repository = options.repo ?? (await repositoryOfFolder(context));
  const version = options.to ?? (await versionBefore(context, repository, options.env));
  return startDeployment(context, { repository, version, goBack: true }, options);
}

/** The release that an environment had before its present one. Throws `InvalidInput` when it had none. */
async function versionBefore(context: CliContext, repository: string, environment: string): Promise<string> {
  const { listDeployments } = await import('../../../activities/release/deployment/read-deployments.ts');
  const query = { repository, environment, status: 'deployed' as const, limit: LISTED };
  const releases = standing((await listDeployments(await readersLogin(context), query)).toReversed());
  const before = releaseBefore(releases);
  if (before !== null) return before;
  throw new LonghaulError(
    'InvalidInput',
    `${environment} had no other release of ${repository} before: name one with --to.`,
  );
}

async function startDeployment(
  context: CliContext,
  { repository, version, goBack }: { readonly repository: string; readonly version: string; readonly goBack: boolean },
  options: DeployOptions,
): Promise<number> {
  const { env: environment, service: services, dryRun = false, overrideFreeze, reason, issue } = options;
  return runFlow(
    context,
    {
      flow: deployReleaseFlow,
      input: {
        repository,
        version,
        environment,
        dryRun,
        goBack,
        by: userName(context.env),
        ...(services === undefined ? {} : { services }),
        ...(overrideFreeze === undefined ? {} : { overrideFreeze }),
        ...(reason === undefined ? {} : { reason }),
        ...(issue === undefined ? {} : { issue }),
      },
      print: async ({ plan, samples }) => {
        const { stdout } = context;
        if (dryRun) await printBlob(context, plan.diff);
        stdout.write(`${printableLines(describePlan({ version, environment, goBack }, plan))}\n`);
        if (!dryRun) stdout.write(`${describeStayed({ version, environment, samples })}.\n`);
        return exitCodeOf(plan.problems, dryRun);
      },
      exitCode: ({ plan }) => exitCodeOf(plan.problems, dryRun),
    },
    options,
  );
}

function exitCodeOf(problems: readonly string[], isDryRun: boolean): number {
  return isDryRun && problems.length > 0 ? 9 : 0;
}

async function printBlob(context: CliContext, digest: string): Promise<void> {
  const { readDifference } = await import('../../../activities/release/deployment/read-deployments.ts');
  context.stdout.write(printableLines(await readDifference(await openBlobs(context, context.env), digest)));
}

/** Options of `longhaul deployments list`. */
export interface ListDeploymentsOptions extends ReadOptions {
  /** @default all environments */
  readonly env?: string;
}

const LISTED = 50;

/** `longhaul deployments list`: the latest deployments of a repository. */
export async function listDeploymentsCommand(context: CliContext, options: ListDeploymentsOptions): Promise<number> {
  const { listDeployments } = await import('../../../activities/release/deployment/read-deployments.ts');
  const repository = options.repo ?? (await repositoryOfFolder(context));
  const { env: environment } = options;
  const found = await listDeployments(await readersLogin(context), {
    repository,
    limit: LISTED,
    ...(environment === undefined ? {} : { environment }),
  });
  const waiting = (await waitingDeployments(context, repository)).filter(
    (each) =>
      (environment === undefined || each.environment === environment) &&
      !found.some((one) => one.endedAt === null && isOfWaiting(one, each)),
  );
  if (options.json === true) {
    context.stdout.write(`${JSON.stringify([...waiting, ...found])}\n`);
    return 0;
  }
  const text = printableLines([describeWaiting(waiting), describeDeployments(found)].filter(Boolean).join('\n'));
  context.stdout.write(text === '' ? `No deployment of ${repository}.\n` : `${text}\n`);
  return 0;
}

function isOfWaiting(one: DeploymentView, waiting: WaitingDeployment): boolean {
  return one.environment === waiting.environment && one.version === waiting.version;
}

/** Deployments of a repository that are started and have no plan yet, the latest first. */
async function waitingDeployments(context: CliContext, repository: string): Promise<readonly WaitingDeployment[]> {
  const session = await connectTemporal(context).catch((error: unknown) => {
    const { message } = shownError(error);
    context.stderr.write(`Deployments that wait are not shown: ${printable(message)}\n`);
    return null;
  });
  if (session === null) return [];
  try {
    const prefix = `deployment/${repository}/`;
    const query = `WorkflowType = '${deployReleaseFlow.type}' AND ExecutionStatus = 'Running' AND WorkflowId STARTS_WITH ${JSON.stringify(prefix)}`;
    const waiting: WaitingDeployment[] = [];
    for await (const { workflowId, startTime } of session.client.workflow.list({ query })) {
      const [environment = '', version = ''] = workflowId.slice(prefix.length).split('/');
      waiting.push({ status: 'waiting', repository, environment, version, workflowId, since: startTime.toISOString() });
      if (waiting.length === LISTED) break;
    }
    return waiting;
  } finally {
    await session.close();
  }
}

/** `longhaul deployments show`: a deployment with its objects and samples. */
export async function showDeploymentCommand(
  context: CliContext,
  id: string,
  options: { readonly json?: boolean },
): Promise<number> {
  const { showDeployment } = await import('../../../activities/release/deployment/read-deployments.ts');
  const found = await showDeployment(await readersLogin(context), id);
  context.stdout.write(
    `${options.json === true ? JSON.stringify(found) : printableLines(describeDeployment(found))}\n`,
  );
  return 0;
}

/** `longhaul deployments report`: writes a deployment into one HTML file. */
export async function reportDeploymentCommand(
  context: CliContext,
  id: string,
  options: { readonly output?: string },
): Promise<number> {
  const [{ readDifference, showDeployment }, { deploymentReport }, { writeFile }] = await Promise.all([
    import('../../../activities/release/deployment/read-deployments.ts'),
    import('../../console/release/deployments.ts'),
    import('node:fs/promises'),
  ]);
  const found = await showDeployment(await readersLogin(context), id);
  const blobs = await openBlobs(context, context.env);
  const diff = found.diff === null ? null : await readDifference(blobs, found.diff);
  const file = options.output ?? `deployment-${shortId(found.id)}.html`;
  await writeFile(file, deploymentReport(found, diff));
  context.stdout.write(`The report is in ${printable(file)}.\n`);
  return 0;
}

/** `longhaul deployments diff`: what a deployment changes, values of secrets masked. */
export async function diffDeploymentCommand(context: CliContext, id: string): Promise<number> {
  const { showDeployment } = await import('../../../activities/release/deployment/read-deployments.ts');
  const { diff } = await showDeployment(await readersLogin(context), id);
  if (diff === null) throw new LonghaulError('InvalidInput', `The deployment ${id} has no plan.`);
  await printBlob(context, diff);
  return 0;
}
