import type { Command } from 'commander';
import type { FlowRegistry } from '../../../domain/shared/flow.ts';
import { type Commands, jsonOption, runIdOption, type WingParts } from '../commands.ts';

/** Dependencies of {@link registerFlowCommands}. */
export interface FlowCommandsOptions extends Pick<Commands, 'run'> {
  readonly program: Command;
  /** Loads the declared flows. */
  readonly flows: () => Promise<FlowRegistry>;
  /** What wings add, complete when a command runs. */
  readonly parts: readonly WingParts[];
}

/** Registers the commands for runs of any flow. */
export function registerFlowCommands({ program, flows, run, parts }: FlowCommandsOptions): void {
  program
    .command('watch')
    .description('follow a running flow, or show the result of an ended one')
    .argument('<workflow-id>')
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
}
