import { type Commands, jsonOption, metricsAddressOption, type WingParts } from '../commands.ts';
import type { WorkerCommandOptions } from './worker.ts';

/** Commands that start, stop and inspect servers and workers. `parts`: what wings add, complete when a command runs. */
export function registerStackCommands({
  program,
  run,
  parts,
}: Pick<Commands, 'program' | 'run'> & { readonly parts: readonly WingParts[] }): void {
  program
    .command('up')
    .description('find or fetch Temporal, Weaviate, PostgreSQL and the model, start them and a worker')
    .option('--detach', 'return when everything is ready')
    .action((options: { detach?: boolean }) =>
      run({}, async (context) => (await import('./up.ts')).up({ detach: options.detach === true }, context)),
    );
  program
    .command('down')
    .description('stop what `up` started')
    .action(() => run({}, async (context) => (await import('./down.ts')).down(context)));
  program
    .command('status')
    .description('show what is running, and the state of the fleet')
    .addOption(jsonOption())
    .action((options: { json?: boolean }) =>
      run(options, async (context) =>
        (await import('./status.ts')).status({ json: options.json === true, parts }, context),
      ),
    );
  program
    .command('doctor')
    .description('check servers, versions, pollers, git and disk; print a remedy for each problem')
    .addOption(jsonOption())
    .action((options: { json?: boolean }) =>
      run(options, async (context) =>
        (await import('./doctor.ts')).doctor({ json: options.json === true, parts }, context),
      ),
    );
  program
    .command('worker')
    .description('serve task queues, in the foreground')
    .option(
      '--roles <roles>',
      'flows, repos, ledger, or several of them; or pipelines, which is served alone',
      'flows,repos',
    )
    .addOption(metricsAddressOption())
    .action((options: WorkerCommandOptions) =>
      run({}, async (context) => (await import('./worker.ts')).runWorker(context, options)),
    );
}
