import { userName } from '../../core/user-name.ts';
import { createHotfixFlow } from '../../../domain/release/flows/hotfix-flow.ts';
import { describeHotfix } from '../../../domain/release/promotion/hotfix.ts';
import type { CliContext } from '../../core/context.ts';
import { repositoryOfFolder } from '../../core/folder-repository.ts';
import { type FlowOptions, runFlow } from '../flows/run-flow.ts';
import { printableLines } from './printable-lines.ts';

/** Options of `longhaul hotfix create`. */
export interface HotfixOptions extends FlowOptions {
  /** Id of the change. */
  readonly issue: string;
  readonly title: string;
  /** Id of the repository. @default that of the working folder */
  readonly repo?: string;
}

/** `longhaul hotfix create`: the next free patch version of a release, on a branch from its tag. */
export async function createHotfixCommand(context: CliContext, base: string, options: HotfixOptions): Promise<number> {
  const repository = options.repo ?? (await repositoryOfFolder(context));
  const { issue, title } = options;
  return runFlow(
    context,
    {
      flow: createHotfixFlow,
      input: { repository, base, issue, title, by: userName(context.env) },
      print: (result) => {
        context.stdout.write(`${printableLines(describeHotfix(result))}\n`);
        context.stderr.write(`Its contract is on a branch: git fetch origin && git switch ${result.branch}\n`);
        return 0;
      },
    },
    options,
  );
}
