import type { RegisterCommands } from '../commands.ts';

/** Commands for `longhaul.yaml`. */
export const registerConfigCommands: RegisterCommands = ({ program, io, runAlone }) => {
  const config = program.command('config').description('longhaul.yaml');
  config
    .command('trust [folder]')
    .description(
      'show what longhaul.yaml of a folder contacts, runs and reads, and use it from now on until it changes',
    )
    .action((folder: string | undefined) =>
      runAlone(async () => (await import('./trust.ts')).trustCommand(folder ?? '.', io)),
    );
};
