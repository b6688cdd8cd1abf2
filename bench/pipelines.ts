import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { Client, Connection } from '@temporalio/client';
import { NativeConnection, Worker, type WorkerOptions } from '@temporalio/worker';
import { pino } from 'pino';
import { Registry } from 'prom-client';
import { openBlobs } from '../activities/blobs/open-blobs.ts';
import { ledgerLogins } from '../activities/ledger/logins.ts';
import { migrateLedger } from '../activities/ledger/migrate.ts';
import { releaseRoles } from '../activities/release/roles.ts';
import { loadConfig } from '../activities/shared/config.ts';
import { startDeclared } from '../client/core/start-flow.ts';
import { runPipelineFlow } from '../domain/release/flows/pipeline-flows.ts';
import type { PackedCommit } from '../domain/release/pipelines/job.ts';
import { withPostgres } from '../platform/postgres-client.ts';
import { workflowBundle } from '../workers/bundle.ts';
import { activityWorker, flowsWorker, openRoles, type OpenRoles, type WorkerPlace } from '../workers/roles.ts';
import { mustEqual, timed } from './harness.ts';
import type { BenchContext, Benchmark, Figure } from './harness.ts';
import { startServers } from './servers.ts';

const MANY = 100;
const WORKERS = 2;
const SLOTS = 8;
const REPOSITORY = 'local/bench/pipelines';

/** Runs pipelines of a hundred jobs or steps that do nothing, against a shell loop that records each in PostgreSQL. */
export const pipelines: Benchmark = {
  about: `a chain of ${MANY} jobs, a job of ${MANY} steps, and ${MANY} jobs of 1 s on ${WORKERS} workers × ${SLOTS} slots`,
  measure,
};

const TRUE = [{ name: 'true', run: ['true'] }];
const numbers = Array.from({ length: MANY }, (_, at) => at);

const FILES: Readonly<Record<string, object>> = {
  chain: {
    name: 'chain',
    jobs: Object.fromEntries(numbers.map((at) => [`j${at}`, { needs: at === 0 ? [] : [`j${at - 1}`], steps: TRUE }])),
  },
  steps: { name: 'steps', steps: numbers.map((at) => ({ name: `s${at}`, run: ['true'] })) },
  wide: {
    name: 'wide',
    jobs: Object.fromEntries(numbers.map((at) => [`j${at}`, { steps: [{ name: 'sleep', run: ['sleep', '1'] }] }])),
  },
};

async function measure(context: BenchContext): Promise<Figure[]> {
  const stack = await startServers(context, ['temporal', 'postgres']);
  const stops: (() => Promise<void>)[] = [() => stack.stop()];
  try {
    const logins = ledgerLogins(stack.postgres.url, {});
    await migrateLedger(logins, { actor: 'bench' });
    const env = {
      ...process.env,
      LONGHAUL_DATA_DIR: join(context.dir, 'data'),
      LONGHAUL_CACHE_DIR: join(context.dir, 'cache'),
    };
    const loaded = loadConfig({ env });
    const { address, namespace } = stack.temporal;
    // programs enter it as another user
    await chmod(context.dir, 0o711);
    const connection = await Connection.connect({ address });
    stops.unshift(() => connection.close());
    const client = new Client({ connection, namespace });
    const open = (role: 'ledger' | 'pipelines'): Promise<OpenRoles> =>
      openRoles(releaseRoles, [role], {
        loaded: {
          ...loaded,
          config: { ...loaded.config, pipelines: { ...loaded.config.pipelines, scratch: context.dir } },
        },
        env,
        client,
        registry: new Registry(),
        places: {
          weaviate: () => {
            throw new Error('no index here');
          },
          ledger: () => logins.writer,
          modelFolder: () => Promise.resolve(''),
        },
        logger: pino({ level: 'silent' }),
        signal: context.signal,
      });
    const run = async (options: (place: WorkerPlace) => WorkerOptions): Promise<void> => {
      // the SDK accepts one worker of a task queue for each connection
      const native = await NativeConnection.connect({ address });
      stops.unshift(() => native.close());
      const worker = await Worker.create({
        ...options({ connection: native, namespace }),
        shutdownGraceTime: '1 second',
      });
      const done = worker.run();
      stops.unshift(async () => {
        worker.shutdown();
        await done;
      });
    };
    const bundle = await workflowBundle({ traced: false });
    await run((place) => flowsWorker(place, bundle));
    for (const role of ['ledger', ...Array<'pipelines'>(WORKERS).fill('pipelines')] as const) {
      const roles = await open(role);
      stops.unshift(() => roles.close());
      const work = roles.work.get(role) ?? { activities: {} };
      const limits = { ...work.limits, concurrentActivities: SLOTS };
      await run((place) => activityWorker(place, role, { ...work, limits }));
    }
    const packed = await commitOf(context.dir, await openBlobs(loaded, env));
    let turn = 0;
    const secondsOf = async (pipeline: string): Promise<number> => {
      // each run has an id of its own
      const branch = `run-${(turn += 1)}`;
      const { seconds, result } = await timed(async () => {
        const handle = await startDeclared(client, runPipelineFlow, {
          repository: REPOSITORY,
          pipeline,
          commit: packed.commit,
          packed,
          branch,
          parallel: WORKERS * SLOTS,
        });
        return handle.result();
      });
      mustEqual('status', result.status, 'passed');
      mustEqual('steps', result.jobs.flatMap(({ steps }) => steps).length, MANY);
      return seconds;
    };
    // the first run unpacks the commit and compiles
    await secondsOf('steps');
    const values = { chain: [] as number[], steps: [] as number[], wide: [] as number[], loop: [] as number[] };
    for (let at = 0; at < context.runs; at++) {
      const loop = await shellLoop(logins.owner);
      values.loop.push((loop / MANY) * 1_000);
      values.chain.push((((await secondsOf('chain')) - loop) / MANY) * 1_000);
      values.steps.push((((await secondsOf('steps')) - loop) / MANY) * 1_000);
      values.wide.push((await secondsOf('wide')) / Math.ceil(MANY / (WORKERS * SLOTS)));
    }
    return [
      { what: `chain of ${MANY} jobs of true − shell loop, a job`, unit: 'ms', values: values.chain, bar: '≤ 60' },
      { what: `one job of ${MANY} steps of true − shell loop, a step`, unit: 'ms', values: values.steps, bar: '≤ 15' },
      { what: '  shell loop that records in PostgreSQL, a command', unit: 'ms', values: values.loop },
      {
        what: `${MANY} jobs of 1 s on ${WORKERS} × ${SLOTS} slots ÷ ideal`,
        unit: '×',
        values: values.wide,
        bar: '≤ 1.25',
      },
    ];
  } finally {
    for (const stop of stops) await stop();
  }
}

/** A commit with the pipelines, in the blob store. */
async function commitOf(dir: string, blobs: Awaited<ReturnType<typeof openBlobs>>): Promise<PackedCommit> {
  const folder = join(dir, 'repository');
  await mkdir(join(folder, '.longhaul', 'pipelines'), { recursive: true });
  for (const [name, file] of Object.entries(FILES)) {
    await writeFile(join(folder, '.longhaul', 'pipelines', `${name}.yaml`), JSON.stringify(file));
  }
  const identity = ['-c', 'user.name=bench', '-c', 'user.email=bench@example.com'];
  const git = (...args: string[]): string =>
    execFileSync('git', [...identity, ...args], { cwd: folder })
      .toString()
      .trim();
  git('init', '--quiet');
  git('add', '--all');
  git('commit', '--quiet', '-m', 'pipelines');
  const commit = git('rev-parse', 'HEAD');
  const objects = git('rev-list', '--objects', '--no-walk', commit).replaceAll(/ .*$/gm, '');
  const pack = execFileSync('git', ['pack-objects', '--stdout', '--quiet'], { cwd: folder, input: `${objects}\n` });
  const put = async (content: Buffer): Promise<string> => (await blobs.put(Readable.from([content]))).digest;
  return {
    commit,
    tree: git('rev-parse', 'HEAD^{tree}'),
    pack: await put(pack),
    changed: await put(Buffer.from('[]')),
  };
}

/** Seconds of a loop of bash that runs `true` and has each run recorded in a table before the next one. */
async function shellLoop(url: string): Promise<number> {
  return withPostgres(url, async (client) => {
    await client.query('CREATE TABLE IF NOT EXISTS loop_of_bash (at int, exit_code int)');
    const { seconds } = await timed(async () => {
      const loop = spawn('bash', ['-c', `for at in {1..${MANY}}; do /bin/true; echo "$at $?"; read -r _; done`], {
        stdio: ['pipe', 'pipe', 'inherit'],
      });
      loop.stdout.on('data', (line: Buffer) => {
        const [at, code] = line.toString().trim().split(' ').map(Number);
        client
          .query('INSERT INTO loop_of_bash VALUES ($1, $2)', [at, code])
          .then(() => loop.stdin.write('\n'))
          .catch(() => loop.kill());
      });
      await once(loop, 'exit');
    });
    return seconds;
  });
}
