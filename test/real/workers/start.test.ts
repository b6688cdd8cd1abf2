import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { execa } from 'execa';
import { identify } from '../../../platform/process-identity.ts';
import { BIN, commandEnv } from '../../support/command.ts';
import { createEstate, type Estate } from '../../support/estate.ts';
import { recordedModules, recordingModules } from '../../support/recorded-modules.ts';
import { spawnWorkerProcess, startWorkerProcess, type WorkerProcess } from '../../support/worker-process.ts';

let estate: Estate;
let folder: string;
let worker: WorkerProcess | null = null;
/** Accepts connections and never answers. */
let silent: { readonly server: Server; readonly address: string; readonly connected: Promise<unknown> };

beforeAll(async () => {
  estate = await createEstate();
});
afterAll(() => estate.dispose());

/** A separate folder for the files of a worker, and a separate server that hangs. */
async function place(): Promise<{ LONGHAUL_CACHE_DIR: string; LONGHAUL_DATA_DIR: string }> {
  folder = await mkdtemp(join(tmpdir(), 'longhaul-worker-'));
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  silent = { server, address: `127.0.0.1:${port}`, connected: once(server, 'connection') };
  return { LONGHAUL_CACHE_DIR: join(folder, 'cache'), LONGHAUL_DATA_DIR: join(folder, 'data') };
}

afterEach(async () => {
  await worker?.kill();
  worker = null;
  silent.server.close();
  await rm(folder, { recursive: true, force: true });
});

/** Modules that only the role `repos` needs. */
const OF_REPOS =
  /^weaviate-client|^piscina|^activities\/(blobs|git|mgit|index)\/|^activities\/catalog\/(tools|planner)/;

test('a worker of the role `flows` starts without git, model and Weaviate, and does not load or open them', async () => {
  const folders = await place();
  const record = join(folder, 'modules');
  worker = await startWorkerProcess(estate, {
    env: {
      ...folders,
      ...recordingModules(record),
      PATH: join(folder, 'no-programs'),
      LONGHAUL_MODEL_DIR: join(folder, 'no-model'),
      WEAVIATE_URL: undefined,
      WEAVIATE_GRPC: undefined,
    },
    args: ['--roles', 'flows'],
    ownBundle: true,
  });
  const loaded = recordedModules(record);
  expect(loaded).toContain('activities/catalog/alerts.ts');
  expect([...loaded].filter((module) => OF_REPOS.test(module))).toEqual([]);
  expect(existsSync(folders.LONGHAUL_CACHE_DIR)).toBe(false);
  expect(existsSync(folders.LONGHAUL_DATA_DIR)).toBe(false);
  await worker.stop();
  expect(worker.ended()).toEqual({ code: 0, signal: null });
});

test('a worker of the role `pipelines` reads what it needs from its standard input, and has no secret in its environment', async () => {
  const folders = await place();
  const env = commandEnv(estate, {
    ...folders,
    GITHUB_TOKEN: 'ghp_canary',
    AWS_SECRET_ACCESS_KEY: 'canary',
    OTHER: 'canary',
  });
  const command = execa(process.execPath, [BIN, 'worker', '--roles', 'pipelines'], {
    env,
    extendEnv: false,
    reject: false,
  });
  let log = '';
  command.stderr.on('data', (data: Buffer) => (log += data.toString()));
  await vi.waitUntil(() => log.includes('"worker_ready"'), { timeout: 60_000 });
  const [pid] = readFileSync(`/proc/${command.pid}/task/${command.pid}/children`, 'utf8').split(' ');
  for (const file of ['environ', 'cmdline']) {
    const text = readFileSync(`/proc/${pid}/${file}`, 'utf8');
    expect(text).not.toMatch(/canary/);
    expect(text).not.toContain(env['TEMPORAL_ADDRESS']);
  }
  command.kill('SIGTERM');
  expect((await command).exitCode, log).toBe(0);
});

describe('a worker that is stopped before it is ready exits with 0', () => {
  test('while it connects to Temporal', async () => {
    const folders = await place();
    worker = spawnWorkerProcess(estate, { env: { ...folders, TEMPORAL_ADDRESS: silent.address } });
    await silent.connected;
    await worker.stop();
    expect(worker.ended(), worker.log()).toEqual({ code: 0, signal: null });
    expect(worker.log()).toContain('"worker_stopped"');
  });

  test('while it connects to Weaviate', async () => {
    const folders = await place();
    const env = { ...folders, WEAVIATE_URL: `http://${silent.address}`, WEAVIATE_GRPC: silent.address };
    worker = spawnWorkerProcess(estate, { env, args: ['--roles', 'repos'] });
    await silent.connected;
    await worker.stop();
    expect(worker.ended(), worker.log()).toEqual({ code: 0, signal: null });
    expect(worker.log()).not.toContain('"worker_failed"');
  });

  test('while it fetches its model, and leaves neither processes nor files', async () => {
    const folders = await place();
    const record = join(folder, 'modules');
    const programs = join(folder, 'programs');
    const pids = join(folder, 'pids');
    await mkdir(programs);
    // pip takes minutes, and so does its child process
    const script = `#!/bin/sh\n/bin/sleep 600 &\necho $$ $! > ${pids}.new\n/bin/mv ${pids}.new ${pids}\nwait\n`;
    await writeFile(join(programs, 'python3'), script, { mode: 0o755 });
    const env = { ...folders, ...recordingModules(record), PATH: programs, LONGHAUL_MODEL_DIR: undefined };
    worker = spawnWorkerProcess(estate, { env, args: ['--roles', 'repos'] });
    await vi.waitUntil(() => existsSync(pids), { timeout: 60_000 });
    // the modules that the test of the role `flows` excludes are loaded where they are needed
    expect([...recordedModules(record)].filter((module) => OF_REPOS.test(module))).not.toEqual([]);
    const left = readFileSync(pids, 'utf8').trim().split(' ').map(Number);
    expect(left.every(isRunning)).toBe(true);

    await worker.stop();
    expect(worker.ended(), worker.log()).toEqual({ code: 0, signal: null });
    expect(left.filter(isRunning)).toEqual([]);
    expect(await readdir(join(folders.LONGHAUL_CACHE_DIR, 'models'))).toEqual([]);
  });
});

/** A process that has ended may stay as a zombie until the first process of its container looks. */
function isRunning(pid: number): boolean {
  return identify(pid) !== null;
}
