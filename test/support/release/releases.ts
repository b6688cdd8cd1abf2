import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { NativeConnection, Worker, type WorkerOptions } from '@temporalio/worker';
import { pino } from 'pino';
import { Registry } from 'prom-client';
import { inject, test as base } from 'vitest';
import type { BlobStore } from '../../../activities/blobs/blob-store.ts';
import { openBlobs } from '../../../activities/blobs/open-blobs.ts';
import { loadConfig } from '../../../activities/shared/config.ts';
import { gateRoles } from '../../../activities/gates/roles.ts';
import { releaseRoles } from '../../../activities/release/roles.ts';
import { activityWorker, flowsWorker, openRoles } from '../../../workers/roles.ts';
import { commandEnv, type Ended, longhaulProcess } from '../command.ts';
import { createEstate, type Estate } from '../estate.ts';
import { createTestLedger, type TestLedger } from '../ledger.ts';
import { openNamespace } from '../impatient.ts';
import '../quiet-runtime.ts';
import { createFaults, type Faults } from './faults.ts';
import { collectRuns } from '../recorded-runs.ts';
import { replayAll } from '../replay.ts';
import { git } from '../scratch-git.ts';

/** A repository with contracts on a real remote, and all that releases it. */
export interface Release {
  readonly estate: Estate;
  readonly ledger: TestLedger;
  readonly client: Client;
  readonly blobs: BlobStore;
  /** Faults of its workers' activities. */
  readonly faults: Faults;
  /** A clone in which a person works. */
  readonly clone: string;
  /** The bare repository. */
  readonly remote: string;
  /** The environment of the command line. */
  readonly env: Readonly<Record<string, string>>;
  /** Runs the command line in the clone. */
  longhaul(...args: string[]): Promise<Ended>;
  /** Replays a run at the end of the test. */
  replayed(workflowId: string): void;
}

/** The id of the repository. */
export const REPOSITORY = 'local/acme/api';

const ROLES = ['repos', 'ledger', 'pipelines'] as const;

/**
 * The tests of releases: each file has a repository, a ledger, and workers of all roles in a namespace of its own. The
 * runs that the tests name are replayed at the end.
 */
export const test = releaseTest();

/** {@link test} with further sections of the configuration. */
export function releaseTest(settings: object = {}) {
  return base.extend('release', { scope: 'file' }, async ({}, { onCleanup }) => openRelease(settings, onCleanup));
}

async function openRelease(settings: object, onCleanup: (close: () => Promise<void>) => void): Promise<Release> {
  const address = inject('stack').temporalAddress;
  const namespace = `release-${randomUUID()}`;
  const [connection, native] = await Promise.all([
    Connection.connect({ address }),
    NativeConnection.connect({ address }),
  ]);
  await openNamespace(connection, namespace);
  const scratch = await mkdtemp(join(tmpdir(), 'longhaul-release-'));
  const estate = await createEstate({ indexName: 'Unused', settings });
  const ledger = await createTestLedger();
  await estate.create('acme/api', { 'README.md': 'an api\n' });
  const remote = estate.gitDir('acme/api');
  const clone = join(scratch, 'clone');
  git(scratch, 'clone', '--quiet', remote, clone);
  const client = new Client({ connection, namespace });
  const env = commandEnv(estate, {
    TEMPORAL_NAMESPACE: namespace,
    DATABASE_URL: ledger.logins.owner,
    GIT_CONFIG_GLOBAL: '/dev/null',
  });
  const loaded = loadConfig({ path: estate.configPath, env });
  const roles = await openRoles([...releaseRoles, ...gateRoles], ROLES, {
    loaded,
    env,
    client,
    registry: new Registry(),
    places: {
      weaviate: () => inject('stack').weaviate,
      ledger: () => ledger.logins.writer,
      modelFolder: () => Promise.resolve(''),
    },
    logger: pino({ level: 'silent' }),
    signal: new AbortController().signal,
  });
  const faults = createFaults();
  const place = { connection: native, namespace };
  const bundle = { codePath: inject('stack').workflowBundle };
  const stops = await Promise.all([
    run(flowsWorker(place, bundle)),
    ...ROLES.map((role) => {
      const { activities = {}, ...rest } = roles.work.get(role) ?? {};
      return run(activityWorker(place, role, { ...rest, activities: faults.around(activities) }));
    }),
  ]);
  const named: [string, string][] = [];
  onCleanup(async () => {
    const started = await Promise.all(
      named.map(async ([id]): Promise<[string, string]> => [
        id,
        (await client.workflow.getHandle(id).describe()).runId,
      ]),
    );
    const runs = await collectRuns(client, started);
    await Promise.all(stops.map((stop) => stop()));
    await roles.close();
    await Promise.all([connection.close(), native.close(), ledger.dispose(), estate.dispose()]);
    await rm(scratch, { recursive: true, force: true });
    await replayAll(runs, inject('stack').workflowBundle);
  });
  return {
    estate,
    ledger,
    client,
    faults,
    blobs: await openBlobs(loaded, env),
    clone,
    remote,
    env,
    longhaul: (...args) => longhaulProcess(env, args, undefined, clone),
    replayed: (workflowId) => void named.push([workflowId, '']),
  };
}

async function run(options: WorkerOptions): Promise<() => Promise<void>> {
  const worker = await Worker.create({ ...options, shutdownGraceTime: '1 second' });
  const done = worker.run();
  return async () => {
    worker.shutdown();
    await done;
  };
}
