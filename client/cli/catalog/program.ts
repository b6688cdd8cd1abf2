import { Argument, type Command, Option } from 'commander';
import { integer, jsonOption, type RegisterCommands } from '../commands.ts';
import { completedBy, type ReadValues } from '../completion/values.ts';
import type * as Builds from './build-flows.ts';
import type * as Fleet from './fleet-flows.ts';
import type * as Groups from './groups.ts';
import type { SearchOptions } from './search.ts';

const repositories: ReadValues = async (context, signal) =>
  (await import('./completion.ts')).indexedRepositories(context, signal);

const groupNames: ReadValues = async (context, signal) =>
  (await import('./completion.ts')).appliedGroups(context, signal);

/** Commands of the catalog: repositories, the index, sync groups, search. */
export const registerCatalogCommands: RegisterCommands = ({ program, io, run, add }) => {
  add({
    printers: async () => (await import('./results.ts')).RESULTS,
    findProblems: async (context, client) =>
      client === null ? [] : [await (await import('./alerts-finding.ts')).alertsFinding(context, client)],
    status: { field: 'fleet', read: async (context) => (await import('./fleet-status.ts')).readFleet(context) },
  });
  const repos = program.command('repos').description('list the repositories of the providers');
  repos
    .command('list')
    .description('mgit list: matching repositories')
    .addArgument(completedBy(new Argument('<pattern...>', 'mgit patterns'), repositories))
    .addOption(jsonOption())
    .action((patterns: string[], options: { json?: boolean }) =>
      run(options, async (context) => (await import('./catalog.ts')).printRepositories(context, patterns, options)),
    );
  program
    .command('diff')
    .description('mgit diff: the change stream of a repository, one JSON object per line')
    .addArgument(
      completedBy(new Argument('<repository>', 'id: provider/org/repo or provider/org/project/repo'), repositories),
    )
    .option('--since <commit>', 'the commit that the consumer has (default: everything)')
    .action((repository: string, options: { since?: string }) =>
      run({}, async (context) => (await import('./catalog.ts')).printDiff(context, repository, options)),
    );

  const index = program.command('index').description('manage the index');
  fleetOptions(
    index.command('add').description('index matching repositories for the first time').addOption(patternOption(true)),
  )
    .option('--yes', 'do not ask for confirmation')
    .action((options: Parameters<typeof Fleet.addRepositories>[1]) =>
      run(options, async (context) => (await fleet()).addRepositories(context, options)),
    );
  fleetOptions(
    index
      .command('remove')
      .description('remove matching repositories from the index')
      .addOption(patternOption(true))
      .option('--branch <name>', 'only this branch; keep HEAD and other branches'),
  ).action((options: Parameters<typeof Fleet.removeFromIndex>[1]) =>
    run(options, async (context) => (await fleet()).removeFromIndex(context, options)),
  );
  index
    .command('list')
    .description('list the receipts: what the index holds of each repository')
    .addOption(jsonOption())
    .action((options: { json?: boolean }) =>
      run(options, async (context) => (await import('./catalog.ts')).listIndex(context, options)),
    );
  index
    .command('builds')
    .description('list the builds of the index: live, previous, and others')
    .addOption(jsonOption())
    .action((options: { json?: boolean }) =>
      run(options, async (context) => (await builds()).listBuilds(context, options)),
    );
  index
    .command('reembed')
    .description('build the index again in parallel to the live build, compare, and switch to it')
    .option('--model <model>', 'model of the new build (default: that of the live build)')
    .option('--queries <file>', 'YAML file of stored queries for comparing both builds')
    .option('--yes', 'switch without asking, unless a repository is missing or the judged queries got worse')
    .addOption(parallelOption())
    .option('--no-wait', 'start the flow and return')
    .addOption(jsonOption())
    .action((options: Parameters<typeof Builds.reembed>[1]) =>
      run(options, async (context) => (await builds()).reembed(context, options)),
    );
  index
    .command('switch')
    .description('make another build live, in one step')
    .argument('<build>', 'its digest: see `longhaul index builds`')
    .addOption(jsonOption())
    .action((build: string, options: { json?: boolean }) =>
      run(options, async (context) => (await builds()).switchTo(context, build, options)),
    );
  index
    .command('rollback')
    .description('switch back to the build that was live before')
    .addOption(jsonOption())
    .action((options: { json?: boolean }) =>
      run(options, async (context) => (await builds()).switchTo(context, 'previous', options)),
    );
  index
    .command('prune')
    .description('delete unused builds')
    .option('--previous', 'also delete the build that a rollback would need')
    .addOption(jsonOption())
    .action((options: { json?: boolean; previous?: boolean }) =>
      run(options, async (context) => (await builds()).prune(context, options)),
    );
  index
    .command('verify')
    .description('check the index against git; exit code 7 when something differs')
    .addArgument(completedBy(new Argument('[pattern...]', 'mgit patterns of indexed repositories'), repositories))
    .option('--all', 'everything in the index')
    .option('--full', 'compare every object, not only repositories whose numbers differ')
    .option('--repair', 'repair only what differs')
    .addOption(parallelOption())
    .option('--no-wait', 'start the flow and return')
    .addOption(jsonOption())
    .action((patterns: string[], options: Parameters<typeof Fleet.verifyIndex>[2]) =>
      run(options, async (context) => (await fleet()).verifyIndex(context, patterns, options)),
    );
  index
    .command('stdin')
    .description('ingest a change stream (JSONL) from any producer')
    .option('--provider <name>', 'first part of the ids of repositories whose lines have no repo_id', 'stdin')
    .option('--file <file>', 'read this file instead of standard input')
    .addOption(jsonOption())
    .action((options: { provider: string; file?: string; json?: boolean }) =>
      run(options, async (context) => (await import('./catalog.ts')).indexStdin(context, options)),
    );

  fleetOptions(
    program
      .command('sync')
      .description('sync the index with the repositories')
      .option('--all', 'every sync group; every indexed repository when there are no groups')
      .option('--due', 'the groups that have been due since their latest run')
      .addOption(completedBy(new Option('--group <name...>', 'these sync groups'), groupNames))
      .addOption(patternOption(false)),
  ).action((options: Parameters<typeof Fleet.syncFleet>[1]) =>
    run(options, async (context) => (await fleet()).syncFleet(context, options)),
  );

  const config = program.commands.find((each) => each.name() === 'config') ?? program.command('config');
  config
    .command('apply')
    .description('apply a file of sync groups')
    .requiredOption('--file <file>', 'sync-groups.yaml')
    .option('--dry-run', 'show what would be done; change nothing')
    .option('--prune', 'remove groups that are no longer declared')
    .option('--no-wait', 'start the flow and return')
    .addOption(jsonOption())
    .action((options: Parameters<typeof Groups.applyConfig>[1]) =>
      run(options, async (context) => (await groups()).applyConfig(context, options)),
    );

  const group = program.command('groups').description('manage sync groups: repositories that are synced on a schedule');
  group
    .command('list')
    .description('list every group, its next run and the result of the last')
    .addOption(jsonOption())
    .action((options: { json?: boolean }) =>
      run(options, async (context) => (await groups()).listGroups(context, options)),
    );
  group
    .command('show')
    .description('show everything about one group')
    .addArgument(completedBy(new Argument('<name>'), groupNames))
    .addOption(jsonOption())
    .action((name: string, options: { json?: boolean }) =>
      run(options, async (context) => (await groups()).showGroup(context, name, options)),
    );
  group
    .command('run')
    .description('run a group now')
    .addArgument(completedBy(new Argument('<name>'), groupNames))
    .option('--no-wait', 'start the run and return')
    .addOption(jsonOption())
    .action((name: string, options: { json?: boolean; wait?: boolean }) =>
      run(options, async (context) =>
        (await groups()).syncGroups(context, { names: [name] }, { ...options, parallel: 1 }),
      ),
    );
  group
    .command('history')
    .description('list all applications of a file: who, when, commit and changes')
    .addOption(jsonOption())
    .action((options: { json?: boolean }) =>
      run(options, async (context) => (await groups()).listApplications(context, options)),
    );
  for (const paused of [true, false]) {
    group
      .command(paused ? 'pause' : 'resume')
      .description(paused ? 'pause its schedule until it is resumed' : 'resume its schedule')
      .addArgument(completedBy(new Argument('<name>'), groupNames))
      .option('--note <text>', 'the reason, shown with the group')
      .action((name: string, options: { note?: string }) =>
        run({}, async (context) => (await groups()).switchGroup(context, name, { paused, ...options })),
      );
  }
  group
    .command('backfill')
    .description('start the runs that were due in a time span, one after another')
    .addArgument(completedBy(new Argument('<name>'), groupNames))
    .requiredOption('--from <time>', 'ISO 8601')
    .option('--to <time>', 'ISO 8601 (default: now)')
    .action((name: string, options: { from: string; to?: string }) =>
      run({}, async (context) => (await groups()).backfillGroup(context, name, options)),
    );

  program
    .command('report')
    .description('reports for people')
    .command('fleet')
    .description('freshness, failures, time and volume of the fleet, as one HTML page')
    .requiredOption('--output <file>', 'such as fleet.html')
    .action((options: { output: string }) =>
      run({}, async (context) => (await import('./report.ts')).reportFleet(context, options)),
    );
  program
    .command('search')
    .description('search the index by words and by meaning')
    .argument('<query>')
    .addOption(
      completedBy(new Option('--repo <pattern>', 'only repositories that match this mgit pattern'), repositories),
    )
    .option('--lang <language>', 'only this language, such as TypeScript or ts')
    .option('--path <filter>', 'only this path, folder or glob')
    .option('--branch <name>', 'this branch, in the repositories that are indexed at it (default: HEAD)')
    .addOption(new Option('--limit <n>', 'results').default(10).argParser(integer(1, 100)))
    .option('--explain', 'show what each rule contributed to each result')
    .option('--no-rescore', 'skip the comparison by the transformer: faster the first time, less precise')
    .addOption(jsonOption())
    .action((query: string, options: SearchOptions) =>
      run(options, async (context) => (await import('./search.ts')).searchCommand(context, query, options)),
    );
  program
    .command('mcp')
    .description('serve the index to coding agents: Model Context Protocol on standard input and output')
    .addHelpText(
      'after',
      `A client starts it. For the client's configuration (docs/mcp.md):
  {"mcpServers": {"longhaul": {"command": "npx", "args": ["longhaul", "mcp"]}}}`,
    )
    .action(() =>
      run({}, async () => {
        const [{ serveMcp }, { openContext }] = await Promise.all([
          import('./mcp.ts'),
          import('../../core/context.ts'),
        ]);
        return serveMcp(() => openContext(program.opts(), io));
      }),
    );
};

function fleet(): Promise<typeof Fleet> {
  return import('./fleet-flows.ts');
}

function groups(): Promise<typeof Groups> {
  return import('./groups.ts');
}

function builds(): Promise<typeof Builds> {
  return import('./build-flows.ts');
}

function parallelOption(): Option {
  return new Option('--parallel <n>', 'repositories in parallel').default(8).argParser(integer(1, 64));
}

function patternOption(required: boolean): Option {
  const about = 'mgit pattern: repo, org/repo or org/project/repo, with * and ?';
  return completedBy(new Option('--pattern <pattern...>', about), repositories).makeOptionMandatory(required);
}

/** Adds the options of every command that starts a fleet flow. */
function fleetOptions(command: Command): Command {
  return command
    .addOption(parallelOption())
    .option('--dry-run', 'show what would be done; start nothing')
    .option('--no-wait', 'start the flow and return')
    .addOption(jsonOption());
}
