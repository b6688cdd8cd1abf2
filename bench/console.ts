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
import { mustEqual, timed } from './harness.ts';
import type { BenchContext, Benchmark, Figure } from './harness.ts';
import { CHANGES, EVOLUTIONS, fillLedger, OPEN_GATES } from './ledger-rows.ts';
import { startServers } from './servers.ts';

/** Pages of the console over a real PostgreSQL, from the request to the last byte. */
export const consolePages: Benchmark = {
  about: `pages of the console: an inbox of ${OPEN_GATES} gates, a generation of ${CHANGES} changes and ${EVOLUTIONS} evolutions`,
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
    await fillLedger(logins.owner);
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
        what: `inbox with ${OPEN_GATES} open gates`,
        unit: 'ms',
        values: await page('/console/inbox', `${OPEN_GATES.toLocaleString('en')} gates are open`),
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
