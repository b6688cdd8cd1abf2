import { Option } from 'commander';
import { integer, jsonOption, type Commands, type RegisterCommands } from '../commands.ts';
import type { ApplyPlanOptions } from './apply.ts';
import { registerGraftCommands } from './graft-commands.ts';
import { registerIntentCommands } from './intent-commands.ts';
import { registerLifeCommands } from './life-commands.ts';
import type { PlanOptions } from './plan.ts';
import type { WorkspaceStatusOptions } from './status.ts';

/** `--root` of commands for one workspace. */
const rootOption = (): Option => new Option('--root <folder>', 'the folder of the workspace').default('.');

/** Commands for workspaces: several repositories of one task on this machine. */
export const registerWorkspaceCommands: RegisterCommands = ({ program, run: runWork }) => {
  const run: Commands['run'] = (options, work) =>
    runWork(options, async (context) => (await import('./graft-json.ts')).withGraftErrors(options, work)(context));
  const workspace = program.command('workspace').description('several repositories of one task in one folder');
  workspace
    .command('status')
    .description('the repositories of a workspace: branch, changes, dependencies, and what is wrong with it')
    .addOption(rootOption())
    .option('--drift', 'also compare it with its manifest and its state (exit 1 when something differs)')
    .option('--snapshot <file>', 'also write the snapshot, which says all of this to programs')
    .addOption(jsonOption())
    .action((options: WorkspaceStatusOptions) =>
      run(options, async (context) => (await import('./status.ts')).workspaceStatusCommand(context, options)),
    );
  workspace
    .command('plan')
    .description(
      'what has to be done so that a workspace is as its manifest says; does nothing (exit 9 when it cannot be)',
    )
    .addOption(rootOption())
    .option('-o, --output <file>', 'write the plan, to be reviewed and applied')
    .option('--to <file>', 'plan for the state in this snapshot (default: what the manifest says)')
    .addOption(jsonOption())
    .action((options: PlanOptions) =>
      run(options, async (context) => (await import('./plan.ts')).planCommand(context, options)),
    );
  workspace
    .command('apply')
    .description('apply a plan that `plan -o` wrote: all of it or nothing, also when the machine fails meanwhile')
    .argument('<plan>', 'the file of the plan')
    .addOption(rootOption())
    .option('--host <name>', 'the machine with the workspace (default: this one, as host.name says)')
    .option('--dry-run', 'look whether it can be applied, and change nothing')
    .option('--max-age <seconds>', 'refuse a plan that was made longer ago', integer(1, 31_536_000))
    .option('--no-wait', 'start the flow and return')
    .addOption(jsonOption())
    .action((plan: string, options: ApplyPlanOptions) =>
      run(options, async (context) => (await import('./apply.ts')).applyCommand(context, plan, options)),
    );
  registerGraftCommands(workspace, run, rootOption);
  registerIntentCommands(workspace, run);
  registerLifeCommands(workspace, run);
};
