import type { Command } from 'commander';
import { jsonOption, type RegisterCommands } from '../commands.ts';
import type { QuarantineOptions } from './quarantine.ts';

/** Commands for the end of workspaces. */
export function registerLifeCommands(workspace: Command, run: Parameters<RegisterCommands>[0]['run']): void {
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
