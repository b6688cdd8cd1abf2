import type { Command } from 'commander';
import type { CliIo } from '../../core/io.ts';
import type { RunAlone } from '../commands.ts';

/** Commands for `longhaul.yaml`. */
export function registerConfigCommands({
  program,
  io,
  runAlone,
}: {
  readonly program: Command;
  readonly io: CliIo;
  readonly runAlone: RunAlone;
}): void {
  program
    .command('config')
    .description('trust longhaul.yaml; apply declarations in files')
    .command('trust')
    .argument('[folder]', 'the folder of the file', '.')
    .description('show what a longhaul.yaml contacts, runs and reads, and use it in its folder until it changes')
    .action((folder: string) => runAlone(async () => (await import('./trust.ts')).trustCommand(folder, io)));
}
