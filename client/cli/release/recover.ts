import {
  RECOVERY_STAGES,
  recoverGenerationFlow,
  type RecoverGenerationInput,
} from '../../../domain/release/flows/recovery-flow.ts';
import { describeRecovery } from '../../../domain/release/promotion/recovery.ts';
import { LonghaulError } from '../../../domain/shared/failures.ts';
import type { CliContext } from '../../core/context.ts';
import { repositoryOfFolder } from '../../core/folder-repository.ts';
import { userName } from '../../core/user-name.ts';
import { type FlowOptions, runFlow } from '../flows/run-flow.ts';
import { printableLines } from './printable-lines.ts';

/** Options of `longhaul generation recover`. */
export interface RecoverOptions
  extends FlowOptions, Pick<RecoverGenerationInput, 'why' | 'decision' | 'tag' | 'overrideFreeze'> {
  /** Name of the environment. */
  readonly env: string;
  /** The first stage. @default 'rollback' */
  readonly from?: string;
  /** Id of the change whose hotfix is started. @default none */
  readonly issue?: string;
  /** What it repairs. */
  readonly title?: string;
  /** Id of the repository. @default that of the working folder */
  readonly repo?: string;
}

/** `longhaul generation recover`: production first, then the ledger, then the hotfix. */
export async function recoverCommand(context: CliContext, version: string, options: RecoverOptions): Promise<number> {
  const { env: environment, why, decision, tag, from, overrideFreeze, issue, title } = options;
  if ((issue === undefined) !== (title === undefined)) {
    throw new LonghaulError('InvalidInput', '--issue and --title belong together: give both, or none.');
  }
  const first = RECOVERY_STAGES.find((stage) => stage === (from ?? 'rollback'));
  if (first === undefined) {
    throw new LonghaulError('InvalidInput', `There is no stage ${from}; stages: ${RECOVERY_STAGES.join(', ')}.`);
  }
  const repository = options.repo ?? (await repositoryOfFolder(context));
  return runFlow(
    context,
    {
      flow: recoverGenerationFlow,
      input: {
        repository,
        version,
        environment,
        why,
        by: userName(context.env),
        ...(decision === undefined ? {} : { decision }),
        ...(tag === undefined ? {} : { tag }),
        from: first,
        ...(overrideFreeze === undefined ? {} : { overrideFreeze }),
        ...(issue === undefined || title === undefined ? {} : { hotfix: { issue, title } }),
      },
      print: (result) => {
        context.stdout.write(`${printableLines(describeRecovery(result))}\n`);
        return 0;
      },
    },
    options,
  );
}
