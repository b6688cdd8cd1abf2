import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { withPostgres } from '../../../platform/postgres-client.ts';
import { createTestLedger, type TestLedger } from '../../support/ledger.ts';
import { runHookOf } from '../../support/release/deployment-programs.ts';
import { type Jobs, openJobs } from '../../support/release/jobs.ts';
import { SHOWN_NODE, SHOWN_PACKAGES } from '../../support/release/shown-packages.ts';

/** A migration as an application has it: it can be repeated, and taken back. */
const MIGRATE = `
import pg from '${SHOWN_PACKAGES}/node_modules/pg/lib/index.js';
const client = new pg.Client({ connectionString: process.env.DB_URL });
await client.connect();
console.log('migrating', process.env.DB_URL, Buffer.from(process.env.DB_URL).toString('base64'));
if (process.argv[2] === 'up') {
  await client.query('CREATE TABLE IF NOT EXISTS carts (id int PRIMARY KEY, note text NOT NULL)');
  await client.query("INSERT INTO carts VALUES (1, 'moved') ON CONFLICT DO NOTHING");
} else {
  await client.query('DROP TABLE IF EXISTS carts');
}
await client.end();
console.log(process.argv[2], 'done by', process.env.LONGHAUL_DEPLOYMENT);
`;

describe('a hook that migrates a database', () => {
  let database: TestLedger;
  let jobs: Jobs;

  beforeAll(async () => {
    database = await createTestLedger({ target: 0, password: 'correct-horse-battery' });
    jobs = await openJobs({
      pipelines: {
        network: true,
        toolchains: [SHOWN_PACKAGES],
        secrets: { DB_URL: { valueEnv: 'SHOP_DB', repositories: ['local/acme/*'] } },
      },
      env: { SHOP_DB: database.logins.owner },
    });
  });
  afterAll(async () => {
    await jobs?.close();
    await database?.dispose();
  });

  const tables = (): Promise<readonly string[]> =>
    withPostgres(database.logins.owner, async (client) => {
      const { rows } = await client.query<{ name: string }>(
        "SELECT table_name AS name FROM information_schema.tables WHERE table_schema = 'public'",
      );
      return rows.map(({ name }) => name);
    });

  test('goes up and down, each also twice, and its log has no password', async () => {
    const node = SHOWN_NODE;
    const hook = `{name: migrate, run: [${node}, migrate.mjs, up], down: {run: [${node}, migrate.mjs, down]}, secrets: [DB_URL]}`;
    for (const direction of ['up', 'up', 'down', 'down'] as const) {
      const { ok, text, said } = await runHookOf(jobs, { hook, direction, files: { 'migrate.mjs': MIGRATE } });
      expect(text).toContain(`${direction} done by d-1`);
      expect(ok).toBe(true);
      expect(await tables()).toEqual(direction === 'up' ? ['carts'] : []);
      for (const shown of [text, said]) {
        expect(shown).toContain('migrating [redacted]');
        expect(shown).not.toContain('correct-horse');
        expect(shown).not.toContain(Buffer.from(database.logins.owner).toString('base64').slice(10, 40));
      }
    }
  });

  test('and cannot is a result: the deployment is rolled back', async () => {
    const hook = `{name: migrate, run: [${SHOWN_NODE}, migrate.mjs, up], secrets: [DB_URL]}`;
    const files = { 'migrate.mjs': MIGRATE.replace('id int', 'id nothing') };
    const { ok, exitCode, said } = await runHookOf(jobs, { hook, files });
    expect({ ok, exitCode }).toEqual({ ok: false, exitCode: 1 });
    expect(said).toContain('type "nothing" does not exist');
    expect(await tables()).toEqual([]);
  });
});
