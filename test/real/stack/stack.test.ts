import { execa } from 'execa';
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { connect } from 'node:http2';
import type { IncomingHttpHeaders } from 'node:http2';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Client, Connection } from '@temporalio/client';
import proto from '@temporalio/proto';
import { afterAll, afterEach, beforeAll, describe, expect, inject, test } from 'vitest';
import { ApiKey, connectToLocal } from 'weaviate-client';
import type { WeaviateClient } from 'weaviate-client';
import { loadConfig } from '../../../activities/shared/config.ts';
import { stackVariables } from '../../../client/core/stack-variables.ts';
import { withPostgres } from '../../../platform/postgres-client.ts';
import { isRunning } from '../../../platform/process-identity.ts';
import { findRunningStack, stopRunningStack } from '../../../stack/running-stack.ts';
import { keywordSlots, registerSearchAttributes, SEARCH_ATTRIBUTES } from '../../../stack/search-attributes.ts';
import { StackError } from '../../../stack/stack-error.ts';
import { startStack, StackRunningError } from '../../../stack/stack.ts';
import type { Stack } from '../../../stack/stack.ts';
import type { StackOptions } from '../../../stack/options.ts';
import { readState } from '../../../stack/state.ts';
import type { RecordedChild } from '../../../stack/state.ts';
import { startProxyServer } from '../../support/proxy-server.ts';

/** The first worker on a machine distils its model: minutes on a busy one. */
const COLD_START = 600_000;
/** Variables that may be in the environment of a process which runs programs of repositories. */
const HARMLESS =
  /^(?:PATH|HOME|USER|TMPDIR|TZ|LANG|SSL_CERT_(?:FILE|DIR)|GOMEMLIMIT|GOMAXPROCS|LONGHAUL_(?:STACK|LOG_LEVEL))$/;
const PROJECT = fileURLToPath(new URL('../../..', import.meta.url));

let folder: string;
let told: string[];
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'longhaul-stack-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** The environment without the developer's own servers. */
function environment(): NodeJS.ProcessEnv {
  const entries = Object.entries(process.env).filter(
    ([name]) => !/^(TEMPORAL|WEAVIATE|LONGHAUL)_|^DATABASE_URL$/.test(name),
  );
  return Object.fromEntries(entries);
}

function options(change: Partial<StackOptions> = {}): StackOptions {
  told = [];
  return {
    dataDir: join(folder, 'data'),
    cacheDir: inject('stack').cacheDir,
    env: environment(),
    needs: ['temporal', 'weaviate', 'postgres'],
    onProgress: ({ about, message }) => told.push(`${about}: ${message}`),
    ...change,
  };
}

function children(dataDir: string): RecordedChild[] {
  return [...readState(dataDir).children];
}

async function withClient<T>(stack: Stack, use: (client: Client) => Promise<T>): Promise<T> {
  const connection = await Connection.connect({ address: stack.temporal.address });
  try {
    return await use(new Client({ connection }));
  } finally {
    await connection.close();
  }
}

async function withWeaviate<T>(stack: Stack, use: (client: WeaviateClient) => Promise<T>): Promise<T> {
  const [host = '', port] = new URL(stack.weaviate.url).host.split(':');
  const client = await connectToLocal({
    host,
    port: Number(port),
    grpcPort: Number(stack.weaviate.grpc.split(':')[1]),
    authCredentials: new ApiKey(stack.weaviate.apiKey ?? ''),
  });
  try {
    return await use(client);
  } finally {
    await client.close();
  }
}

/** The gRPC status and message of a call with an empty request. */
async function grpcAnswer(address: string, method: string, key: string | null): Promise<string> {
  const session = connect(`http://${address}`);
  try {
    const call = session.request({
      ':method': 'POST',
      ':path': `/weaviate.v1.Weaviate/${method}`,
      'content-type': 'application/grpc',
      te: 'trailers',
      ...(key === null ? {} : { authorization: `Bearer ${key}` }),
    });
    const answer: IncomingHttpHeaders = {};
    const note = (headers: IncomingHttpHeaders): void => void Object.assign(answer, headers);
    call.on('response', note);
    call.on('trailers', note);
    call.end(Buffer.alloc(5));
    call.resume();
    await once(call, 'close');
    return `${String(answer['grpc-status'])} ${decodeURIComponent(String(answer['grpc-message'] ?? ''))}`;
  } finally {
    session.close();
  }
}

describe('the embedded servers', () => {
  let stack: Stack;
  beforeAll(async () => {
    stack = await startStack(options());
    await withClient(stack, ({ workflow }) =>
      workflow.start('waitsForEver', { workflowId: 'kept', taskQueue: 'nobody' }),
    );
    await withWeaviate(stack, async ({ collections }) => {
      const collection = await collections.create({
        name: 'Kept',
        properties: [{ name: 'word', dataType: 'text' as const }],
      });
      await collection.data.insert({ properties: { word: 'kept' }, vectors: [1, 0] });
    });
    await withPostgres(stack.postgres.url, (client) => client.query("CREATE TABLE kept AS SELECT 'kept' AS word"));
  });
  afterAll(() => stack.stop());

  /** A workflow, an object and a row that were created at the beginning still exist. */
  async function expectKept(): Promise<void> {
    const workflow = await withClient(stack, (client) => client.workflow.getHandle('kept').describe());
    expect(workflow.status.name).toBe('RUNNING');
    const { objects } = await withWeaviate(stack, ({ collections }) => collections.use('Kept').query.fetchObjects());
    expect(objects.map(({ properties }) => properties['word'])).toEqual(['kept']);
    const { rows } = await withPostgres(stack.postgres.url, (client) => client.query('SELECT word FROM kept'));
    expect(rows).toEqual([{ word: 'kept' }]);
  }

  test('keep their state, ports and key across a restart; a second start is refused', async () => {
    const before = { temporal: stack.temporal, weaviate: stack.weaviate, postgres: stack.postgres };
    for (const key of ['weaviate.key', 'postgres.key', 'ledger.key']) {
      expect(statSync(join(stack.dataDir, key)).mode & 0o777).toBe(0o600);
    }
    await expect(startStack(options())).rejects.toThrow(StackRunningError);
    await expect(startStack(options())).rejects.toThrow(`(process ${process.pid})`);
    const processes = children(stack.dataDir);
    await stack.stop();
    expect(processes.map(({ name }) => name).toSorted()).toEqual(['postgres', 'temporal', 'weaviate']);
    expect(processes.filter((child) => isRunning(child))).toEqual([]);
    expect(findRunningStack(stack.dataDir)).toBeNull();
    // the write version in the header of a SQLite file: 2 with a write-ahead log
    expect(readFileSync(join(stack.dataDir, 'temporal.db'))[18]).toBe(2);

    stack = await startStack(options());
    expect({ temporal: stack.temporal, weaviate: stack.weaviate, postgres: stack.postgres }).toEqual(before);
    await expectKept();
  });

  test('are found by a worker that is started on this machine, unless it is told of others', async () => {
    const { config } = loadConfig({ env: environment() });
    const { dataDir, temporal, weaviate } = stack;
    const env = environment();
    const { DATABASE_WRITER_URL: writer = '', ...found } = await stackVariables({ config, dataDir, env });
    expect(found).toEqual({
      TEMPORAL_ADDRESS: temporal.address,
      TEMPORAL_NAMESPACE: temporal.namespace,
      WEAVIATE_URL: weaviate.url,
      WEAVIATE_GRPC: weaviate.grpc,
      WEAVIATE_API_KEY: weaviate.apiKey,
    });
    // not the login of the owner
    expect(new URL(writer)).toMatchObject({ host: stack.postgres.address, username: 'longhaul_writer' });
    expect(await stackVariables({ config, dataDir, env: { ...env, TEMPORAL_ADDRESS: 'of.others:7233' } })).toEqual({});
    expect(await stackVariables({ config, dataDir: join(folder, 'none'), env })).toEqual({});
  });

  // Other systems have no second loopback address from the start.
  test.runIf(process.platform === 'linux')('answer nothing without the key, at any address', async () => {
    const { apiKey, grpc } = stack.weaviate;
    const port = grpc.split(':')[1] ?? '';
    const { weaviateData: data = 0 } = readState(stack.dataDir).ports;
    expect((await fetch(`${stack.weaviate.url}/v1/schema`)).status).toBe(401);
    const refusal = /unauthorized|anonymous access not enabled|invalid api key/i;
    for (const method of [
      'Search',
      'Aggregate',
      'TenantsGet',
      'BatchObjects',
      'BatchReferences',
      'BatchDelete',
      'BatchStream',
    ]) {
      expect(await grpcAnswer(`127.0.0.2:${port}`, method, null)).toMatch(refusal);
      expect(await grpcAnswer(`127.0.0.2:${port}`, method, 'guess')).toMatch(refusal);
      expect(await grpcAnswer(`127.0.0.1:${port}`, method, apiKey)).not.toMatch(refusal);
    }
    // The port where anyone could remove the node: no server answers there, and the node is intact.
    for (const host of ['127.0.0.1', '127.0.0.2']) {
      const asking = fetch(`http://${host}:${data}/v1/cluster/remove`, { method: 'POST', body: '{"node":"node1"}' });
      await expect(asking).rejects.toThrow('fetch failed');
    }
    await withWeaviate(stack, async ({ cluster, collections }) => {
      expect(await cluster.nodes()).toMatchObject([{ name: 'node1', status: 'HEALTHY' }]);
      const collection = await collections.create({
        name: 'Whole',
        properties: [{ name: 'word', dataType: 'text' as const }],
      });
      await collection.data.insertMany([{ properties: { word: 'whole' }, vectors: [0, 1] }]);
      expect((await collection.query.bm25('whole')).objects).toHaveLength(1);
      expect((await collection.query.nearVector([0, 1])).objects).toHaveLength(1);
      await collections.delete('Whole');
    });
    for (const user of ['longhaul', 'postgres']) {
      const guessed = stack.postgres.url.replace(/\/\/.*@/, `//${user}:guess@`);
      await expect(withPostgres(guessed, () => Promise.resolve())).rejects.toThrow(/password authentication failed/);
    }
    // Everything else listens only on 127.0.0.1, so that the system refuses another address.
    const { ports } = readState(stack.dataDir);
    const onAll = new Set([Number(port), data]);
    for (const other of Object.values(ports).filter((each) => !onAll.has(each))) {
      await expect(fetch(`http://127.0.0.2:${other}/`)).rejects.toMatchObject({ cause: { code: 'ECONNREFUSED' } });
    }
  });

  test('are restarted when they are killed', async () => {
    const { temporal } = stack;
    const killed = children(stack.dataDir);
    for (const { pid } of killed) process.kill(pid, 'SIGKILL');
    await expect.poll(() => told, { timeout: 30_000 }).toContain('temporal: is back');
    await expect.poll(() => told, { timeout: 30_000 }).toContain('weaviate: is back');
    await expect.poll(() => told, { timeout: 30_000 }).toContain('postgres: is back');
    expect(stack.temporal).toEqual(temporal);
    expect(children(stack.dataDir).map(({ pid }) => pid)).not.toEqual(killed.map(({ pid }) => pid));
    await expectKept();
  });
});

describe('a start', () => {
  let stack: Stack | null = null;
  afterEach(async () => {
    await stack?.stop();
  });

  test('that is aborted leaves nothing running', async () => {
    const abort = new AbortController();
    const starting = startStack(options({ signal: abort.signal, dataDir: join(folder, 'given-up') }));
    await expect.poll(() => findRunningStack(join(folder, 'given-up'))?.state.children.length).toBe(3);
    const processes = children(join(folder, 'given-up'));
    abort.abort();
    await expect(starting).rejects.toThrow(/aborted/);
    expect(processes.filter((child) => isRunning(child))).toEqual([]);
    stack = await startStack(options({ dataDir: join(folder, 'given-up') }));
  });

  test('with a port that is in use fails and names the port', async () => {
    const { temporalAddress } = inject('stack');
    const taken = Number(temporalAddress.split(':')[1]);
    const starting = startStack(options({ dataDir: join(folder, 'taken'), ports: { temporal: taken } }));
    await expect(starting).rejects.toThrow(`Port ${taken} (stack.temporalPort) is in use`);
    expect(readState(join(folder, 'taken'))).toMatchObject({ status: 'stopped', children: [] });
  });

  test('uses the servers of the user, and reports their problems', async () => {
    const { temporalAddress, weaviate: yours } = inject('stack');
    const env = {
      ...environment(),
      TEMPORAL_ADDRESS: temporalAddress,
      WEAVIATE_URL: yours.url,
      WEAVIATE_GRPC: yours.grpc,
      WEAVIATE_API_KEY: yours.apiKey ?? '',
    };
    const url = inject('stack').superuserUrl;
    stack = await startStack(options({ dataDir: join(folder, 'yours'), env: { ...env, DATABASE_URL: url } }));
    expect(stack.temporal).toMatchObject({ address: temporalAddress, source: 'yours' });
    expect(stack.weaviate).toMatchObject({ url: yours.url, apiKey: yours.apiKey, source: 'yours' });
    expect(stack.postgres).toMatchObject({ url, source: 'yours' });
    expect(children(stack.dataDir)).toEqual([]);
    const refused = { ...env, WEAVIATE_API_KEY: 'wrong' };
    await expect(startStack(options({ dataDir: join(folder, 'refused'), env: refused }))).rejects.toThrow(
      /refuses the API key/,
    );
    const absent = { ...env, TEMPORAL_ADDRESS: '127.0.0.1:1' };
    await expect(startStack(options({ dataDir: join(folder, 'absent'), env: absent }))).rejects.toThrow(
      'No Temporal server answers at 127.0.0.1:1',
    );
  });
});

test('search attributes are registered once; a server without room for them is named', async () => {
  const connection = await Connection.connect({ address: inject('stack').temporalAddress });
  try {
    expect((await keywordSlots(connection, 'default')).missing).toEqual([]);
    await registerSearchAttributes(connection, 'default');

    const namespace = `full-${Date.now()}`;
    const seconds = proto.google.protobuf.Duration.create({ seconds: 86_400 as never });
    await connection.workflowService.registerNamespace({ namespace, workflowExecutionRetentionPeriod: seconds });
    const fill = Object.fromEntries(Array.from({ length: 9 }, (_, index) => [`Taken${index}`, 2]));
    await expect
      .poll(
        () => connection.operatorService.addSearchAttributes({ namespace, searchAttributes: fill }).catch(() => null),
        {
          timeout: 20_000,
        },
      )
      .not.toBeNull();
    const registering = registerSearchAttributes(connection, namespace);
    await expect(registering).rejects.toThrow(StackError);
    await expect(registering).rejects.toThrow(`${SEARCH_ATTRIBUTES.join(' and ')} could not be registered`);
    await expect(registering).rejects.toThrow('search-attribute remove');
  } finally {
    await connection.close();
  }
});

describe('longhaul up, down, status and doctor', () => {
  let dataDir: string;
  let proxies: NodeJS.ProcessEnv = {};
  let secrets: NodeJS.ProcessEnv = {};
  beforeAll(() => {
    dataDir = join(folder, 'cli');
  });
  afterAll(async () => {
    await stopRunningStack(dataDir);
  });

  function environmentOfCli(): NodeJS.ProcessEnv {
    const { cacheDir } = inject('stack');
    return {
      ...environment(),
      ...proxies,
      ...secrets,
      LONGHAUL_CACHE_DIR: cacheDir,
      LONGHAUL_DATA_DIR: dataDir,
      NO_COLOR: '1',
    };
  }

  async function longhaul(...args: string[]): Promise<{ code: number | null; stdout: string; stderr: string }> {
    // not the product's runner, which ends everything that a program leaves behind: `up --detach` must leave the stack
    const { exitCode, stdout, stderr } = await execa(process.execPath, ['client/bin.ts', ...args], {
      cwd: PROJECT,
      env: environmentOfCli(),
      extendEnv: false,
      reject: false,
      stripFinalNewline: false,
      stdin: 'ignore',
      timeout: COLD_START,
    });
    return { code: exitCode ?? null, stdout, stderr };
  }

  test(
    'a detached stack starts, is not started twice, is reported as healthy, and stops, whatever proxies there are',
    { timeout: COLD_START },
    async () => {
      const proxy = await startProxyServer({ port: 1 });
      const names = ['http_proxy', 'https_proxy', 'all_proxy', 'grpc_proxy'].flatMap((name) => [
        name,
        name.toUpperCase(),
      ]);
      proxies = Object.fromEntries(names.map((name) => [name, proxy.url.replace('//', '//me:secret@')]));
      secrets = { GITHUB_TOKEN: 'ghp_canary', AWS_SECRET_ACCESS_KEY: 'canary', ANYTHING_ELSE: 'canary' };
      const first = await longhaul('up', '--detach');
      expect(first.stderr).toMatch(/worker: ready/);
      expect(first).toMatchObject({ code: 0 });
      expect(first.stdout).toMatch(/Temporal UI\s+http:\/\/127\.0\.0\.1:\d+/);

      const again = await longhaul('up', '--detach');
      expect(again).toMatchObject({ code: 0, stdout: first.stdout });
      expect(again.stderr).toMatch(/already running on .*, by process \d+/);
      expect(await longhaul('up')).toMatchObject({ code: 3, stdout: first.stdout });

      const status = await longhaul('status', '--json');
      expect(status.code).toBe(0);
      expect(JSON.parse(status.stdout)).toMatchObject({ status: 'running', temporal: { namespace: 'default' } });

      const doctor = await longhaul('doctor', '--json');
      const { findings } = JSON.parse(doctor.stdout) as { findings: { name: string; ok: boolean; found: string }[] };
      expect(findings.filter(({ ok }) => !ok)).toEqual([]);
      expect(findings).toContainEqual(
        expect.objectContaining({ name: 'task queue longhaul-repos', found: '1 worker polling' }),
      );
      expect(findings).toContainEqual(expect.objectContaining({ name: 'blob store', ok: true }));
      expect(findings).toContainEqual({
        name: 'proxy',
        ok: true,
        found: 'in the environment, for no forge',
        remedy: null,
      });
      // nothing of ours passes a proxy: Temporal and Weaviate, over gRPC and HTTP, of command line, supervisor and worker
      expect(proxy.log).toEqual([]);
      expect(doctor.code).toBe(0);

      expect(findings).toContainEqual(
        expect.objectContaining({ name: 'task queue longhaul-pipelines', found: '1 worker polling' }),
      );
      const processes = children(dataDir);
      const ofPipelines = processes.find(({ name }) => name === 'pipelines');
      const variables = readFileSync(`/proc/${ofPipelines?.pid}/environ`, 'utf8').split('\0').slice(0, -1);
      const known = variables.map((variable) => variable.split('=', 1)[0] ?? '');
      expect(known).toEqual(expect.arrayContaining(['PATH', 'LONGHAUL_STACK']));
      expect(known.filter((name) => !HARMLESS.test(name))).toEqual([]);
      expect(variables.join('\n')).not.toMatch(/canary|secret|127\.0\.0\.1/);

      expect(await longhaul('down')).toMatchObject({
        code: 0,
        stdout: 'Stopped: pipelines, postgres, temporal, weaviate, worker.\n',
      });
      expect(processes.filter((child) => isRunning(child))).toEqual([]);
      const nothing = await longhaul('down');
      expect(nothing).toMatchObject({ code: 0 });
      expect(nothing.stdout).toMatch(/^Nothing is running/);
      expect((await longhaul('status')).code).toBe(1);
      proxies = {};
      secrets = {};
      const ill = await longhaul('doctor');
      expect(ill.code).toBe(1);
      expect(ill.stdout).toContain('Start it with `longhaul up`.');
    },
  );

  test(
    'programs of a killed supervisor are stopped by the next one; Ctrl-C stops all',
    { timeout: COLD_START },
    async () => {
      const first = foreground();
      await ready(first);
      const left = children(dataDir);
      first.kill('SIGKILL');
      await once(first, 'exit');
      expect(left.filter((child) => isRunning(child))).toHaveLength(5);

      const second = foreground();
      const said = await ready(second);
      expect(said).toMatch(/stopped programs that a killed run had left: .*temporal/);
      expect(left.filter((child) => isRunning(child))).toEqual([]);
      const processes = children(dataDir);
      expect(processes).toHaveLength(5);
      second.kill('SIGINT');
      expect(await once(second, 'exit')).toEqual([0, null]);
      expect(processes.filter((child) => isRunning(child))).toEqual([]);
    },
  );

  function foreground(): ChildProcess {
    return spawn(process.execPath, ['client/bin.ts', 'up'], {
      cwd: PROJECT,
      env: environmentOfCli(),
      stdio: ['ignore', 'ignore', 'pipe'],
    });
  }
});

/** Its output until it was ready. */
async function ready(child: ChildProcess): Promise<string> {
  let said = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => (said += text));
  await expect.poll(() => child.exitCode ?? said, { timeout: COLD_START }).toMatch(/Ctrl-C stops/);
  return said;
}
