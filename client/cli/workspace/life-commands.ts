import { type Command, Option } from 'commander';
import { jsonOption, type RegisterCommands } from '../commands.ts';
import type { ListWorkspacesOptions } from './list.ts';
import type { WorkspaceOptions } from './host-and-root.ts';
import type { PrepareOptions } from './prepare.ts';
import type { QuarantineOptions } from './quarantine.ts';
import type { AnsweringOptions } from './run-answering.ts';
import type { TeardownOptions } from './teardown.ts';

/** Commands for the end of workspaces. */
export function registerLifeCommands(workspace: Command, run: Parameters<RegisterCommands>[0]['run']): void {
  workspace
    .command('prepare')
    .description('make a workspace as its manifest says, watch and repair it, and end it when its time is over')
    .addOption(new Option('--root <folder>', 'the folder of the workspace').default('.'))
    .option('--host <name>', 'the machine with the workspace (default: this one, as host.name says)')
    .option('--ttl <time>', 'how long it lives, such as 90m, 2h or 3d (default: as the manifest says)')
    .option('--wait', 'follow it until it ends')
    .addOption(jsonOption())
    .action((options: PrepareOptions) =>
      run(options, async (context) => (await import('./prepare.ts')).prepareCommand(context, options)),
    );
  workspace
    .command('extend')
    .description('let a workspace that `prepare` stays with live longer')
    .argument('<time>', 'such as 30m, 2h or 1d')
    .addOption(new Option('--root <folder>', 'the folder of the workspace').default('.'))
    .option('--host <name>', 'the machine with the workspace (default: this one, as host.name says)')
    .action((time: string, options: WorkspaceOptions) =>
      run({}, async (context) => (await import('./prepare.ts')).extendCommand(context, time, options)),
    );
  workspace
    .command('list')
    .description('the workspaces of this machine: state, work in them, drift, how long they live, and their space')
    .addOption(jsonOption())
    .action((options: ListWorkspacesOptions) =>
      run(options, async (context) => (await import('./list.ts')).listWorkspacesCommand(context, options)),
    );
  workspace
    .command('teardown')
    .description('end a workspace; asks by name about everything that may be lost, and keeps it in quarantine')
    .addOption(
      new Option('--mode <mode>', 'what is left of it').choices(['clean', 'detach', 'preserve']).default('clean'),
    )
    .addOption(new Option('--root <folder>', 'the folder of the workspace').default('.'))
    .option('--host <name>', 'the machine with the workspace (default: this one, as host.name says)')
    .option('--confirm <name...>', 'confirm what may be lost without being asked: repositories, or tests:REPOSITORY')
    .option('--no-wait', 'start the flow and return')
    .addOption(jsonOption())
    .action((options: TeardownOptions) =>
      run(options, async (context) => (await import('./teardown.ts')).teardownCommand(context, options)),
    );
  workspace
    .command('repair')
    .description('make a workspace as its manifest says again; what a person has changed is asked about')
    .addOption(new Option('--root <folder>', 'the folder of the workspace').default('.'))
    .option('--host <name>', 'the machine with the workspace (default: this one, as host.name says)')
    .option('--confirm <name...>', 'repositories that may leave, or that are resolved, without being asked')
    .option('--no-wait', 'start the flow and return')
    .addOption(jsonOption())
    .action((options: AnsweringOptions) =>
      run(options, async (context) => (await import('./repair.ts')).repairWorkspaceCommand(context, options)),
    );
  workspace
    .command('quarantine')
    .description('the repositories of this machine that left a workspace with work that no remote has')
    .addOption(jsonOption())
    .action((options: QuarantineOptions) =>
      run(options, async (context) => (await import('./quarantine.ts')).quarantineCommand(context, options)),
    );
  workspace
    .command('restore')
    .description('make a new clone of a repository in quarantine, at its place, with everything that was kept')
    .argument('<id>', 'its id, or the beginning of it')
    .action((id: string) => run({}, async (context) => (await import('./restore.ts')).restoreCommand(context, id)));
}
