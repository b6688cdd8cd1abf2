import { runTrainFlow, scheduleTrainFlow } from '../../../domain/release/flows/train-flows.ts';
import { describeTrain } from '../../../domain/release/train/train.ts';
import type { CliContext } from '../../core/context.ts';
import { repositoryOfFolder } from '../../core/folder-repository.ts';
import { userName } from '../../core/user-name.ts';
import { type FlowOptions, runFlow } from '../flows/run-flow.ts';
import { printableLines } from './printable-lines.ts';

/** Options of `longhaul train`. */
export interface TrainOptions extends FlowOptions {
  /** Id of the repository. @default that of the working folder */
  readonly repo?: string;
}

/** `longhaul train start` and `stop`: the schedule of the train, as the contract of the default branch has it. */
export async function scheduleTrainCommand(
  context: CliContext,
  command: 'start' | 'stop',
  options: TrainOptions,
): Promise<number> {
  const repository = options.repo ?? (await repositoryOfFolder(context));
  const isRunning = command === 'start';
  return runFlow(
    context,
    {
      flow: scheduleTrainFlow,
      input: { repository, isRunning, by: userName(context.env) },
      print: () => {
        const hint = isRunning ? ': longhaul train status' : '';
        context.stdout.write(
          `${printableLines(`The release train of ${repository} is ${isRunning ? 'started' : 'stopped'}${hint}`)}\n`,
        );
        return 0;
      },
    },
    options,
  );
}

/** `longhaul train status`: the next departure, what is on the train, and what it waits for. */
export async function trainStatusCommand(context: CliContext, options: TrainOptions): Promise<number> {
  const repository = options.repo ?? (await repositoryOfFolder(context));
  return runFlow(
    context,
    {
      flow: runTrainFlow,
      input: { repository, dryRun: true, by: userName(context.env) },
      print: ({ report }) => {
        if (report !== null) context.stdout.write(`${printableLines(describeTrain(report))}\n`);
        return 0;
      },
    },
    options,
  );
}
