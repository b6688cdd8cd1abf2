import { sqlForLogins } from '../../../activities/ledger/make-logins.ts';
import { migrateLedger, readVersions } from '../../../activities/ledger/migrate.ts';
import { LonghaulError } from '../../../domain/shared/failures.ts';
import type { CliContext } from '../../core/context.ts';
import { ownersLogins } from '../../core/ledger.ts';
import { printList } from '../../core/print-list.ts';
import { userName } from '../../core/user-name.ts';

/** Options of `longhaul db migrate`. */
export interface MigrateCommandOptions {
  /** The version to reach. @default the newest */
  readonly target?: number;
  /** List the migrations and change nothing. @default false */
  readonly status?: boolean;
  /** Delete tables with a lower target. @default false */
  readonly yes?: boolean;
  /** Print one JSON value. @default false */
  readonly json?: boolean;
}

/**
 * `longhaul db migrate`: migrates the ledger, or lists its migrations. Returns 0. Throws `InvalidInput`,
 * `InvalidConfiguration`, `LedgerNewer`, `LedgerChanged`, `LedgerBusy`, `ServerUnavailable`, `AuthenticationFailed`.
 */
export async function migrate(context: CliContext, options: MigrateCommandOptions): Promise<number> {
  const logins = await ownersLogins(context);
  const { applied, known } = await readVersions(logins.owner);
  const { target, json = false } = options;
  if (options.status === true) {
    const names = new Map([...known, ...applied].map(({ version, name }) => [version, name]));
    const items = [...names].map(([version, name]) => {
      const found = applied.find((each) => each.version === version);
      return { version, name, applied_at: found?.applied_at.toISOString() ?? null };
    });
    return printList(context, items, options, {
      head: ['Version', 'Name', 'Applied'],
      row: ({ version, name, applied_at }) => [version, name, applied_at ?? 'no'],
    });
  }
  if (target !== undefined && target < applied.length && options.yes !== true) {
    throw new LonghaulError(
      'InvalidInput',
      `Version ${target} has fewer tables than the ledger: migrations ${target + 1} to ${applied.length} would be ` +
        'taken back and their tables deleted, with all rows. Add --yes to do it.',
    );
  }
  const done = await migrateLedger(logins, { target, actor: userName(context.env) });
  if (json) context.stdout.write(`${JSON.stringify(done)}\n`);
  else {
    const was = done.from === done.to ? 'already' : `was ${done.from}`;
    context.stdout.write(`The ledger has version ${done.to} (${was}).\n`);
    if (done.logins.length > 0) context.stdout.write(`Logins with a new password: ${done.logins.join(', ')}.\n`);
  }
  return 0;
}

/** `longhaul db logins`: prints SQL, or the addresses. Returns 0. Throws `ServerUnavailable`, `InvalidConfiguration`. */
export async function printLogins(context: CliContext, { urls }: { readonly urls?: boolean }): Promise<number> {
  const logins = await ownersLogins(context);
  const lines = urls
    ? [
        `DATABASE_WRITER_URL=${logins.writer}`,
        `DATABASE_GATES_URL=${logins.gates}`,
        `DATABASE_READER_URL=${logins.reader}`,
      ]
    : sqlForLogins(logins);
  context.stdout.write(`${lines.join('\n')}\n`);
  return 0;
}
