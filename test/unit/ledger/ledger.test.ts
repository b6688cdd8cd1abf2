import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { beforeAll, describe, expect, test } from 'vitest';
import { ledgerLogins, lesserLogin } from '../../../activities/ledger/logins.ts';
import { sqlForLogins } from '../../../activities/ledger/make-logins.ts';
import { checkApplied, loadMigrations, type Migration, stepsTo } from '../../../activities/ledger/migrations.ts';
import { toCsv, toObjects, toTable } from '../../../client/cli/ledger/query-output.ts';
import { redact } from '../../../domain/shared/redact.ts';
import { placeOfDatabase, removeForeignPid } from '../../../stack/postgres.ts';
import { yourDatabase } from '../../../stack/postgres-connection.ts';

describe('migrations', () => {
  let known: readonly Migration[];
  beforeAll(async () => {
    known = await loadMigrations();
  });

  test('are numbered without gaps, each with a way back', async () => {
    expect(known.map(({ version }) => version)).toEqual(known.map((_, at) => at + 1));
    for (const { up, down } of known) expect([up, down].map((text) => text.trim().length > 0)).toEqual([true, true]);
    const folder = mkdtempSync(join(tmpdir(), 'longhaul-migrations-'));
    for (const name of ['0001-one', '0003-three']) {
      for (const way of ['up', 'down']) writeFileSync(join(folder, `${name}.${way}.sql`), 'SELECT 1');
    }
    await expect(loadMigrations(pathToFileURL(`${folder}/`))).rejects.toThrow('0003-three.up.sql');
    rmSync(folder, { recursive: true });
  });

  test.each([
    [0, 3, ['up 1', 'up 2', 'up 3']],
    [2, 3, ['up 3']],
    [3, 3, []],
    [3, 1, ['down 3', 'down 2']],
    [1, 0, ['down 1']],
  ])('from %i to %i', (applied, target, expected) => {
    const steps = stepsTo(target, applied, known);
    expect(steps.map(({ direction, migration }) => `${direction} ${migration.version}`)).toEqual(expected);
  });

  test('a database that is newer, has an edited migration or a gap is refused', () => {
    const applied = known.map(({ version, name, checksum }) => ({ version, name, checksum, applied_at: new Date(0) }));
    const edited = applied.map((each) => ({ ...each, checksum: 'other' }));
    expect(() => checkApplied(applied, known)).not.toThrow();
    expect(() => checkApplied(applied.slice(0, 2), known)).not.toThrow();
    expect(() => checkApplied(applied, known.slice(0, -1))).toThrow(
      new RegExp(`has migration ${known.length}, .* knows ${known.length - 1}`),
    );
    expect(() => checkApplied(edited, known)).toThrow(/Migration 1 \(pipelines\)/);
    expect(() => checkApplied(applied.slice(1), known)).toThrow(/Migration 2 \(generations\) of the ledger is not 1/);
  });
});

describe('logins', () => {
  const OWNER = 'postgres://boss:s%40cret@db.example.com:5433/estate?sslmode=require';

  test('are derived from the owner, differ, and stay the same', () => {
    const { owner, writer, gates, reader } = ledgerLogins(OWNER, {});
    expect(owner).toBe(OWNER);
    expect(ledgerLogins(OWNER, {})).toEqual({ owner, writer, gates, reader });
    const [write, gate, read] = [new URL(writer), new URL(gates), new URL(reader)];
    expect([write.username, gate.username, read.username]).toEqual(['estate_writer', 'estate_gates', 'estate_reader']);
    expect([write.host, write.pathname, write.search]).toEqual(['db.example.com:5433', '/estate', '?sslmode=require']);
    expect(new Set([write.password, gate.password, read.password, 's%40cret']).size).toBe(4);
    expect(ledgerLogins(OWNER.replace('s%40cret', 'other'), {}).writer).not.toBe(writer);
    expect(sqlForLogins({ owner, writer, gates, reader }).join()).not.toContain(write.password);
  });

  test('have passwords that no text shows', () => {
    const { writer, gates, reader } = ledgerLogins(OWNER, {});
    for (const url of [writer, gates, reader]) {
      const { password } = new URL(url);
      expect(redact(`it is ${password}.`)).not.toContain(password);
    }
  });

  test('of the environment take precedence; without a password there is nothing to derive', () => {
    const env = { DATABASE_READER_URL: 'postgres://ann:x@db/estate' };
    expect(lesserLogin('reader', OWNER, env)).toBe(env.DATABASE_READER_URL);
    expect(lesserLogin('writer', null, env)).toBeNull();
    expect(() => lesserLogin('writer', 'postgres://boss@db/estate', {})).toThrow('set DATABASE_WRITER_URL');
    expect(() => lesserLogin('reader', null, { DATABASE_READER_URL: 'db' })).toThrow(
      'DATABASE_READER_URL is not the URL',
    );
  });

  test('an address is checked', () => {
    expect(yourDatabase({})).toBeNull();
    expect(yourDatabase({ DATABASE_URL: '' })).toBeNull();
    expect(yourDatabase({ DATABASE_URL: OWNER })).toBe(OWNER);
    for (const wrong of ['db', 'http://db/estate', 'postgres://db', 'postgres://db/']) {
      expect(() => yourDatabase({ DATABASE_URL: wrong })).toThrow('DATABASE_URL is not the URL of a database');
    }
    expect(placeOfDatabase('postgresql://a:b@db/my%20estate')).toEqual({ address: 'db:5432', database: 'my estate' });
  });
});

test('a pid file that names another program is removed; one of no process is left to the server', () => {
  const folder = mkdtempSync(join(tmpdir(), 'longhaul-pid-'));
  const file = join(folder, 'postmaster.pid');
  removeForeignPid(folder);
  writeFileSync(file, `${process.pid}\n/data\n`);
  removeForeignPid(folder);
  expect(existsSync(file)).toBe(process.platform !== 'linux');
  writeFileSync(file, '4194305\n/data\n');
  removeForeignPid(folder);
  expect(existsSync(file)).toBe(true);
  rmSync(folder, { recursive: true });
});

describe('the rows of a query', () => {
  const result = {
    columns: [
      { name: 'n', type: 20 },
      { name: 'ok', type: 16 },
      { name: 'rate', type: 1700 },
      { name: 'n', type: 25 },
      { name: 'labels', type: 3802 },
    ],
    rows: [
      ['7', 't', '66.67', 'a "b", c', '{"x": [1]}'],
      ['9007199254740993', 'f', 'NaN', '', null],
    ],
  };

  test('are objects, with numbers only where they are exact', () => {
    expect(toObjects(result)).toEqual([
      { n: 7, ok: true, rate: 66.67, n_2: 'a "b", c', labels: { x: [1] } },
      { n: '9007199254740993', ok: false, rate: 'NaN', n_2: '', labels: null },
    ]);
  });

  test('are CSV, in which null and an empty text differ', () => {
    expect(toCsv(result)).toBe(
      'n,ok,rate,n,labels\r\n7,t,66.67,"a ""b"", c","{""x"": [1]}"\r\n9007199254740993,f,NaN,"",\r\n',
    );
  });

  test('are a table without control characters', async () => {
    const table = await toTable({ columns: [{ name: 'a\u001b[31m', type: 25 }], rows: [['b\u001b]0;x\u0007']] });
    expect(table).not.toContain('\u001b');
    expect(table).toContain('b\ufffd]0;x\ufffd');
  });
});
