import { userName } from '../../core/user-name.ts';
import { createHotfixFlow } from '../../../domain/release/flows/hotfix-flow.ts';
import {
  releaseHotfixFlow,
  type ReleaseHotfixInput,
  type ReleaseHotfixResult,
} from '../../../domain/release/flows/hotfix-release-flow.ts';
import { describeHotfix, describeHotfixRelease } from '../../../domain/release/promotion/hotfix.ts';
import { type FailureType, FAILURES, LonghaulError } from '../../../domain/shared/failures.ts';
import type { CliContext } from '../../core/context.ts';
import { repositoryOfFolder } from '../../core/folder-repository.ts';
import { printable } from '../../core/sanitize.ts';
import { type FlowOptions, runFlow } from '../flows/run-flow.ts';
import { printableLines } from './printable-lines.ts';

/** Options of `longhaul hotfix create`. */
export interface HotfixOptions extends FlowOptions {
  /** Id of the change. */
  readonly issue: string;
  readonly title: string;
  /** The environment that it is brought to. @default it is only created */
  readonly deploy?: string;
  /** Why environments before it are passed over. */
  readonly reason?: string;
  /** Why it is promoted and deployed during a freeze. */
  readonly overrideFreeze?: string;
  /** Id of the repository. @default that of the working folder */
  readonly repo?: string;
}

/**
 * `longhaul hotfix create`: the next free patch version of a release, on a branch from its tag; with `--deploy` the whole
 * way into an environment.
 */
export async function hotfixCommand(context: CliContext, base: string, options: HotfixOptions): Promise<number> {
  const repository = options.repo ?? (await repositoryOfFolder(context));
  const { issue, title, deploy, reason, overrideFreeze } = options;
  if (deploy === undefined) {
    if (reason !== undefined || overrideFreeze !== undefined) {
      throw new LonghaulError('InvalidInput', '--reason and --override-freeze need --deploy with an environment.');
    }
    return createHotfix(context, { repository, base, issue, title }, options);
  }
  if (reason === undefined) {
    throw new LonghaulError('InvalidInput', '--deploy needs --reason: why environments before it are passed over.');
  }
  return releaseHotfix(context, { repository, base, issue, title, environment: deploy, reason }, options);
}

/** Options of `longhaul hotfix deploy`. */
export interface DeployHotfixOptions extends FlowOptions {
  /** Name of the environment. */
  readonly env: string;
  /** Why environments before it are passed over. */
  readonly reason: string;
  /** Why it is promoted and deployed during a freeze. */
  readonly overrideFreeze?: string;
  /** Id of the repository. @default that of the working folder */
  readonly repo?: string;
}

/** `longhaul hotfix deploy`: promotes a hotfix that was created, when it is proven, and deploys it. */
export async function deployHotfixCommand(
  context: CliContext,
  version: string,
  options: DeployHotfixOptions,
): Promise<number> {
  const repository = options.repo ?? (await repositoryOfFolder(context));
  const { env: environment, reason } = options;
  return releaseHotfix(context, { repository, version, environment, reason }, options);
}

function createHotfix(
  context: CliContext,
  input: Readonly<Record<'repository' | 'base' | 'issue' | 'title', string>>,
  options: FlowOptions,
): Promise<number> {
  return runFlow(
    context,
    {
      flow: createHotfixFlow,
      input: { ...input, by: userName(context.env) },
      print: (result) => {
        context.stdout.write(`${printableLines(describeHotfix(result))}\n`);
        context.stderr.write(`Its contract is on a branch: git fetch origin && git switch ${result.branch}\n`);
        return 0;
      },
    },
    options,
  );
}

/** How a deployment ends that does not stay: the hotfix is promoted, and the failure carries the result. */
const NOT_DEPLOYED = Object.keys(FAILURES) as FailureType[];

function releaseHotfix(
  context: CliContext,
  input: ReleaseHotfixInput,
  { overrideFreeze, ...options }: FlowOptions & { readonly overrideFreeze?: string },
): Promise<number> {
  return runFlow(
    context,
    {
      flow: releaseHotfixFlow,
      input: {
        ...input,
        by: userName(context.env),
        ...(overrideFreeze === undefined ? {} : { overrideFreeze }),
      },
      failsWithResult: NOT_DEPLOYED,
      print: (result) => print(context, result),
    },
    options,
  );
}

function print({ stdout, stderr }: CliContext, result: ReleaseHotfixResult): number {
  stdout.write(`${printableLines(describeHotfixRelease(result))}\n`);
  for (const line of result.published) stderr.write(`${printable(line)}\n`);
  return 0;
}
