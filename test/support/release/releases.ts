import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { json } from 'node:stream/consumers';
import { Client, Connection } from '@temporalio/client';
import { NativeConnection, Worker, type WorkerOptions } from '@temporalio/worker';
import { pino } from 'pino';
import { Registry } from 'prom-client';
import { inject, test as base } from 'vitest';
import type { BlobStore } from '../../../activities/blobs/blob-store.ts';
import { openBlobs } from '../../../activities/blobs/open-blobs.ts';
import { loadConfig } from '../../../activities/shared/config.ts';
import { createForgeActivities } from '../../../activities/forges/forge-activities.ts';
import { type Forges, openForges } from '../../../activities/forges/open-forge.ts';
import { openMgit } from '../../../activities/mgit/open-mgit.ts';
import { gateRoles } from '../../../activities/gates/roles.ts';
import { openCommitsRole } from '../../../activities/release/commits-role.ts';
import { newKeyFile } from '../../../activities/release/deployment/sealed.ts';
import { releaseRoles } from '../../../activities/release/roles.ts';
import type { Role } from '../../../domain/shared/roles.ts';
import type { WingRole, WorkerStart } from '../../../activities/shared/wing-role.ts';
import { activityWorker, flowsWorker, openRoles } from '../../../workers/roles.ts';
import { commandEnv, type Ended, longhaul } from '../command.ts';
import { createEstate, type Estate } from '../estate.ts';
import { createTestLedger, type TestLedger } from '../ledger.ts';
import { openNamespace } from '../impatient.ts';
import '../quiet-runtime.ts';
import type { WritePlace } from '../forges/write-place.ts';
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
  /** The forge of the repository. */
  readonly forge: {
    /** Null: the provider is a folder. */
    place: WritePlace | null;
  };
  /** Receives what is announced to the channel `chat`. */
  readonly chat: Chat;
  /** A clone in which a person works. */
  readonly clone: string;
  /** The bare repository. */
  readonly remote: string;
  /** The environment of the command line. */
  readonly env: Readonly<Record<string, string>>;
  /** Runs the command line in the clone, in this process. */
  longhaul(...args: string[]): Promise<Ended>;
  /** Replays a run at the end of the test. */
  replayed(workflowId: string): void;
}

/** A receiver of announcements. */
export interface Chat {
  /** The bodies that it took so far. */
  readonly said: readonly Readonly<Record<string, unknown>>[];
  /** The bodies that it did not take. */
  readonly refused: readonly Readonly<Record<string, unknown>>[];
  /** The status of its answers. */
  status: number;
}

/** The id of the repository. */
export const REPOSITORY = 'local/acme/api';

/** Announces promotions to the channel `chat`. */
const TO_CHAT = {
  alerts: { channels: [{ name: 'chat', type: 'webhook', urlEnv: 'CHAT_URL' }] },
  release: { announce: ['chat'] },
};

const ROLES: readonly Role[] = ['repos', 'ledger', 'pipelines', 'deploy'];

/**
 * The tests of releases: each file has a repository, a ledger, and workers of all roles in a namespace of its own. The
 * runs that the tests name are replayed at the end. The clone is the working folder of the process meanwhile: its
 * commands run in this process, and files of one process run one after another.
 */
export const test = releaseTest();

/** {@link test} with further sections of the configuration, workers of these roles only, and further variables of them. */
export function releaseTest(
  settings: object = {},
  served: readonly Role[] = ROLES,
  variables: Readonly<Record<string, string>> = {},
) {
  return base.extend('release', { scope: 'file' }, async ({}, { onCleanup }) =>
    openRelease(settings, { served, variables }, onCleanup),
  );
}

async function openRelease(
  settings: object,
  { served, variables }: { readonly served: readonly Role[]; readonly variables: Readonly<Record<string, string>> },
  onCleanup: (close: () => Promise<void>) => void,
): Promise<Release> {
  const address = inject('stack').temporalAddress;
  const namespace = `release-${randomUUID()}`;
  const [connection, native] = await Promise.all([
    Connection.connect({ address }),
    NativeConnection.connect({ address }),
  ]);
  await openNamespace(connection, namespace);
  const scratch = await mkdtemp(join(tmpdir(), 'longhaul-release-'));
  const { chat, url, close: closeChat } = await startChat();
  const key = join(scratch, 'deploy.key');
  await writeFile(key, await newKeyFile(), { mode: 0o600 });
  const estate = await createEstate({
    indexName: 'Unused',
    settings: { ...TO_CHAT, ...settings, deploy: { key, ...(settings as { readonly deploy?: object }).deploy } },
  });
  const ledger = await createTestLedger();
  await estate.create('acme/api', { 'README.md': 'an api\n' });
  const remote = estate.gitDir('acme/api');
  const clone = join(scratch, 'clone');
  git(scratch, 'clone', '--quiet', remote, clone);
  const folder = process.cwd();
  process.chdir(clone);
  const client = new Client({ connection, namespace });
  const env = commandEnv(estate, {
    TEMPORAL_NAMESPACE: namespace,
    DATABASE_URL: ledger.logins.owner,
    GIT_CONFIG_GLOBAL: '/dev/null',
    CHAT_URL: url,
  });
  const loaded = loadConfig({ path: estate.configPath, env });
  const forge: Release['forge'] = { place: null };
  const roles = await openRoles([...withForge(forge), ...gateRoles], served, {
    loaded,
    env: { ...env, ...variables },
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
    ...served.map((role) => {
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
    process.chdir(folder);
    await Promise.all(stops.map((stop) => stop()));
    await roles.close();
    await Promise.all([connection.close(), native.close(), ledger.dispose(), estate.dispose(), closeChat()]);
    await rm(scratch, { recursive: true, force: true });
    await replayAll(runs, inject('stack').workflowBundle);
  });
  return {
    estate,
    ledger,
    client,
    faults,
    forge,
    chat,
    blobs: await openBlobs(loaded, env),
    clone,
    remote,
    env,
    longhaul: (...args) => longhaul(env, args),
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

/** The roles of releases, and what all flows write to forges, whose forge a test may set. */
function withForge(forge: Release['forge']): readonly WingRole[] {
  const forgesOf = ({ loaded, env }: WorkerStart): Forges => {
    const own = openForges(loaded.config.providers, env);
    return { of: (repository) => forge.place?.open() ?? own.of(repository) };
  };
  return [
    ...releaseRoles.map((role): WingRole =>
      role.role === 'repos' ? { role: 'repos', open: (start) => openCommitsRole(start, forgesOf(start)) } : role,
    ),
    {
      role: 'repos',
      open: async (start) => {
        const { loaded, env } = start;
        const blobs = await openBlobs(loaded, env);
        return { activities: createForgeActivities({ mgit: openMgit(loaded, env), forges: forgesOf(start), blobs }) };
      },
    },
  ];
}

async function startChat(): Promise<{ readonly chat: Chat; readonly url: string; close(): Promise<void> }> {
  const said: Record<string, unknown>[] = [];
  const refused: Record<string, unknown>[] = [];
  const chat: Chat = { said, refused, status: 200 };
  const hear = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const body = await json(request);
    (chat.status === 200 ? said : refused).push(body as Record<string, unknown>);
    response.writeHead(chat.status).end();
  };
  const server = createServer((request, response) => {
    hear(request, response).catch((error: Error) => response.destroy(error));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    chat,
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: async () => {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}
