import { Argument, type Command } from 'commander';
import type { FlowRegistry } from '../../../domain/shared/flow.ts';
import { type Commands, jsonOption, runIdOption, type WingParts } from '../commands.ts';
import { completedBy, type ReadValues } from '../completion/values.ts';
import type { RepairOptions } from './repair.ts';

/** Dependencies of {@link registerFlowCommands}. */
export interface FlowCommandsOptions extends Pick<Commands, 'run'> {
  readonly program: Command;
  /** Loads the declared flows. */
  readonly flows: () => Promise<FlowRegistry>;
  /** What wings add, complete when a command runs. */
  readonly parts: readonly WingParts[];
}

const runningFlows: ReadValues = async (context, signal) => {
  const { runningWorkflows } = await import('../../core/temporal-ids.ts');
  return (await runningWorkflows(context, signal)).map(({ id, type }) => ({ value: id, description: type }));
};

/** Registers the commands for runs of any flow. */
export function registerFlowCommands({ program, flows, run, parts }: FlowCommandsOptions): void {
  program
    .command('watch')
    .description('follow a running flow, or show the result of an ended one')
    .addArgument(completedBy(new Argument('<workflow-id>'), runningFlows))
    .addOption(runIdOption())
    .addOption(jsonOption())
    .action((workflowId: string, options: { json?: boolean; runId?: string }) =>
      run(options, async (context) => {
        const printers = parts.flatMap(({ printers: load }) => load ?? []);
        return (await import('./watch.ts')).watchFlow(context, workflowId, {
          ...options,
          flows: await flows(),
          printers,
        });
      }),
    );
  program
    .command('repair')
    .description('let a flow undo again what it could not undo (exit 1 when something is left)')
    .addArgument(completedBy(new Argument('<workflow-id>'), runningFlows))
    .option('--give-up', 'end the flow as it is, and list what is left')
    .option('--why <text>', 'the reason, for the record')
    .addOption(jsonOption())
    .action((workflowId: string, options: RepairOptions) =>
      run(options, async (context) => (await import('./repair.ts')).repairCommand(context, workflowId, options)),
    );
}
