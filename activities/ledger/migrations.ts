import { readdir, readFile } from 'node:fs/promises';
import { LonghaulError } from '../../domain/shared/failures.ts';
import { sha256 } from '../../platform/sha256.ts';

/** A numbered change of the ledger's tables, and how to take it back. */
export interface Migration {
  /** From 1, without gaps. */
  readonly version: number;
  readonly name: string;
  /** SQL. */
  readonly up: string;
  /** SQL. It deletes what `up` created. */
  readonly down: string;
  /** SHA-256 of `up`. */
  readonly checksum: string;
}

/** A migration that a database has. */
export interface AppliedMigration {
  readonly version: number;
  readonly name: string;
  readonly applied_at: Date;
  readonly checksum: string;
}

/** The migrations of this version of Longhaul, in order. */
export async function loadMigrations(
  folder: URL = new URL('./migrations/', import.meta.url),
): Promise<readonly Migration[]> {
  const files = (await readdir(folder)).filter((file) => file.endsWith('.up.sql')).sort();
  return Promise.all(
    files.map(async (file, at) => {
      const [, number, name = ''] = /^(\d{4})-([a-z-]+)\.up\.sql$/.exec(file) ?? [];
      if (Number(number) !== at + 1) throw new Error(`${file}: the migrations are numbered from 0001 without gaps`);
      const up = await readFile(new URL(file, folder), 'utf8');
      const down = await readFile(new URL(file.replace('.up.', '.down.'), folder), 'utf8');
      return { version: at + 1, name, up, down, checksum: sha256(up) };
    }),
  );
}

/**
 * Refuses a database that this version of Longhaul must not touch: `LedgerNewer` when it has migrations that are unknown
 * here, `LedgerChanged` when one of them differs from the one here.
 */
export function checkApplied(applied: readonly AppliedMigration[], known: readonly Migration[]): void {
  const newest = Math.max(0, ...applied.map(({ version }) => version));
  if (newest > known.length) {
    throw new LonghaulError(
      'LedgerNewer',
      `The ledger has migration ${newest}, and this version of Longhaul knows ${known.length}.`,
    );
  }
  for (const [at, { version, name, checksum }] of applied.entries()) {
    const own = known[at];
    if (version === own?.version && checksum === own.checksum) continue;
    const expected = own === undefined ? 'none' : `${own.version} (${own.name})`;
    throw new LonghaulError(
      'LedgerChanged',
      `Migration ${version} (${name}) of the ledger is not ${expected} of this version of Longhaul: its checksum is ${checksum}.`,
    );
  }
}

/** A step of a migration to another version. */
export interface MigrationStep {
  readonly direction: 'up' | 'down';
  readonly migration: Migration;
}

/** The steps from the applied migrations to `target`, in order. */
export function stepsTo(target: number, applied: number, known: readonly Migration[]): readonly MigrationStep[] {
  if (target >= applied) {
    return known.slice(applied, target).map((migration) => ({ direction: 'up', migration }));
  }
  return known
    .slice(target, applied)
    .toReversed()
    .map((migration) => ({ direction: 'down', migration }));
}
