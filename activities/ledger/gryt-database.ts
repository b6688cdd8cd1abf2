import { sha256OfFile } from '../../platform/sha256.ts';
import { hasCode, messageOf } from '../../platform/error-code.ts';
import { LonghaulError } from '../../domain/shared/failures.ts';

/** A row of SQLite. */
export type GrytRow = Readonly<Record<string, string | number | null>>;

/** The tables of a gryt database that the ledger takes over. */
const TABLES = ['generations', 'generation_changes', 'evolutions', 'change_pipelines', 'audit_events'] as const;

/** What else a gryt database contains: it is counted and left. */
const OTHERS = ['pipelines', 'runners', 'steps_output', 'versions', 'snapshots', 'auth_output'] as const;

/** The contents of a gryt database. */
export interface GrytDatabase extends Readonly<Record<(typeof TABLES)[number], readonly GrytRow[]>> {
  /** SHA-256 of the file. */
  readonly digest: string;
  /** Rows of the tables that are not taken over. */
  readonly others: Readonly<Record<string, number>>;
}

/**
 * Reads `.gryt/gryt.db`, which is opened for reading only. A table or column that an older gryt did not have is empty.
 * Throws `InvalidInput` for a file that is not a gryt database.
 */
export async function readGrytDatabase(file: string): Promise<GrytDatabase> {
  const { DatabaseSync } = await import('node:sqlite');
  const refuse = (why: string, cause?: unknown): LonghaulError =>
    new LonghaulError('InvalidInput', `${file} is not a gryt database: ${why}.`, { cause });
  try {
    const digest = await sha256OfFile(file);
    const database = new DatabaseSync(file, { readOnly: true });
    try {
      const names = database.prepare("SELECT name FROM sqlite_master WHERE type = 'table'").all();
      const has = (table: string): boolean => names.some(({ name }) => name === table);
      if (!has('generations')) throw refuse('it has no table generations');
      const read = (table: string): GrytRow[] =>
        has(table) ? (database.prepare(`SELECT * FROM ${table} ORDER BY rowid`).all() as GrytRow[]) : [];
      const count = (table: string): number =>
        has(table) ? Number(database.prepare(`SELECT count(*) AS n FROM ${table}`).get()?.['n']) : 0;
      return {
        ...(Object.fromEntries(TABLES.map((table) => [table, read(table)])) as Record<
          (typeof TABLES)[number],
          GrytRow[]
        >),
        digest,
        others: Object.fromEntries(OTHERS.map((table) => [table, count(table)])),
      };
    } finally {
      database.close();
    }
  } catch (error) {
    if (error instanceof LonghaulError) throw error;
    if (hasCode(error, 'ENOENT', 'EISDIR', 'ERR_SQLITE_ERROR')) throw refuse(messageOf(error), error);
    throw error;
  }
}
