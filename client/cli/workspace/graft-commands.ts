import { type Command, Option } from 'commander';
import { type Commands, integer, jsonOption } from '../commands.ts';
import type { AddOptions } from './add.ts';
import type { LinkOptions } from './link.ts';
import type { RemoveOptions } from './remove.ts';
import type { ValidateOptions } from './validate.ts';

/** Commands with the options and the JSON of Graft, which change or check the repositories of a workspace. */
export function registerGraftCommands(workspace: Command, run: Commands['run'], rootOption: () => Option): void {
  workspace
    .command('add')
    .description('clone repositories into a workspace: all of them or none (exit 9 when something is in the way)')
    .argument('<repos...>', 'owner/repo, PROVIDER/owner/repo, an address, or an absolute path')
    .addOption(rootOption())
    .option('--to-manifest', 'also write them into the manifest')
    .option('--branch <name>', 'the branch to check out (default: the default branch)')
    .option('--dry-run', 'only say what would be done')
    .addOption(jsonOption())
    .action((repos: string[], options: AddOptions) =>
      run(options, async (context) => (await import('./add.ts')).addCommand(context, repos, options)),
    );
  workspace
    .command('remove')
    .description('take repositories out of the manifest of a workspace (exit 9 when work would be lost)')
    .argument('<repos...>', 'their names')
    .addOption(rootOption())
    .option('--delete', 'also take their folders away')
    .option('--force', 'also those with unsaved work, which are kept in quarantine first; asks')
    .option('--yes', 'answer the question of --force with yes')
    .option('--dry-run', 'only say what would be done')
    .addOption(jsonOption())
    .action((repos: string[], options: RemoveOptions) =>
      run(options, async (context) => (await import('./remove.ts')).removeCommand(context, repos, options)),
    );
  workspace
    .command('validate')
    .description(
      'run the tests of repositories and of those that need them, in topological order (exit 1 when one fails)',
    )
    .argument('[repos...]', 'their names (default: all)')
    .addOption(rootOption())
    .option('--quick', 'do not run again what has passed with the same content')
    .option('--continue', 'go on with the other repositories after a failure')
    .option('--parallel <count>', 'repositories that are checked in parallel', integer(1, 64), 2)
    .option('--dry-run', 'only say what would run')
    .addOption(new Option('--json', 'print the events, a line of JSON each'))
    .action((repos: string[], options: ValidateOptions) =>
      run(options, async (context) => (await import('./validate.ts')).validateCommand(context, repos, options)),
    );
  const link = workspace.command('link').description('take packages of Elixir from the folders of a workspace');
  link
    .command('on')
    .description('rewrite the declarations of packages, in all repositories that need them, to their folders')
    .argument('<apps...>', 'the names of packages')
    .addOption(rootOption())
    .option('--dry-run', 'only say what would be done')
    .addOption(jsonOption())
    .action((apps: string[], options: LinkOptions) =>
      run(options, async (context) => (await import('./link.ts')).linkOnCommand(context, apps, options)),
    );
  link
    .command('off')
    .description('put the declarations back that `link on` has replaced')
    .argument('<apps...>', 'the names of packages')
    .addOption(rootOption())
    .option('--dry-run', 'only say what would be done')
    .addOption(jsonOption())
    .action((apps: string[], options: LinkOptions) =>
      run(options, async (context) => (await import('./link.ts')).linkOffCommand(context, apps, options)),
    );
}
