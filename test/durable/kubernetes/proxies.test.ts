import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createClusters } from '../../../activities/kubernetes/cluster.ts';
import { createKubectl, type Kubectl } from '../../../activities/kubernetes/kubectl.ts';
import { createKubectlProxies } from '../../../activities/kubernetes/kubectl-proxies.ts';
import type { KubernetesObject } from '../../../domain/kubernetes/object.ts';
import { type ReceivedQuestion, type ScriptedAnswer, startApiServer } from '../../support/kubernetes/api-server.ts';
import { CLUSTER_BUILD_MS, kubectlProgram } from '../../support/kubernetes/programs.ts';
import { makeAuthority, type PrivateAuthority } from '../../support/private-authority.ts';

const VERSION = { method: 'GET', path: '/version' } as const;
const KINDS = {
  resources: [
    { name: 'configmaps', kind: 'ConfigMap', namespaced: true },
    { name: 'secrets', kind: 'Secret', namespaced: true },
  ],
};
const SETTINGS: KubernetesObject = {
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name: 'settings', namespace: 'shop' },
};

describe('questions through kubectl proxy', { timeout: 120_000 }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'longhaul-proxies-'));
  const kubeconfig = join(folder, 'config');
  // the sockets of this test's proxies are found here
  const temporary = join(folder, 'tmp');
  let program: string;
  let authority: PrivateAuthority;
  let kubectl: Kubectl;
  let answer: (question: ReceivedQuestion) => ScriptedAnswer | Promise<ScriptedAnswer>;
  let server: Awaited<ReturnType<typeof startApiServer>>;
  const env = { ...process.env, TMPDIR: temporary };

  beforeAll(async () => {
    program = await kubectlProgram();
    authority = makeAuthority(folder);
  }, CLUSTER_BUILD_MS);
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  beforeEach(async () => {
    mkdirSync(temporary, { recursive: true });
    answer = () => ({ body: {} });
    server = await startApiServer(authority, (question) => answer(question));
    await server.writeKubeconfig(kubeconfig, 'first');
    kubectl = createKubectl({ program, kubeconfig, env });
  });
  afterEach(async () => {
    server.close();
    for (const pid of proxies()) process.kill(pid, 'SIGKILL');
    await expect.poll(() => readdirSync(temporary), { timeout: 30_000 }).toEqual([]);
  });

  /** The processes of kubectl that serve a socket of this test. */
  function proxies(): readonly number[] {
    const lines = execFileSync('ps', ['-eo', 'pid=,args=']).toString().split('\n');
    return lines.filter((line) => line.includes(`--unix-socket=${temporary}`)).map((line) => Number.parseInt(line, 10));
  }
  const tokens = (): readonly unknown[] => server.questions.map(({ authorization }) => authorization);

  test('start one kubectl for a context, whose socket only its user can reach', async () => {
    await Promise.all(Array.from({ length: 40 }, () => kubectl.ask('staging', VERSION)));
    expect(proxies()).toHaveLength(1);
    expect(tokens()).toEqual(Array.from({ length: 40 }, () => 'Bearer first'));
    const [socket = ''] = readdirSync(temporary);
    expect(statSync(join(temporary, socket)).mode & 0o777).toBe(0o700);
  });

  test('never change anything', async () => {
    await kubectl.ask('staging', VERSION);
    const [socket = ''] = readdirSync(temporary);
    const curl = ['-s', '-o', '/dev/null', '-w', '%{http_code}', '--unix-socket', join(temporary, socket, 'api')];
    for (const method of ['PUT', 'DELETE']) {
      expect(execFileSync('curl', [...curl, '-X', method, 'http://localhost/api/v1/pods']).toString()).toBe('403');
    }
    expect(server.questions).toHaveLength(1);
  });

  test('use credentials that were replaced, and a proxy in the place of one that has ended', async () => {
    await kubectl.ask('staging', VERSION);
    await server.writeKubeconfig(kubeconfig, 'a second one');
    await kubectl.ask('staging', VERSION);
    expect(tokens()).toEqual(['Bearer first', 'Bearer a second one']);
    await expect.poll(proxies, { timeout: 30_000 }).toHaveLength(1);
    for (const pid of proxies()) process.kill(pid, 'SIGKILL');
    await Promise.all([kubectl.ask('staging', VERSION), kubectl.ask('staging', VERSION)]);
    expect(server.questions).toHaveLength(4);
  });

  test('ask once more when the server does not know them, and when it is busy', async () => {
    const refused = { status: 401, body: { kind: 'Status', reason: 'Unauthorized', message: 'Unauthorized' } };
    answer = () => (server.questions.length === 1 ? refused : { body: { is: 'known' } });
    expect(await kubectl.ask('staging', VERSION)).toEqual({ is: 'known' });
    answer = () => refused;
    await expect(kubectl.ask('staging', VERSION)).rejects.toMatchObject({ type: 'AuthenticationFailed' });
    expect(server.questions).toHaveLength(4);
    const busy = { status: 429, headers: { 'retry-after': '1' }, body: {} };
    answer = () => (server.questions.length === 5 ? busy : { body: {} });
    expect(await kubectl.ask('staging', VERSION)).toEqual({});
    expect(server.questions).toHaveLength(6);
  });

  test('fail by name', async () => {
    await expect(kubectl.ask('nowhere', VERSION)).rejects.toMatchObject({ type: 'InvalidConfiguration' });
    const missing = createKubectl({ program: '/nowhere/kubectl', kubeconfig, env });
    await expect(missing.ask('staging', VERSION)).rejects.toMatchObject({ type: 'KubectlUnusable' });
    const forbidden = { kind: 'Status', reason: 'Forbidden', message: 'pods is forbidden' };
    answer = () => ({ status: 403, body: forbidden });
    await expect(kubectl.ask('staging', VERSION)).rejects.toMatchObject({
      type: 'ClusterForbids',
      message: 'kubectl get in the context staging: Error from server (Forbidden): pods is forbidden',
    });
    answer = () => ({ status: 404, body: { kind: 'Status', reason: 'NotFound', message: 'no' } });
    expect(await kubectl.ask('staging', VERSION)).toBeNull();
    server.close();
    await expect(kubectl.ask('staging', VERSION)).rejects.toMatchObject({ type: 'ClusterUnavailable' });
    const stopped = AbortSignal.abort(new Error('enough'));
    await expect(kubectl.ask('staging', { ...VERSION, signal: stopped })).rejects.toThrow('enough');
  });

  test('do not wait for a kubectl that does not begin', async () => {
    const stuck = join(folder, 'stuck');
    writeFileSync(stuck, '#!/bin/sh\nexec sleep 600\n', { mode: 0o700 });
    const late = createKubectlProxies({ program: stuck, env: { ...env, KUBECONFIG: kubeconfig }, timeoutMs: 1_000 });
    await expect(late.ask('staging', VERSION)).rejects.toThrow('it did not start within 1 seconds');
    const ending = AbortSignal.timeout(200);
    await expect(late.ask('staging', { ...VERSION, signal: ending })).rejects.toThrow(/timeout/u);
    // one that has begun is not ended by that limit
    const served = createKubectlProxies({ program, env: { ...env, KUBECONFIG: kubeconfig }, timeoutMs: 2_000 });
    await served.ask('staging', VERSION);
    const begun = proxies();
    await delay(2_500);
    expect(proxies()).toEqual(begun);
    for (const pid of begun) process.kill(pid, 'SIGKILL');
    await expect.poll(() => readdirSync(temporary), { timeout: 30_000 }).toEqual([]);
  });

  test('get lists in pages, and previews without the values of Secrets', async () => {
    const all = Array.from({ length: 1_100 }, (_each, at) => ({ metadata: { name: `c${at}` } }));
    answer = ({ path }) => {
      const { pathname, searchParams } = new URL(path, 'http://server');
      if (pathname === '/api/v1') return { body: KINDS };
      const from = Number(searchParams.get('continue') ?? 0);
      const to = from + Number(searchParams.get('limit'));
      return { body: { metadata: to < all.length ? { continue: `${to}` } : {}, items: all.slice(from, to) } };
    };
    const cluster = createClusters(kubectl)('staging');
    const found = await cluster.list('configmaps', 'shop', 'app=api');
    expect(found).toEqual(all.map((each) => ({ ...each, apiVersion: 'v1', kind: 'ConfigMap' })));
    expect(server.questions).toHaveLength(4);
    expect(server.questions[1]?.path).toMatch(/^\/api\/v1\/namespaces\/shop\/configmaps\?.*labelSelector=app%3Dapi/u);

    const fields = Array.from({ length: 400 }, (_each, at) => ({ field: `.data.key${at}`, manager: 'helm' }));
    const list = fields.map(({ field }) => `- ${field}`).join('\n');
    const message = `Apply failed with 400 conflicts: conflicts with "helm" using v1:\n${list}`;
    answer = () => ({ status: 409, body: { kind: 'Status', reason: 'Conflict', message } });
    expect(await cluster.preview(SETTINGS)).toEqual({ conflicts: fields });
    expect(server.questions.at(-1)).toMatchObject({ method: 'PATCH', contentType: 'application/apply-patch+yaml' });
    expect(server.questions.at(-1)?.path).toContain('dryRun=All');

    const secret = { ...SETTINGS, kind: 'Secret', stringData: { key: 'correct-horse' } };
    answer = () => ({
      status: 422,
      body: { kind: 'Status', reason: 'Invalid', message: 'Invalid value: "correct-horse"' },
    });
    const preview = await cluster.preview(secret);
    expect(preview).toMatchObject({ refused: expect.stringContaining('Invalid value') as string });
    expect(JSON.stringify(preview)).not.toContain('correct-horse');
  });

  test('leave no process and no folder when their own process is killed', async () => {
    const asking = new URL('../../support/kubernetes/asking-process.ts', import.meta.url).pathname;
    const child = spawn(process.execPath, [asking], {
      env: { ...env, ASKING_KUBECTL: program, ASKING_CONFIG: kubeconfig },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await once(child.stdout, 'data');
    expect(proxies()).toHaveLength(1);
    child.kill('SIGKILL');
    await expect.poll(proxies, { timeout: 30_000 }).toEqual([]);
    await expect.poll(() => readdirSync(temporary), { timeout: 30_000 }).toEqual([]);
  });
});
