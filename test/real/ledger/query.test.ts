import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { queryLedger } from '../../../activities/ledger/query.ts';
import { git } from '../../../examples/git.ts';
import { commandEnv, longhaul, longhaulProcess } from '../../support/command.ts';
import { createEstate, type Estate } from '../../support/estate.ts';
import { addGeneration, createTestLedger, type TestLedger } from '../../support/ledger.ts';

/** The three queries of the release guide's audit, as people type them. */
const CHANGES = `
  SELECT COUNT(*) as total_changes
  FROM generation_changes
  WHERE created_at >= '2024-01-01'
    AND created_at < '2024-04-01'
`;
const PASS_RATE = `
  SELECT
    COUNT(*) as total,
    SUM(CASE WHEN status = 'pass' THEN 1 ELSE 0 END) as passed,
    ROUND(SUM(CASE WHEN status = 'pass' THEN 1 ELSE 0 END) * 100.0 / COUNT(*), 2) as pass_rate
  FROM evolutions
  WHERE created_at >= '2024-01-01'
`;
const PROMOTED = `
  SELECT version, promoted_at
  FROM generations
  WHERE status = 'promoted'
    AND promoted_at >= '2024-01-01'
  ORDER BY promoted_at DESC
`;

let estate: Estate;
let ledger: TestLedger;
let env: Record<string, string>;
beforeAll(async () => {
  estate = await createEstate();
  ledger = await createTestLedger();
  env = commandEnv(estate, { DATABASE_READER_URL: ledger.logins.reader });
  await addGeneration(ledger, { id: 'gen-aaa111', repository: 'local/org/one', version: 'v1.0.0' });
  await addGeneration(ledger, { id: 'gen-bbb222', repository: 'local/org/two', version: 'v1.0.0' });
  await addGeneration(ledger, {
    id: 'gen-ccc333',
    repository: 'local/org/one',
    version: 'v1.1.0',
    at: '2023-12-31T23:59:59Z',
  });
  for (const [rc, status] of (['pass', 'fail', 'pass'] as const).entries()) {
    await ledger.sql(
      `INSERT INTO evolutions (evolution_id, generation_id, change_id, rc, tag, status, created_by, created_at, completed_at)
       VALUES ($1, 'gen-aaa111', 'FEAT-1', $2, 'v1.0.0-rc.1', $3, 'ada', '2024-02-02', '2024-02-02')`,
      [`evolution ${rc}`, rc + 1, status],
    );
  }
  await ledger.sql(`UPDATE generations SET status = 'promoted', promoted_at = '2024-03-01T12:00:00Z', promoted_by = 'ada',
    commit = 'c', tag = 'v1.0.0' WHERE version = 'v1.0.0'`);
});
afterAll(async () => {
  await ledger.dispose();
  await estate.dispose();
});

const query = (sql: string, ...args: string[]): ReturnType<typeof longhaul> =>
  longhaul(env, ['db', 'query', sql, ...args]);

describe('longhaul db query', () => {
  test('answers the queries of the release guide, about the repository of the folder', async () => {
    await estate.create('org/one', { 'README.md': 'one' });
    const clone = join(estate.root, '..', 'clone');
    await git(['clone', '--quiet', estate.gitDir('org/one'), clone]);
    const inClone = (sql: string): ReturnType<typeof longhaulProcess> =>
      longhaulProcess(env, ['db', 'query', sql, '--json'], undefined, clone);
    const answers = await Promise.all([CHANGES, PASS_RATE, PROMOTED].map(inClone));
    expect(answers.map(({ exitCode, stderr }) => ({ exitCode, stderr }))).toEqual(
      Array.from({ length: 3 }, () => ({ exitCode: 0, stderr: '' })),
    );
    expect(answers.map(({ stdout }) => JSON.parse(stdout) as unknown)).toEqual([
      [{ total_changes: 1 }],
      [{ total: 3, passed: 2, pass_rate: 66.67 }],
      [{ version: 'v1.0.0', promoted_at: '2024-03-01 12:00:00+00' }],
    ]);
    await git(['-C', clone, 'remote', 'set-url', 'origin', 'https://nowhere.example/org/one.git']);
    const refused = await inClone(CHANGES);
    expect(refused.exitCode).toBe(2);
    expect(refused.stdout).toContain('https://nowhere.example/org/one.git of ');
    expect(refused.stdout).toContain('belongs to no provider');
  });

  test('answers about another repository and about all, as a table and as CSV', async () => {
    expect((await query(CHANGES, '--repo', 'local/org/two', '--csv')).stdout).toBe('total_changes\r\n1\r\n');
    expect((await query(CHANGES, '--all', '--csv')).stdout).toBe('total_changes\r\n2\r\n');
    expect((await query(PROMOTED, '--all')).stdout.split('\n').filter((line) => line.includes('v1.0.0'))).toHaveLength(
      2,
    );
    const everywhere = 'SELECT count(*) FROM evolutions UNION ALL SELECT count(*) FROM generations ORDER BY 1';
    expect((await query(everywhere, '--repo', 'local/org/three', '--csv')).stdout).toBe('count\r\n0\r\n0\r\n');
  });

  test.each([
    ['two statements', 'SELECT 1; DELETE FROM generations', 'cannot insert multiple commands'],
    ['a write', 'DELETE FROM generations RETURNING version', 'permission denied|read-only'],
    [
      'a writing CTE',
      'WITH gone AS (DELETE FROM generations RETURNING 1) SELECT * FROM gone',
      'permission denied|read-only',
    ],
    ['a program', "COPY (SELECT 1) TO PROGRAM 'id'", 'permission denied|returns no rows'],
    ['the output of COPY', 'COPY generations TO STDOUT', 'returns no rows'],
    ['a file of the server', "SELECT pg_read_file('PG_VERSION')", 'permission denied'],
    ['a folder of the server', "SELECT pg_ls_dir('.')", 'permission denied'],
    ['a file as a large object', "SELECT lo_import('/etc/passwd')", 'permission denied|read-only'],
    ['a new large object', "SELECT lo_from_bytea(0, 'x')", 'read-only'],
    ['the former role', 'RESET ROLE', 'returns no rows'],
    ['another user', 'SET SESSION AUTHORIZATION postgres', 'permission denied|returns no rows'],
    ['another role', 'SET ROLE postgres', 'permission denied|returns no rows'],
    ['a block of code', 'DO $$ BEGIN DELETE FROM generations; END $$', 'returns no rows'],
    ['the end of the transaction', 'COMMIT', 'returns no rows'],
    ['a new table', 'CREATE TEMP TABLE mine AS SELECT 1', 'returns no rows|read-only'],
    ['passwords', 'SELECT * FROM pg_authid', 'permission denied'],
    ['a lock', 'SELECT * FROM ledger FOR UPDATE', 'permission denied|read-only'],
    ['the lock of a gate', "SELECT lock_gate('gate-1')", 'permission denied'],
    ['nothing', ' -- only a comment', 'returns no rows'],
    ['a misspelt table', 'SELECT * FROM generation', 'relation "generation" does not exist'],
  ])('refuses %s', async (_name, sql, why) => {
    const { exitCode, stdout, stderr } = await query(sql, '--all');
    expect(stderr).toMatch(new RegExp(why));
    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: '' });
    expect(await ledger.sql('SELECT count(*)::int FROM generations')).toEqual([{ count: 3 }]);
  });

  test.each([
    ['sleeps', 'SELECT pg_sleep(60)', /longer than 1 s/],
    [
      'counts 10^12 rows',
      'SELECT count(*) FROM generate_series(1, 1000000) a, generate_series(1, 1000000) b',
      /longer than 1 s/,
    ],
    ['switches the limit off', "SELECT set_config('statement_timeout', '0', false), pg_sleep(60)", /longer than 1 s/],
    ['returns too many rows', 'SELECT * FROM generate_series(1, 101)', /more than 100 rows/],
    ['returns too much at once', "SELECT repeat('x', 3000000)", /more than 100000 bytes/],
  ])('ends a query that %s', async (_name, sql, why) => {
    const limits = { timeMs: 1_000, rows: 100, bytes: 100_000 };
    const running = queryLedger(ledger.logins.reader, sql, { repository: null, limits });
    await expect(running).rejects.toMatchObject({ type: 'QueryStopped', message: expect.stringMatching(why) });
  });

  test('as many rows as the limit are returned', async () => {
    const limits = { timeMs: 5_000, rows: 100, bytes: 100_000 };
    const all = await queryLedger(ledger.logins.reader, 'SELECT * FROM generate_series(1, 100)', {
      repository: null,
      limits,
    });
    expect(all.rows).toHaveLength(100);
  });

  test('a login that can do more than read is refused', async () => {
    for (const login of [ledger.logins.owner, ledger.logins.writer]) {
      const mighty = { ...env, DATABASE_READER_URL: login };
      const refused = await longhaul(mighty, ['db', 'query', 'SELECT 1', '--all']);
      expect(refused).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('can do more than read') });
    }
  });

  test('a wrong password and a server that is not there are named', async () => {
    const at = async (url: string): Promise<unknown> => {
      const { exitCode, stdout } = await longhaul({ ...env, DATABASE_READER_URL: url }, [
        'db',
        'query',
        'SELECT 1',
        '--all',
        '--json',
      ]);
      return { exitCode, type: (JSON.parse(stdout) as { error: { type: string } }).error.type };
    };
    const { reader } = ledger.logins;
    expect(await at(reader.replace(/:[^:@]*@/, ':guess@'))).toEqual({ exitCode: 5, type: 'AuthenticationFailed' });
    expect(await at('postgres://a:b@127.0.0.1:1/none')).toEqual({ exitCode: 4, type: 'ServerUnavailable' });
    const { exitCode, stderr } = await longhaul({ ...env, DATABASE_READER_URL: '' }, [
      'db',
      'query',
      'SELECT 1',
      '--all',
    ]);
    expect(exitCode).toBe(4);
    expect(stderr).toContain('run `longhaul up`, or set DATABASE_READER_URL or DATABASE_URL');
  });
});
