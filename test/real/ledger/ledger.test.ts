import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { addEvolution } from '../../../activities/ledger/evolutions.ts';
import { sqlForLogins } from '../../../activities/ledger/make-logins.ts';
import { checkVersion, migrateLedger, readVersions } from '../../../activities/ledger/migrate.ts';
import { loadMigrations, type Migration } from '../../../activities/ledger/migrations.ts';
import { type LedgerDatabase, openLedger, withLedger } from '../../../activities/ledger/open-ledger.ts';
import { ledgerFailure } from '../../../activities/ledger/ledger-failure.ts';
import { type MetricSample, recordSamples } from '../../../activities/ledger/samples.ts';
import { GATES_RIGHTS, WRITER_RIGHTS } from '../../../activities/ledger/tables.ts';
import { withPostgres } from '../../../platform/postgres-client.ts';
import { commandEnv, longhaul } from '../../support/command.ts';
import { createEstate, type Estate } from '../../support/estate.ts';
import { addGeneration, createTestLedger, rowsOf, type TestLedger } from '../../support/ledger.ts';

let estate: Estate;
beforeAll(async () => {
  estate = await createEstate();
});
afterAll(() => estate.dispose());

/** Everything that migrations create, as PostgreSQL describes it. */
function schemaOf(at: TestLedger): Promise<object[]> {
  return at.sql(`
    SELECT 'column' AS kind, table_name || '.' || column_name AS name,
      concat_ws(' ', data_type, is_nullable, column_default) AS what
      FROM information_schema.columns WHERE table_schema = 'longhaul'
    UNION ALL SELECT 'constraint', conrelid::regclass || '.' || conname, pg_get_constraintdef(oid)
      FROM pg_constraint WHERE connamespace = 'longhaul'::regnamespace
    UNION ALL SELECT 'index', indexname, indexdef FROM pg_indexes WHERE schemaname = 'longhaul'
    UNION ALL SELECT 'policy', tablename || '.' || policyname, qual FROM pg_policies WHERE schemaname = 'longhaul'
    UNION ALL SELECT 'function', proname, pg_get_functiondef(oid) FROM pg_proc WHERE pronamespace = 'longhaul'::regnamespace
    UNION ALL SELECT 'right', table_name || ' ' || replace(grantee, current_database(), ''), string_agg(privilege_type, ', ' ORDER BY privilege_type)
      FROM information_schema.table_privileges WHERE table_schema = 'longhaul' GROUP BY table_name, grantee
    ORDER BY 1, 2, 3`);
}

describe('migrations', () => {
  let ledger: TestLedger;
  let known: readonly Migration[];
  beforeAll(async () => {
    known = await loadMigrations();
    ledger = await createTestLedger();
  });
  afterAll(() => ledger.dispose());

  const to = (target: number, migrations = known): Promise<unknown> =>
    migrateLedger(ledger.logins, { target, actor: 'tester', migrations });
  const versions = async (): Promise<number[]> =>
    (await readVersions(ledger.logins.owner)).applied.map(({ version }) => version);

  test('go up and down, and leave the same tables by any way', async () => {
    const newest = await schemaOf(ledger);
    expect(newest.length).toBeGreaterThan(100);
    for (let target = known.length - 1; target >= 0; target--) await to(target);
    const left = await ledger.sql<{ name: string }>(
      "SELECT relname AS name FROM pg_class WHERE relnamespace = 'longhaul'::regnamespace AND relkind <> 'i'",
    );
    expect(left).toEqual([{ name: 'schema_migrations' }]);
    for (let target = 1; target <= known.length; target++) await to(target);
    expect(await schemaOf(ledger)).toEqual(newest);
    await to(0);
    await to(known.length);
    expect(await schemaOf(ledger)).toEqual(newest);
  });

  test('that run at the same time take turns; logins and tables are made once', async () => {
    const fresh = await createTestLedger({ target: 0 });
    try {
      const runs = await Promise.all(Array.from({ length: 5 }, () => migrateLedger(fresh.logins, { actor: 'tester' })));
      expect(runs.map(({ from }) => from).toSorted((a, b) => a - b)).toEqual([
        0,
        ...Array<number>(4).fill(known.length),
      ]);
      expect(await fresh.sql('SELECT version, name, checksum FROM schema_migrations ORDER BY version')).toEqual(
        known.map(({ version, name, checksum }) => ({ version, name, checksum })),
      );
      expect(await fresh.sql('SELECT event_type, details_json FROM audit_events')).toEqual([
        { event_type: 'ledger.migrated', details_json: { from: 0, to: known.length } },
      ]);
    } finally {
      await fresh.dispose();
    }
  });

  test('do not wait for what a login that only reads can lock; for a table that it reads only a while', async () => {
    const last = known.length;
    const { reader, owner } = ledger.logins;
    await withPostgres(reader, async (client) => {
      // the lock that migrators took before
      await client.query('SELECT pg_advisory_lock(6118040217405183)');
      for (const mode of ['ROW SHARE', 'SHARE', 'EXCLUSIVE']) {
        await client.query('BEGIN');
        const lock = client.query(`LOCK TABLE longhaul.schema_migrations IN ${mode} MODE`);
        await expect(lock).rejects.toThrow('permission denied');
        await client.query('ROLLBACK');
      }
      await client.query('BEGIN');
      await client.query('SELECT * FROM longhaul.schema_migrations');
      expect(await migrateLedger(ledger.logins, { actor: 'tester' })).toMatchObject({ from: last, to: last });
      await client.query('SELECT * FROM longhaul.generations');
      const before = await schemaOf(ledger);
      const waiting = migrateLedger(ledger.logins, { target: 0, actor: 'tester', waitMs: 200 });
      const { rows } = await client.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
      await expect(waiting).rejects.toMatchObject({
        type: 'LedgerBusy',
        message: `The ledger was not migrated: for 0.2 s, tables of it were in use by ${new URL(reader).username} (process ${rows[0]?.pid}).`,
      });
      expect(await versions()).toHaveLength(last);
      await client.query('COMMIT');
      expect(await schemaOf(ledger)).toEqual(before);
    });
    await to(0);
    await to(last);
    await checkVersion(owner);
  });

  test('that fail leave everything as it was', async () => {
    const before = await schemaOf(ledger);
    const broken = {
      version: known.length + 1,
      name: 'broken',
      up: 'CREATE TABLE a (b int); SELECT 1/0',
      down: '',
      checksum: '',
    };
    await expect(to(known.length + 1, [...known, broken])).rejects.toThrow('division by zero');
    expect(await schemaOf(ledger)).toEqual(before);
    expect(await versions()).toEqual(known.map(({ version }) => version));
  });

  test('a ledger of a newer version, or with an edited migration, is refused by name and not touched', async () => {
    const env = commandEnv(estate, { DATABASE_URL: ledger.logins.owner });
    const last = known.length;
    await ledger.sql('INSERT INTO schema_migrations VALUES ($1, $2, now(), $3)', [last + 1, 'later', 'x']);
    expect(await longhaul(env, ['db', 'migrate'])).toMatchObject({
      exitCode: 3,
      stderr: expect.stringContaining(`has migration ${last + 1}, and this version of Longhaul knows ${last}`),
    });
    await ledger.sql('DELETE FROM schema_migrations WHERE version > $1', [last]);
    await ledger.sql("UPDATE schema_migrations SET checksum = 'x' WHERE version = 2");
    const changed = await longhaul(env, ['db', 'migrate', '--json']);
    expect(changed.exitCode).toBe(3);
    expect(JSON.parse(changed.stdout)).toMatchObject({ error: { type: 'LedgerChanged' } });
    await ledger.sql('UPDATE schema_migrations SET checksum = $1 WHERE version = 2', [known[1]?.checksum]);
    expect((await longhaul(env, ['db', 'migrate'])).stdout).toBe(`The ledger has version ${last} (already).\n`);
  });

  test('a command that needs a missing table names the migration', async () => {
    const env = commandEnv(estate, { DATABASE_URL: ledger.logins.owner });
    await to(2);
    const verified = await longhaul(env, ['audit', 'verify', '--json']);
    expect(verified.exitCode).toBe(3);
    expect(JSON.parse(verified.stdout)).toMatchObject({ error: { type: 'LedgerOutdated' } });
    await expect(checkVersion(ledger.logins.owner)).rejects.toThrow(`has migration 2 of ${known.length}`);
    await to(known.length);
    await checkVersion(ledger.logins.owner);
  });

  test('by the command: the state is listed, and tables are deleted only with --yes', async () => {
    const env = commandEnv(estate, { DATABASE_URL: ledger.logins.owner });
    const refused = await longhaul(env, ['db', 'migrate', '--target', '4']);
    expect(refused).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('Add --yes to do it.') });
    expect((await longhaul(env, ['db', 'migrate', '--target', '4', '--yes'])).stdout).toBe(
      `The ledger has version 4 (was ${known.length}).\n`,
    );
    const { stdout } = await longhaul(env, ['db', 'migrate', '--status', '--json']);
    const listed = JSON.parse(stdout) as { version: number; applied_at: string | null }[];
    expect(listed.map(({ version, applied_at }) => [version, applied_at !== null])).toEqual(
      known.map(({ version }) => [version, version <= 4]),
    );
    await to(known.length);
  });
});

/** The columns of each table, as `tables.ts` declares them: true for one that may be null. */
function declaredColumns(): Record<string, Record<string, boolean>> {
  const source = readFileSync(new URL('../../../activities/ledger/tables.ts', import.meta.url), 'utf8');
  const bodyOf = (name: string): [string, string][] => {
    const body = new RegExp(`interface ${name} \\{\\n(.*?)\\n\\}`, 's').exec(source)?.[1] ?? '';
    return [...body.matchAll(/^ {2}(\w+): (.*);$/gm)].map(([, key = '', type = '']) => [key, type]);
  };
  const isNullable = (type: string): boolean => /^Optional|^ColumnType<.* \| null,/.test(type);
  return Object.fromEntries(
    bodyOf('LedgerTables').map(([table, type]) => [
      table,
      Object.fromEntries(bodyOf(type).map(([column, each]) => [column, isNullable(each)])),
    ]),
  );
}

describe('the tables', () => {
  let ledger: TestLedger;
  beforeAll(async () => {
    ledger = await createTestLedger();
  });
  afterAll(() => ledger.dispose());

  test('have the columns of the types', async () => {
    const rows = await ledger.sql<{ table: string; column: string; nullable: boolean }>(`
      SELECT table_name AS table, column_name AS column, is_nullable = 'YES' AS nullable
      FROM information_schema.columns WHERE table_schema = 'longhaul'`);
    const found: Record<string, Record<string, boolean>> = {};
    for (const { table, column, nullable } of rows) (found[table] ??= {})[column] = nullable;
    expect(found).toEqual(declaredColumns());
    expect(Object.keys(found).toSorted()).toEqual(Object.keys(WRITER_RIGHTS).toSorted());
  });

  test('the writer cannot change or delete an event or a decision; the reader can change nothing', async () => {
    const { writer, reader } = ledger.logins;
    const refused = /permission denied/;
    for (const table of ['audit_events', 'gate_decisions', 'evidence']) {
      for (const statement of [`DELETE FROM ${table}`, `TRUNCATE ${table}`, `DROP TABLE ${table}`]) {
        await expect(rowsOf(writer, statement), statement).rejects.toThrow(/permission denied|must be owner/);
      }
    }
    await expect(rowsOf(writer, "UPDATE audit_events SET actor = 'me'")).rejects.toThrow(refused);
    await expect(rowsOf(writer, 'DELETE FROM ledger')).rejects.toThrow(refused);
    await expect(rowsOf(writer, 'UPDATE ledger SET ledger_id = gen_random_uuid()')).rejects.toThrow(refused);
    await expect(rowsOf(writer, 'CREATE TABLE mine (a int)')).rejects.toThrow(refused);
    for (const table of Object.keys(WRITER_RIGHTS)) {
      await rowsOf(reader, `SELECT count(*) FROM ${table}`);
      for (const statement of [`INSERT INTO ${table} DEFAULT VALUES`, `DELETE FROM ${table}`, `TRUNCATE ${table}`]) {
        await expect(rowsOf(reader, statement), statement).rejects.toThrow(refused);
      }
    }
    await expect(rowsOf(reader, "SELECT ensure_metrics_day('2026-01-01')")).rejects.toThrow(refused);
  });

  test('only the login of the gateway records decisions, and it can do nothing else', async () => {
    const { writer, gates } = ledger.logins;
    const refused = /permission denied/;
    await ledger.sql(
      `INSERT INTO gates (gate_id, workflow_id, kind, subject, digest, requested_by) VALUES ('gate-1', 'w', 'k', 's', 'd', 'ada')`,
    );
    const decision = `INSERT INTO gate_decisions (decision_id, gate_id, person, verdict, why, digest, authenticated_by)
      VALUES ('one', 'gate-1', 'bob', 'approve', 'because', 'd', 'api-key')`;
    await expect(rowsOf(writer, decision)).rejects.toThrow(refused);
    const delegation = `INSERT INTO gate_delegations (delegation_id, person, delegate, until, authenticated_by)
      VALUES ('one', 'bob', 'eve', now(), 'api-key')`;
    await expect(rowsOf(writer, delegation)).rejects.toThrow(refused);
    await rowsOf(gates, decision);
    await rowsOf(gates, delegation);
    for (const table of Object.keys(WRITER_RIGHTS)) {
      const statements = [`DELETE FROM ${table}`, `TRUNCATE ${table}`];
      if (!(GATES_RIGHTS[table as keyof typeof GATES_RIGHTS] ?? '').includes('INSERT')) {
        statements.push(`INSERT INTO ${table} DEFAULT VALUES`);
      }
      for (const statement of statements) await expect(rowsOf(gates, statement), statement).rejects.toThrow(refused);
    }
    for (const statement of [
      "UPDATE gates SET status = 'approved', closed_at = now()",
      "UPDATE gate_decisions SET verdict = 'reject'",
      "UPDATE gate_delegations SET until = 'infinity'",
      "UPDATE audit_events SET actor = 'me'",
      'SELECT count(*) FROM generations',
    ]) {
      await expect(rowsOf(gates, statement), statement).rejects.toThrow(refused);
    }
  });

  test('sixty starts at once, from three pools, are the numbers 1 to 60; a repeated one gets its number again', async () => {
    await addGeneration(ledger, { id: 'gen-abc123', repository: 'local/org/one', version: 'v1.5.0' });
    const ids = Array.from({ length: 60 }, () => randomUUID());
    const pools = [1, 2, 3].map(() => openLedger(ledger.logins.writer));
    const start = (evolutionId: string, at = 0): Promise<{ rc: number; tag: string }> =>
      (pools[at % 3] as LedgerDatabase).transaction().execute(async (trx) => {
        const who = { generationId: 'gen-abc123', changeId: 'FEAT-1', pipeline: 'ci', createdBy: 'ada' };
        const started = await addEvolution(trx, { ...who, evolutionId });
        if (evolutionId === 'lost') throw new Error('the worker dies here');
        return started;
      });
    const [started] = await Promise.all([
      Promise.all(ids.map(start)),
      expect(start('lost')).rejects.toThrow('the worker dies here'),
    ]);
    const numbers = started.map(({ rc }) => rc);
    expect(numbers.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 60 }, (_, at) => at + 1));
    expect(await start(ids[7] ?? '')).toEqual(started[7]);
    for (const pool of pools) await pool.destroy();
    expect(
      await ledger.sql('SELECT count(*)::int, max(rc), max(tag) FILTER (WHERE rc = 60) AS tag FROM evolutions'),
    ).toEqual([{ count: 60, max: 60, tag: 'v1.5.0-rc.60' }]);
  });

  test('a transaction whose connection is lost between two statements fails, and the next one is served', async () => {
    const writer = openLedger(ledger.logins.writer, { connections: 1 });
    const backend = async (trx: LedgerDatabase): Promise<number> =>
      (await sql<{ pid: number }>`SELECT pg_backend_pid() AS pid`.execute(trx)).rows[0]?.pid ?? 0;
    try {
      let lost = 0;
      const transaction = writer.transaction().execute(async (trx) => {
        lost = await backend(trx);
        await withPostgres(inject('stack').superuserUrl, (admin) =>
          admin.query('SELECT pg_terminate_backend($1)', [lost]),
        );
        const running = () => ledger.sql('SELECT FROM pg_stat_activity WHERE pid = $1', [lost]);
        await expect.poll(running).toEqual([]);
        await backend(trx);
      });
      const failure: unknown = await transaction.catch((error: unknown) => error);
      expect(ledgerFailure(failure, ledger.logins.writer)).toMatchObject({ type: 'ServerUnavailable' });
      expect(await writer.transaction().execute(backend)).not.toBe(lost);
    } finally {
      await writer.destroy();
    }
  });

  test('samples of metrics are stored by day', async () => {
    const labels = { repository: 'local/org/one' };
    const at = (time: string): MetricSample => ({ time: new Date(time), name: 'errors', labels, value: 1 });
    await withLedger(ledger.logins.writer, (database) =>
      recordSamples(database, [at('2026-01-01T23:59:59.999Z'), at('2026-01-02T00:00:00Z'), at('2026-01-01T00:00:00Z')]),
    );
    const found = await ledger.sql(`
      SELECT tableoid::regclass::text AS part, count(*)::int FROM metrics_samples GROUP BY 1 ORDER BY 1`);
    expect(found).toEqual([
      { part: 'metrics_samples_20260101', count: 2 },
      { part: 'metrics_samples_20260102', count: 1 },
    ]);
  });
});

test('logins that the owner may not create are made by an administrator with the printed SQL', async () => {
  const ledger = await createTestLedger({ target: 0 });
  try {
    const name = new URL(ledger.logins.owner).username;
    await asSuperuser((run) => run(`ALTER ROLE ${name} NOCREATEROLE`));
    const env = commandEnv(estate, { DATABASE_URL: ledger.logins.owner });
    const refused = await longhaul(env, ['db', 'migrate']);
    expect(refused).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('may not create the login') });
    const printed = (await longhaul(env, ['db', 'logins'])).stdout.trim().split('\n');
    expect(printed).toHaveLength(sqlForLogins(ledger.logins).length);
    await asSuperuser(async (run) => {
      for (const statement of printed) await run(statement);
    });
    expect(await longhaul(env, ['db', 'migrate'])).toMatchObject({ exitCode: 0 });
    const urls = (await longhaul(env, ['db', 'logins', '--urls'])).stdout;
    const reader = /^DATABASE_READER_URL=(.*)$/m.exec(urls)?.[1] ?? '';
    expect(await rowsOf(reader, 'SELECT count(*)::int FROM generations')).toEqual([{ count: 0 }]);
  } finally {
    await ledger.dispose();
  }
});

/** Runs statements as the superuser. */
function asSuperuser(work: (run: (statement: string) => Promise<unknown>) => Promise<unknown>): Promise<unknown> {
  return withPostgres(inject('stack').superuserUrl, (client) => work((statement) => client.query(statement)));
}
