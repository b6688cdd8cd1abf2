import type { Commands } from '../commands.ts';

/** Commands for the blob store. */
export function registerBlobCommands({ program, run }: Pick<Commands, 'program' | 'run'>): void {
  program
    .command('blob')
    .description('logs, artifacts, notes and evidence of releases')
    .command('get')
    .description('print a blob, or write it to a file')
    .argument('<digest>', 'its SHA-256, as reports and the ledger have it')
    .option('--output <file>', 'the file (default: print it)')
    .action((digest: string, options: { output?: string }) =>
      run({}, async (context) => (await import('./get.ts')).getBlob(context, digest, options)),
    );
}
