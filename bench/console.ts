import { join } from 'node:path';
import { writeFileSync } from 'node:fs';
import { PassThrough, Readable } from 'node:stream';
import { Client, Connection } from '@temporalio/client';
import { pino } from 'pino';
import { ledgerLogins } from '../activities/ledger/logins.ts';
import { migrateLedger } from '../activities/ledger/migrate.ts';
import { openContext } from '../client/core/context.ts';
import { createGatewayMetrics } from '../client/gateway/metrics.ts';
import { createGateway } from '../client/gateway/server.ts';
import { withPostgres } from '../platform/postgres-client.ts';
import { mustEqual, timed } from './harness.ts';
import type { BenchContext, Benchmark, Figure } from './harness.ts';
import { startServers } from './servers.ts';

const GATES = 1_000;
const CHANGES = 1_000;
const EVOLUTIONS = 5_000;

/** Pages of the console over a real PostgreSQL, from the request to the last byte. */
export const consolePages: Benchmark = {
  about: `pages of the console: an inbox of ${GATES} gates, a generation of ${CHANGES} changes and ${EVOLUTIONS} evolutions`,
  measure,
};

async function measure(context: BenchContext): Promise<Figure[]> {
  const stack = await startServers(context, ['postgres']);
  const file = join(context.dir, 'longhaul.yaml');
  writeFileSync(file, '{}');
  const logins = ledgerLogins(stack.postgres.url, {});
  const env = {
    HOME: context.dir,
    LONGHAUL_DATA_DIR: context.dir,
    LONGHAUL_CACHE_DIR: context.dir,
    DATABASE_READER_URL: logins.reader,
  };
  const [stdout, stderr] = [new PassThrough(), new PassThrough()];
  const cli = openContext({ config: file }, { env, stdin: Readable.from([]), stdout, stderr, signals: process });
  const server = await createGateway({
    config: cli.config,
    env,
    client: new Client({ connection: Connection.lazy({ address: '127.0.0.1:1' }) }),
    logger: pino({ level: 'silent' }),
    metrics: createGatewayMetrics(),
    console: { context: cli, uiUrl: null },
  });
  try {
    await migrateLedger(logins, { actor: 'bench' });
    await withPostgres(logins.owner, async (client) => {
      for (const statement of FILL) await client.query(statement);
    });
    const url = await server.listen({ host: '127.0.0.1', port: 0 });
    const page = async (path: string, shows: string): Promise<number[]> => {
      const values: number[] = [];
      // the first request opens connections and loads modules
      for (let run = -1; run < context.runs; run++) {
        const { seconds, result } = await timed(async () => (await fetch(url + path)).text());
        mustEqual(`${path} shows ${shows}`, result.includes(shows), true);
        if (run >= 0) values.push(seconds * 1_000);
      }
      return values;
    };
    return [
      {
        what: `inbox with ${GATES} open gates`,
        unit: 'ms',
        values: await page('/console/inbox', `${GATES.toLocaleString('en')} gates are open`),
        bar: '≤ 300',
      },
      {
        what: `generation with ${CHANGES} changes and ${EVOLUTIONS} evolutions`,
        unit: 'ms',
        values: await page('/console/releases/generations/gen-bench1', `v1.5.0-rc.${EVOLUTIONS}`),
        bar: '≤ 300',
      },
      {
        what: '  its last page of evolutions',
        unit: 'ms',
        values: await page(`/console/releases/generations/gen-bench1?evolutions=${EVOLUTIONS / 100}`, 'v1.5.0-rc.1<'),
        bar: '≤ 300',
      },
    ];
  } finally {
    await server.close();
    await stack.stop();
  }
}

const FILL = [
  'SET search_path = longhaul',
  `INSERT INTO gates (gate_id, workflow_id, kind, subject, digest, requested_by, approvals_needed, evidence)
   SELECT 'gate-' || n, 'promote/' || n, 'promotion', 'v1.' || n || '.0 of work/acme/api', 'd', 'ada', 2,
     '["12 changes, all proven", "commit 0123456789abcdef"]'
   FROM generate_series(1, ${GATES}) n`,
  `INSERT INTO gate_decisions (decision_id, gate_id, person, verdict, why, digest, authenticated_by)
   SELECT 'gate-' || n || '/1', 'gate-' || n, 'bob', 'approve', 'looks good', 'd', 'api-key'
   FROM generate_series(1, ${GATES}) n`,
  `INSERT INTO generations (generation_id, repository, version, contract, contract_digest, created_by)
   VALUES ('gen-bench1', 'work/acme/api', 'v1.5.0', '{}', 'd', 'ada')`,
  `INSERT INTO generation_changes (generation_id, change_id, position, type, title, team)
   SELECT 'gen-bench1', 'FEAT-' || n, n, 'add', 'a change of this release ' || n, 'payments'
   FROM generate_series(1, ${CHANGES}) n`,
  `INSERT INTO evolutions (evolution_id, generation_id, change_id, rc, tag, status, pipeline, commit, created_by,
     completed_at, proof)
   SELECT 'ev-' || n, 'gen-bench1', 'FEAT-' || (1 + n % ${CHANGES}), n, 'v1.5.0-rc.' || n,
     CASE WHEN n % 5 = 0 THEN 'fail' ELSE 'pass' END, 'full-ci', md5(n::text), 'ada', now(), '{}'
   FROM generate_series(1, ${EVOLUTIONS}) n`,
];
