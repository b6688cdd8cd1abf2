import { Option } from 'commander';
import { type Commands, integer, jsonOption } from '../commands.ts';
import type { VerifyOptions } from './audit.ts';
import type { QueryOptions } from './query.ts';

/** Commands for the ledger: its tables, queries, and the audit trail. */
export function registerLedgerCommands({ program, run }: Pick<Commands, 'program' | 'run'>): void {
  const db = program.command('db').description('the ledger in PostgreSQL: tables, logins, queries');
  db.command('migrate')
    .description('bring the tables to the version of this program, create the logins and grant their rights')
    .addOption(new Option('--target <version>', 'another version').argParser(integer(0, 9_999)))
    .option('--status', 'list the migrations and change nothing')
    .option('--yes', 'with --target: delete the tables that were added after it, with their rows')
    .addOption(jsonOption())
    .action((options: { target?: number; status?: boolean; yes?: boolean; json?: boolean }) =>
      run(options, async (context) => (await import('./migrate.ts')).migrate(context, options)),
    );
  db.command('logins')
    .description('print the SQL that creates the logins of workers and readers, for an administrator')
    .option('--urls', 'print their addresses, with passwords, instead')
    .action((options: { urls?: boolean }) =>
      run({}, async (context) => (await import('./migrate.ts')).printLogins(context, options)),
    );
  db.command('query')
    .description('run one SQL query with a login that can only read')
    .argument('<sql>', 'the query, about the repository of this folder')
    .option('--repo <id>', 'another repository')
    .option('--all', 'all repositories')
    .addOption(new Option('--csv', 'print CSV').conflicts('json'))
    .addOption(jsonOption())
    .action((text: string, options: QueryOptions) =>
      run(options, async (context) => (await import('./query.ts')).query(context, text, options)),
    );
  db.command('import')
    .description('take over a gryt database, as that of the repository of this folder')
    .argument('<file>', 'such as .gryt/gryt.db')
    .addOption(jsonOption())
    .action((file: string, options: { json?: boolean }) =>
      run(options, async (context) => (await import('./import.ts')).importDatabase(context, file, options)),
    );

  const audit = program.command('audit').description('the audit trail of the ledger');
  audit
    .command('verify')
    .description('check that no event was changed, removed, moved or cut off')
    .option('--tags <clone>', 'compare with the messages of the final tags in this clone too')
    .addOption(jsonOption())
    .action((options: VerifyOptions) =>
      run(options, async (context) => (await import('./audit.ts')).verify(context, options)),
    );
  audit
    .command('anchor')
    .description('record the end of the audit trail in the blob store')
    .addOption(jsonOption())
    .action((options: { json?: boolean }) =>
      run(options, async (context) => (await import('./audit.ts')).anchor(context, options)),
    );
}
