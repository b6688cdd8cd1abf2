import { Option } from 'commander';
import type { CommandsAlone } from '../commands.ts';
import type { InitOptions } from './init.ts';
import { SOURCES } from './sources.ts';

/** Commands for `longhaul.yaml`. */
export function registerConfigCommands({ program, io, runAlone }: CommandsAlone): void {
  program
    .command('init')
    .description('write a commented longhaul.yaml into this folder; what is not given is asked')
    .addOption(new Option('--type <type>', 'where the repositories are').choices(SOURCES))
    .option('--name <name>', 'first part of every repository id (default: the type)')
    .option('--url <url>', 'web site of the forge (default: the public one)')
    .option('--token-env <name>', 'environment variable with a token (default: such as GITHUB_TOKEN)')
    .option('--organization <name...>', 'organizations of Azure DevOps')
    .option('--root <folder>', 'folder with repositories, for --type local')
    .action((options: InitOptions) => runAlone(async () => (await import('./init.ts')).initCommand(options, io)));
  program
    .command('config')
    .description('trust longhaul.yaml; apply declarations in files')
    .command('trust')
    .argument('[folder]', 'the folder of the file', '.')
    .description('show what a longhaul.yaml contacts, runs and reads, and use it in its folder until it changes')
    .action((folder: string) => runAlone(async () => (await import('./trust.ts')).trustCommand(folder, io)));
}
