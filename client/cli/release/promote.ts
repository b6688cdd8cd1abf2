import { userName } from '../../core/user-name.ts';
import { promoteGenerationFlow, type PromoteGenerationResult } from '../../../domain/release/flows/promotion-flows.ts';
import { describeCheck, describePromotion } from '../../../domain/release/promotion/describe.ts';
import type { PromotionKind } from '../../../domain/release/promotion/gates.ts';
import type { CliContext } from '../../core/context.ts';
import { printable } from '../../core/sanitize.ts';
import { repositoryOfFolder } from '../../core/folder-repository.ts';
import { type FlowOptions, runFlow } from '../flows/run-flow.ts';
import { commitOfFolder } from './folder-commit.ts';
import { printableLines } from './printable-lines.ts';

/** Options of `longhaul generation promote` and `longhaul hotfix promote`. */
export interface PromoteOptions extends FlowOptions {
  /** Id of the repository. @default that of the working folder */
  readonly repo?: string;
  /** A commit of the working folder. @default the head of the default branch, for a hotfix of its branch */
  readonly commit?: string;
  /** Only evaluates the gates. */
  readonly dryRun?: boolean;
  /** Why the generation is promoted during a freeze. */
  readonly overrideFreeze?: string;
}

/**
 * `longhaul generation promote` and `longhaul hotfix promote`: evaluates the gates and promotes the generation. Exit code
 * 9 when a gate is closed.
 */
export async function promoteCommand(
  context: CliContext,
  version: string,
  kind: PromotionKind,
  options: PromoteOptions,
): Promise<number> {
  const repository = options.repo ?? (await repositoryOfFolder(context));
  const { commit: revision, dryRun = false, overrideFreeze } = options;
  const folder = revision === undefined ? null : await commitOfFolder(context, repository, revision);
  const packed = folder?.packed ?? null;
  return runFlow(
    context,
    {
      flow: promoteGenerationFlow,
      input: {
        repository,
        version,
        kind,
        dryRun,
        by: userName(context.env),
        ...(folder === null ? {} : { commit: folder.commit }),
        ...(packed === null ? {} : { packed }),
        ...(overrideFreeze === undefined ? {} : { overrideFreeze }),
      },
      failsWithResult: ['PromotionRefused'],
      print: (result) => print(context, result, dryRun),
      exitCode: ({ report }) => (dryRun && !report.isOpen ? 9 : 0),
    },
    options,
  );
}

function print(
  { stdout, stderr }: CliContext,
  { report, promoted, refused, published }: PromoteGenerationResult,
  dryRun: boolean,
): number {
  const text = dryRun
    ? describeCheck(report)
    : describePromotion(report, { isPromoted: promoted !== null, approval: promoted?.approval ?? null, refused });
  stdout.write(`${printableLines(text)}\n`);
  for (const line of published) stderr.write(`${printable(line)}\n`);
  return dryRun && !report.isOpen ? 9 : 0;
}
