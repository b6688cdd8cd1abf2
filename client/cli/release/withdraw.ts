import { withdrawGenerationFlow } from '../../../domain/release/flows/withdrawal-flow.ts';
import { TAG_SENTENCES } from '../../../domain/release/promotion/recovery.ts';
import type { CliContext } from '../../core/context.ts';
import { repositoryOfFolder } from '../../core/folder-repository.ts';
import { userName } from '../../core/user-name.ts';
import { type FlowOptions, runFlow } from '../flows/run-flow.ts';

/** Options of `longhaul generation withdraw`. */
export interface WithdrawOptions extends FlowOptions {
  /** The reason, for the audit trail. */
  readonly why: string;
  /** What happens to its tag on the remote. @default 'keep' */
  readonly tag?: 'keep' | 'remove';
  /** Id of the repository. @default that of the working folder */
  readonly repo?: string;
}

/** `longhaul generation withdraw`: takes a promoted generation back to a draft, as a recorded decision. */
export async function withdrawCommand(context: CliContext, version: string, options: WithdrawOptions): Promise<number> {
  const repository = options.repo ?? (await repositoryOfFolder(context));
  const { why, tag } = options;
  return runFlow(
    context,
    {
      flow: withdrawGenerationFlow,
      input: { repository, version, why, by: userName(context.env), ...(tag === undefined ? {} : { tag }) },
      print: (result) => {
        context.stdout.write(
          `Generation ${result.version} withdrawn: it is a draft again.\n${TAG_SENTENCES[result.tag]}\n`,
        );
        return 0;
      },
    },
    options,
  );
}
