import { Argument } from 'commander';
import type { CommandsAlone } from '../commands.ts';
import { SHELLS } from './shells.ts';

/** Commands that complete commands, options and values in a shell. */
export function registerCompletionCommands({ program, io, runAlone }: CommandsAlone): void {
  program
    .command('completion')
    .description('print a script that completes commands, options, repositories, groups and workflow ids')
    .addArgument(new Argument('<shell>').choices(SHELLS))
    .action((shell: (typeof SHELLS)[number]) =>
      runAlone(async () => {
        const { completionScript } = await import('./script.ts');
        io.stdout.write(await completionScript(shell));
        return 0;
      }),
    );
  program
    .command('complete', { hidden: true })
    .argument('[word...]')
    .action((words: string[]) => runAlone(async () => (await import('./complete.ts')).complete(program, words, io)));
}
