import { jsonOption, type RegisterCommands } from '../commands.ts';
import type { EvolutionOptions } from './evolution.ts';
import type { RunOptions } from './run.ts';

/** Commands of the release train: contracts, pipelines, evolutions. */
export const registerReleaseCommands: RegisterCommands = ({ program, io, run, runAlone }) => {
  const release = program.command('release').description('check the contracts of a repository');
  release
    .command('check')
    .description('check generations, policies and pipelines in .longhaul/ or .gryt/ (exit 2 when something is wrong)')
    .argument('[folder]', 'a working folder with the contracts', '.')
    .addOption(jsonOption())
    .action((folder: string, options: { json?: boolean }) =>
      runAlone(async () => (await import('./check.ts')).checkCommand(folder, options, io), options),
    );
  program
    .command('run')
    .description('run a pipeline at a commit, and prove the evolution that the commit is for')
    .argument('<pipeline>', 'its name')
    .option('--commit <revision>', 'a commit of this folder (default: HEAD)')
    .option('--evolution <tag>', 'the evolution to prove (default: the one that the message names)')
    .option('--repo <id>', 'the repository (default: that of this folder)')
    .option('--from <job>', 'run this job, what needs it, and what has not passed at this commit; keep the rest')
    .option('--watch', 'show the jobs and what they write while they run')
    .option('--show', 'print the result of each step as JSON')
    .option('--no-wait', 'start the run and return')
    .addOption(jsonOption())
    .action((pipeline: string, options: RunOptions) =>
      run(options, async (context) => (await import('./run.ts')).runCommand(context, pipeline, options)),
    );
  const evolution = program.command('evolution').description('start and list evolutions: attempts to prove a change');
  evolution
    .command('start')
    .description('check the policies, and give the attempt the number of a release candidate')
    .argument('<version>', 'of the generation: v1.5.0')
    .requiredOption('--change <id>', 'the change: FEAT-201')
    .option('--pipeline <name>', 'the pipeline that is to prove it (default: as the contracts say)')
    .option('--repo <id>', 'the repository, with the contracts of its default branch (default: those of this folder)')
    .addOption(jsonOption())
    .action((version: string, options: EvolutionOptions) =>
      run(options, async (context) =>
        (await import('./evolution.ts')).startEvolutionCommand(context, version, options),
      ),
    );
  evolution
    .command('list')
    .description('list the evolutions and changes of a generation')
    .argument('<version>', 'of the generation: v1.5.0')
    .option('--repo <id>', 'the repository (default: that of this folder)')
    .addOption(jsonOption())
    .action((version: string, options: { json?: boolean; repo?: string }) =>
      run(options, async (context) =>
        (await import('./evolution.ts')).listEvolutionsCommand(context, version, options),
      ),
    );
};
