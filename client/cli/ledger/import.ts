import { readGrytDatabase } from '../../../activities/ledger/gryt-database.ts';
import { importGryt } from '../../../activities/ledger/import-gryt.ts';
import { withLedger } from '../../../activities/ledger/open-ledger.ts';
import { runProgram } from '../../../platform/program.ts';
import type { CliContext } from '../../core/context.ts';
import { repositoryOfFolder } from '../../core/folder-repository.ts';
import { ownersLogins } from '../../core/ledger.ts';
import { printable } from '../../core/sanitize.ts';
import { userName } from '../../core/user-name.ts';

/**
 * `longhaul db import`: adds the contents of a gryt database to the ledger, as those of the repository of the working
 * folder, whose tags give the commits of releases. Prints what was left out. Returns 0. Throws `InvalidInput`,
 * `ServerUnavailable`, `AuthenticationFailed`, `LedgerOutdated`.
 */
export async function importDatabase(
  context: CliContext,
  file: string,
  { json = false }: { readonly json?: boolean },
): Promise<number> {
  const { env, stdout } = context;
  const repository = await repositoryOfFolder(context);
  const database = await readGrytDatabase(file);
  const tags = await runProgram(
    'git',
    ['for-each-ref', '--format=%(refname:short) %(*objectname) %(objectname)', 'refs/tags'],
    { env },
  );
  const commits = new Map(
    tags.stdout.split('\n').map((line) => {
      const [tag = '', ...objects] = line.split(' ');
      // an annotated tag has a commit behind it
      return [tag, objects.find((object) => object !== '') ?? ''];
    }),
  );
  const { writer } = await ownersLogins(context);
  const done = await withLedger(writer, (ledger) =>
    importGryt(ledger, database, {
      repository,
      commitOf: (tag) => commits.get(tag) ?? null,
      actor: userName(env),
    }),
  );
  if (json) {
    stdout.write(`${JSON.stringify(done)}\n`);
    return 0;
  }
  const { generations, changes, evolutions, events, left } = done;
  stdout.write(
    `${repository}: ${generations} generations, ${changes} changes, ${evolutions} evolutions, ${events} events imported.\n`,
  );
  for (const { what, why } of left) stdout.write(`Left out: ${printable(what)}: ${printable(why)}.\n`);
  return 0;
}
