import { describeEnvironments } from '../../../domain/release/deployment/environment-check.ts';
import { checkEnvironmentsFlow } from '../../../domain/release/flows/environments-flow.ts';
import type { CliContext } from '../../core/context.ts';
import { repositoryOfFolder } from '../../core/folder-repository.ts';
import { type FlowOptions, runFlow } from '../flows/run-flow.ts';
import { commitOfFolder } from './folder-commit.ts';
import { printableLines } from './printable-lines.ts';

/** Options of `longhaul environments check`. */
export interface CheckEnvironmentsOptions extends FlowOptions {
  /** Id of the repository. @default that of the working folder */
  readonly repo?: string;
  /** A commit of the working folder. @default HEAD, with `repo` the head of the default branch */
  readonly commit?: string;
  /** Name of one environment. @default all of them */
  readonly env?: string;
}

/** `longhaul environments check`: what deployments would lack. Exit code 1 when an environment lacks something. */
export async function checkEnvironmentsCommand(
  context: CliContext,
  options: CheckEnvironmentsOptions,
): Promise<number> {
  const { repo, env, commit: revision = repo === undefined ? 'HEAD' : undefined } = options;
  const repository = repo ?? (await repositoryOfFolder(context));
  const folder = revision === undefined ? null : await commitOfFolder(context, repository, revision);
  const packed = folder?.packed ?? null;
  return runFlow(
    context,
    {
      flow: checkEnvironmentsFlow,
      input: {
        repository,
        ...(folder === null ? {} : { commit: folder.commit }),
        ...(packed === null ? {} : { packed }),
        ...(env === undefined ? {} : { environment: env }),
      },
      print: ({ environments }) => {
        context.stdout.write(`${printableLines(describeEnvironments(environments))}\n`);
        return exitCodeOf(environments);
      },
      exitCode: ({ environments }) => exitCodeOf(environments),
    },
    options,
  );
}

function exitCodeOf(environments: readonly { readonly problems: readonly string[] }[]): number {
  return environments.some(({ problems }) => problems.length > 0) ? 1 : 0;
}
