import { rm } from 'node:fs/promises';
import { flushCompileCache } from 'node:module';
import { Client, Connection } from '@temporalio/client';
import { DefaultLogger, NativeConnection, Runtime, Worker, type WorkerOptions } from '@temporalio/worker';
import { pino } from 'pino';
import { Registry } from 'prom-client';
import { gateRoles } from '../../../activities/gates/roles.ts';
import { releaseRoles } from '../../../activities/release/roles.ts';
import { loadConfig } from '../../../activities/shared/config.ts';
import type { Role } from '../../../domain/shared/roles.ts';
import { activityWorker, flowsWorker, openRoles, type OpenRoles } from '../../../workers/roles.ts';
import { activityBoundaries, createBoundaries, watchPrograms } from '../boundaries.ts';
import type { DoomedWorkerMessage, DoomedWorkerOrder } from '../doomed-process.ts';
import { openLedgerRelay } from './ledger-relay.ts';

/**
 * A worker with the product's own roles of the release train, also of deployments with `DOOMED_DEPLOY=1`, which counts the boundaries that its work passes
 * (activities, git, kubectl and the programs of jobs, commits of PostgreSQL), and ends itself with SIGKILL at the requested one.
 * Each time it is armed it opens its tools again, with an empty cache folder, so that the same work passes the same
 * boundaries. Run by `startDoomedWorker`.
 */
const { env } = process;
const loaded = loadConfig({ env });
const boundaries = createBoundaries();
const { at, inActivity } = boundaries;
const ROLES: readonly Role[] = [
  'repos',
  'ledger',
  'pipelines',
  ...(env['DOOMED_DEPLOY'] === '1' ? ['deploy' as const] : []),
];
type Run = (input: unknown) => Promise<unknown>;

watchPrograms((program, child) => {
  const kind = inActivity(program);
  at(`${kind} runs`);
  child.once('exit', () => at(`${kind} has ended`));
});
Runtime.install({
  logger: new DefaultLogger('ERROR'),
  telemetryOptions: { logging: { filter: { core: 'ERROR', other: 'ERROR' }, forward: { level: 'ERROR' } } },
  shutdownSignals: [],
});
const ledgerUrl = await openLedgerRelay(setting('DATABASE_WRITER_URL'), (boundary) => at(inActivity(boundary)));
const address = setting('TEMPORAL_ADDRESS');
const namespace = setting('TEMPORAL_NAMESPACE');
const client = new Client({ connection: await Connection.connect({ address }), namespace });
const place = { connection: await NativeConnection.connect({ address }), namespace };
let roles = await open();
const own = [
  flowsWorker(place, { codePath: setting('DOOMED_BUNDLE') }),
  ...ROLES.map((role) => activityWorker(place, role, { ...roles.work.get(role), activities: activitiesOf(role) })),
];
const workers = await Promise.all(own.map((options) => Worker.create(watched(options))));

process.on('message', (order: DoomedWorkerOrder) => {
  if (order === 'report') send({ passed: boundaries.passed(), embedded: 0 });
  else if (typeof order === 'object' && 'doom' in order) arm(order).catch(fail);
  else fail(new Error('this worker holds no activities'));
});
process.on('disconnect', () => process.exit());
// a killed process would never write it
flushCompileCache();
send('ready');
await Promise.all(workers.map((worker) => worker.run()));

async function arm({ doom, victim }: Extract<DoomedWorkerOrder, { readonly doom: unknown }>): Promise<void> {
  boundaries.rest();
  await roles.close();
  await rm(loaded.cacheDir, { recursive: true, force: true });
  roles = await open();
  boundaries.arm(doom, victim);
  send('armed');
}

function fail(error: unknown): void {
  process.stderr.write(`${String(error)}\n`);
  process.exit(1);
}

function open(): Promise<OpenRoles> {
  return openRoles([...releaseRoles, ...gateRoles], ROLES, {
    loaded,
    env,
    client,
    registry: new Registry(),
    places: {
      weaviate: () => {
        throw new Error('releases need no Weaviate');
      },
      ledger: () => ledgerUrl,
      modelFolder: () => Promise.reject(new Error('releases need no model')),
    },
    logger: pino({ level: 'silent' }),
    signal: new AbortController().signal,
  });
}

/** The activities of a role, from the tools that are open when they run. */
function activitiesOf(role: Role): Record<string, Run> {
  const current = (): Record<string, Run> => (roles.work.get(role)?.activities ?? {}) as Record<string, Run>;
  return Object.fromEntries(
    Object.keys(current()).map((name) => [
      name,
      (input: unknown) => {
        const run = current()[name];
        if (run === undefined) throw new Error(`${role} has no activity ${name} any more`);
        return run(input);
      },
    ]),
  );
}

function watched(options: WorkerOptions): WorkerOptions {
  return {
    ...options,
    maxHeartbeatThrottleInterval: 500,
    // after this time without an answer, the runs cached here go to another worker
    ...(options.workflowBundle === undefined ? {} : { stickyQueueScheduleToStartTimeout: '1 second' }),
    interceptors: {
      ...options.interceptors,
      activity: [...(options.interceptors?.activity ?? []), activityBoundaries(boundaries)],
    },
  };
}

function send(message: DoomedWorkerMessage): void {
  process.send?.(message);
}

function setting(name: string): string {
  const value = env[name];
  if (value === undefined) throw new Error(`${name} is not set`);
  return value;
}
