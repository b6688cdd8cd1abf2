import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { afterAll, beforeAll, describe, expect, inject, onTestFinished, test } from 'vitest';
import { newKeyFile } from '../../../activities/release/deployment/sealed.ts';
import { commandEnv, type Ended, longhaulProcess } from '../../support/command.ts';
import { createEstate } from '../../support/estate.ts';
import { startGatewayProcess } from '../../support/gateway.ts';
import { openNamespace } from '../../support/impatient.ts';
import type { Cluster } from '../../support/kubernetes/cluster.ts';
import { type Manifest, serviceOf, workload } from '../../support/kubernetes/manifests.ts';
import { CLUSTER_BUILD_MS } from '../../support/kubernetes/programs.ts';
import { createTestLedger } from '../../support/ledger.ts';
import { clusterFolder, clusterIn, deploymentsIn, manifestsIn, releasedAs } from '../../support/release/deployments.ts';
import { contentsOf, formsOf, historiesOf, rowsOf } from '../../support/secret-search.ts';
import { git } from '../../support/scratch-git.ts';
import { startWorkerProcess } from '../../support/worker-process.ts';

/** Secrets of the deployment, with characters that encodings change. */
const SECRETS = {
  /** In the Secret of the release that stays, and of the one that is undone. */
  OLD_PASSWORD: 'old+Password of/the-Shop~0123456789',
  NEW_PASSWORD: 'new+Password of/the-Shop~9876543210',
  /** In Secrets that the server refuses: a number, and a mapping, where a text belongs. */
  PIN: '48151623421089',
  NESTED: 'nested+Password of/the-Shop~5555555555',
  /** In a manifest that is no YAML. */
  BROKEN: 'broken+Password~of/the-Shop-4444444444',
  /** A hook's, and a health check's. */
  HOOK_TOKEN: 'hook+Token of/the-Shop~77777777',
  CHECK_TOKEN: 'check+Token of/the-Shop~88888888',
};
type Name = keyof typeof SECRETS;
const SHOWN: ReadonlySet<string> = new Set(['HOOK_TOKEN', 'CHECK_TOKEN']);

/** Prints a secret in several forms, as a careless program does. */
const careless = (name: string, last = 'true'): string =>
  JSON.stringify([
    'bash',
    '-c',
    `test -n "$${name}"; echo "marker-of-${name} $${name}"; printf 'x%s' "$${name}" | base64; ${last}`,
  ]);

function environments(service: string): string {
  return `
environments:
  - name: staging
    context: test
    namespace: shop
    watch: 4s
    failed_checks: 2
    services:
      api:
        manifests: {command: "bash k8s/render"}
        ready: 60s
        hooks:
          before: [{name: migrate, run: ${careless('HOOK_TOKEN')}, down: {run: ${careless('HOOK_TOKEN')}}, secrets: [HOOK_TOKEN], network: false}]
        health:
          - {name: front page, http: "${service}/shop/api/", interval: 1s}
          - {name: login, run: ${careless('CHECK_TOKEN', 'test ! -e bad')}, secrets: [CHECK_TOKEN], network: false, interval: 1s}
`;
}

const reversed = (text: string): string => text.split('').toReversed().join('');

/** The repository has the values written backwards: only what is rendered has them. */
const RENDER = `#!/usr/bin/env bash
set -euo pipefail
text=$(cat k8s/all.yaml)
while read -r name value; do text=\${text//@$name@/$(rev <<<"$value")}; done <k8s/values
echo "$text"
`;
const VALUES = Object.entries(SECRETS)
  .filter(([name]) => !SHOWN.has(name))
  .map(([name, value]) => `${name} ${reversed(value)}\n`)
  .join('');
const files = (...objects: readonly Manifest[]): Readonly<Record<string, string>> => {
  const { 'k8s/all.yaml': text = '' } = manifestsIn('k8s', ...objects);
  // a number has no quotation marks
  return { 'k8s/all.yaml': text.replace('"@PIN@"', '@PIN@') };
};
const login = (more: object): Manifest => ({ apiVersion: 'v1', kind: 'Secret', metadata: { name: 'login' }, ...more });
const api = (image: string): readonly Manifest[] => [serviceOf('api'), workload('Deployment', 'api', image)];
const place = clusterFolder();

describe('a deployment', { timeout: 600_000 }, () => {
  let cluster: Cluster;

  beforeAll(async () => {
    cluster = await clusterIn(place.folder);
  }, CLUSTER_BUILD_MS);

  afterAll(async () => {
    await cluster?.stop();
    place.remove();
  });

  test('leaves no secret in histories, logs, ledger, blobs, reports, pages or arguments of programs', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'longhaul-secrets-'));
    const key = join(folder, 'deploy.key');
    await writeFile(key, await newKeyFile(), { mode: 0o600 });
    const service = cluster.service ?? '';
    const estate = await createEstate({
      indexName: 'Unused',
      settings: {
        deploy: {
          key,
          kubeconfig: place.kubeconfig,
          contexts: { test: { repositories: ['local/acme/*'], addresses: [service] } },
        },
        pipelines: {
          secrets: Object.fromEntries(
            [...SHOWN].map((name) => [name, { valueEnv: name, repositories: ['local/acme/api'] }]),
          ),
        },
      },
    });
    const ledger = await createTestLedger();
    const { temporalAddress: address } = inject('stack');
    const connection = await Connection.connect({ address });
    const namespace = `secrets-of-deployments-${process.pid}`;
    await openNamespace(connection, namespace);
    const client = new Client({ connection, namespace });
    onTestFinished(async () => {
      await Promise.all([connection.close(), ledger.dispose(), estate.dispose()]);
      await rm(folder, { recursive: true, force: true });
    });
    await estate.create('acme/api', { 'README.md': 'an api\n' });
    const clone = join(folder, 'clone');
    git(folder, 'clone', '--quiet', estate.gitDir('acme/api'), clone);

    const startsFile = join(folder, 'starts');
    const common = {
      PATH: cluster.env.PATH,
      NODE_OPTIONS: `--import=${new URL('../../support/recorded-starts.ts', import.meta.url).href}`,
      RECORDED_STARTS: startsFile,
      TEMPORAL_NAMESPACE: namespace,
      LONGHAUL_CACHE_DIR: join(folder, 'cache'),
      GIT_CONFIG_GLOBAL: '/dev/null',
    };
    const own = { ...common, DATABASE_URL: ledger.logins.owner };
    const { HOOK_TOKEN, CHECK_TOKEN } = SECRETS;
    const [gateway, ...workers] = await Promise.all([
      startGatewayProcess(estate, {}, { ...common, DATABASE_READER_URL: ledger.logins.reader }),
      startWorkerProcess(estate, { env: own, args: ['--roles', 'flows,repos,ledger,deploy'] }),
      startWorkerProcess(estate, { env: { ...common, HOOK_TOKEN, CHECK_TOKEN }, args: ['--roles', 'pipelines'] }),
    ]);
    onTestFinished(async () => void (await Promise.all(workers.map((worker) => worker.kill()))));
    const outputs: string[] = [];
    const longhaul = async (...args: string[]): Promise<Ended> => {
      const ended = await longhaulProcess(commandEnv(estate, own), args, undefined, clone);
      outputs.push(ended.stdout, ended.stderr);
      return ended;
    };
    const deploy = async (version: string, more: Readonly<Record<string, string>>): Promise<Ended> => {
      await releasedAs({ clone, ledger }, version, more);
      const dryRun = await longhaul('deploy', version, '--env', 'staging', '--dry-run');
      const ended = await longhaul('deploy', version, '--env', 'staging');
      return { ...ended, stdout: dryRun.stdout };
    };

    const first = await deploy('v1.0.0', {
      '.longhaul/environments.yaml': environments(service),
      'k8s/render': RENDER,
      'k8s/values': VALUES,
      ...files(login({ stringData: { password: '@OLD_PASSWORD@' } }), ...api('api:1')),
    });
    expect([first.exitCode, first.stderr]).toEqual([0, expect.any(String)]);
    expect(first.stdout).toContain('(secret ');
    const held = await cluster.kubectl(['get', 'secret/login', '-n', 'shop', '-o', 'jsonpath={.data.password}']);
    expect(Buffer.from(held, 'base64').toString()).toBe(SECRETS.OLD_PASSWORD);

    // it is undone: its health check fails
    const changed = login({ stringData: { password: '@NEW_PASSWORD@' } });
    const second = await deploy('v1.1.0', { ...files(changed, ...api('api:2')), bad: '' });
    expect([second.exitCode, second.stderr]).toEqual([11, expect.stringContaining('2 times in a row')]);
    expect(second.stdout).toContain('(secret ');

    // the server refuses what is no text, and quotes it
    for (const [version, value] of [
      ['v1.2.0', '@PIN@'],
      ['v1.2.1', { more: '@NESTED@' }],
    ] as const) {
      const wrong = await deploy(version, files(login({ stringData: { password: value } }), ...api('api:3')));
      expect([version, wrong.exitCode, wrong.stderr]).toEqual([version, 9, expect.stringContaining('(secret)')]);
    }
    const wrong = await deploy('v1.3.0', { 'k8s/all.yaml': 'kind: Secret\nstringData: {a: "b" @BROKEN@\n' });
    expect([wrong.exitCode, wrong.stderr]).toEqual([9, expect.stringMatching(/:[23]: /)]);

    const deployments = await deploymentsIn({ ledger }, 'staging');
    const pages: string[] = [];
    const reports: string[] = [];
    for (const { id } of deployments) {
      await longhaul('deployments', 'show', id);
      await longhaul('deployments', 'show', id, '--json');
      await longhaul('deployments', 'diff', id);
      await longhaul('deployments', 'report', id, '--output', `${id}.html`);
      reports.push(readFileSync(join(clone, `${id}.html`), 'utf8'));
      pages.push(await (await fetch(`${gateway.url}/console/releases/deployments/${id}`)).text());
    }
    expect(deployments.map(({ version, status }) => [version, status])).toEqual([
      ['v1.0.0', 'deployed'],
      ['v1.1.0', 'undone'],
      ['v1.2.0', 'refused'],
      ['v1.2.1', 'refused'],
      ['v1.3.0', 'refused'],
    ]);
    const { log: gatewayLog } = await gateway.stop();
    const commandLines = workers.map(({ pid }) => readFileSync(`/proc/${pid}/cmdline`, 'latin1').replaceAll('\0', ' '));
    const places: Readonly<Record<string, readonly [text: string, ...markers: string[]]>> = {
      histories: [await historiesOf(client), 'migrate of api: up', 'put api back', '(secret)'],
      'the logs of the workers': [workers.map((worker) => worker.log()).join('\n'), 'worker_ready'],
      'the log of the gateway': [gatewayLog, 'gateway_ready'],
      'the output of commands': [outputs.join('\n'), 'secret/login', '2 times in a row', '(secret)'],
      'the ledger': [await rowsOf(ledger), 'deployment.undone', 'secret/login', '(secret)'],
      blobs: [contentsOf(estate.dataDir), 'marker-of-HOOK_TOKEN', 'secret/login', 'age-encryption.org/v1'],
      'the reports': [reports.join('\n'), 'secret/login', 'v1.1.0'],
      'the pages': [pages.join('\n'), 'secret/login', 'v1.1.0'],
      'the arguments of programs': [
        [readFileSync(startsFile, 'utf8'), ...commandLines].join('\n'),
        '"kubectl","--request-timeout=30s","--context=test","apply"',
        '/bwrap"',
        'workers/main.ts',
      ],
    };
    const found = Object.entries(places).flatMap(([where, [content, ...markers]]) => [
      ...markers.filter((marker) => !content.includes(marker)).map((marker) => `${where} does not have ${marker}`),
      ...(Object.keys(SECRETS) as Name[]).flatMap((name) =>
        formsOf(SECRETS[name])
          .filter((form) => content.includes(form))
          .map((form) => `${where} has ${name} as ${form}`),
      ),
    ]);
    expect(found).toEqual([]);
  });
});
