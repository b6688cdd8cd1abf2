import { jsonOption, type RegisterCommands } from '../commands.ts';

/** Commands of the release train: contracts. */
export const registerReleaseCommands: RegisterCommands = ({ program, io, runAlone }) => {
  const release = program.command('release').description('check the contracts of a repository');
  release
    .command('check')
    .description('check generations, policies and pipelines in .longhaul/ or .gryt/ (exit 2 when something is wrong)')
    .argument('[folder]', 'a working folder with the contracts', '.')
    .addOption(jsonOption())
    .action((folder: string, options: { json?: boolean }) =>
      runAlone(async () => (await import('./check.ts')).checkCommand(folder, options, io), options),
    );
};
