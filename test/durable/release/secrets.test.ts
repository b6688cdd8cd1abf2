import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { Client, Connection } from '@temporalio/client';
import { expect, inject, onTestFinished, test, vi } from 'vitest';
import { createKey } from '../../../client/gateway/api-key.ts';
import { commandEnv, type Ended, longhaulProcess } from '../../support/command.ts';
import { createEstate } from '../../support/estate.ts';
import { startWholeGithub, type WholeGithub } from '../../support/forges/whole-github.ts';
import { startOpenId } from '../../support/gates/openid.ts';
import { Visitor } from '../../support/gates/visitor.ts';
import { startGatewayProcess } from '../../support/gateway.ts';
import { openNamespace } from '../../support/impatient.ts';
import { createTestLedger } from '../../support/ledger.ts';
import { recordGit } from '../../support/recorded-git.ts';
import { commit, generation, tagsOf, write } from '../../support/release/work.ts';
import { contentsOf, formsOf, historiesOf, rowsOf } from '../../support/secret-search.ts';
import { git } from '../../support/scratch-git.ts';
import { startWorkerProcess } from '../../support/worker-process.ts';

/** Secrets of the run. With characters that encodings change. */
const SECRETS = {
  /** The forge's API, and what git fetches with. */
  FORGE_TOKEN: 'ghp_forge+Token/0123456789~abcdef',
  /** What git pushes with, and the release is made with. */
  WRITE_TOKEN: 'ghp_write+Token/9876543210~fedcba',
  /** A job's. */
  NPM_TOKEN: 'npm_job+Secret/55555555 44444~zyxw',
  /** The last part of `SLACK_WEBHOOK_URL`, which is the secret of it. */
  SLACK_PART: 'slack+Part~of_the-address.0123456789',
  /** The password of the ledger's owner. */
  OWNER_PASSWORD: 'owner+Password~of_the-ledger.98765',
};
const KEYS = { ada: createKey(), bob: createKey() };

const CI = `name: full-ci
jobs:
  publish:
    secrets: [NPM_TOKEN]
    outputs: [LEAK]
    artifacts: [dist]
    steps:
      - name: security-scan
        command: |
          test -n "$NPM_TOKEN"
          echo "marker-of-the-job $NPM_TOKEN"
          printf 'x%s' "$NPM_TOKEN" | base64
          echo "LEAK=$NPM_TOKEN" >> "$LONGHAUL_OUTPUT"
          mkdir dist && echo 'a file of the release' > dist/api.txt
`;
const POLICY = `policies: [{name: scan-always, required_steps: [security-scan]}]
promotion: {approvals: {needed: 1, from: [bob]}, assets: [dist/api.txt]}
`;

/** A receiver of what is announced; returns its address, and the bodies so far. */
async function startChat(): Promise<{ readonly url: string; readonly said: readonly string[] }> {
  const said: string[] = [];
  const hear = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    said.push(`${request.url} ${await text(request)}`);
    response.end('ok');
  };
  const server = createServer((request, response) => {
    hear(request, response).catch((error: Error) => response.destroy(error));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, said };
}

async function freeAddress(): Promise<string> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return `127.0.0.1:${port}`;
}

test('no secret of a release is in histories, logs, ledger, blobs, reports, pages, tags or arguments of programs', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'longhaul-secrets-'));
  const gatewayAddress = await freeAddress();
  const openId = await startOpenId(`http://${gatewayAddress}/sign-in/callback`);
  const chat = await startChat();
  const githubs: WholeGithub[] = [];
  const estate = await createEstate({
    indexName: 'Unused',
    providers: async (root) => {
      const github = await startWholeGithub(root, { token: SECRETS.FORGE_TOKEN, writeToken: SECRETS.WRITE_TOKEN });
      githubs.push(github);
      return [{ name: 'work', type: 'github', url: github.url, tokenEnv: 'FORGE_TOKEN', writeTokenEnv: 'WRITE_TOKEN' }];
    },
    settings: {
      pipelines: { secrets: { NPM_TOKEN: { valueEnv: 'NPM_TOKEN', repositories: ['work/acme/api'] } } },
      alerts: { channels: [{ name: 'chat', type: 'slack', urlEnv: 'SLACK_WEBHOOK_URL' }] },
      release: { announce: ['chat'] },
      people: Object.entries(KEYS).map(([name, { id, hash }]) => ({
        name,
        emails: [`${name}@example.com`],
        key: { id, hash },
        oidc: `subject of ${name}`,
      })),
    },
  });
  const [github] = githubs;
  if (github === undefined) throw new Error('the estate has no forge');
  const { url: forgeUrl, place } = github;
  const ledger = await createTestLedger({ password: SECRETS.OWNER_PASSWORD });
  const { temporalAddress: address } = inject('stack');
  const connection = await Connection.connect({ address });
  const namespace = `secrets-${process.pid}`;
  await openNamespace(connection, namespace);
  const client = new Client({ connection, namespace });
  onTestFinished(async () => {
    await Promise.all([connection.close(), openId.close(), github.close()]);
    await Promise.all([ledger.dispose(), estate.dispose()]);
    await rm(folder, { recursive: true, force: true });
  });

  await estate.create('acme/api', { 'README.md': 'an api\n' });
  await place.addTag('v1.0.0');
  const remote = estate.gitDir('acme/api');
  git(remote, 'config', 'http.receivepack', 'true');
  const clone = join(folder, 'clone');
  git(folder, 'clone', '--quiet', remote, clone);
  git(clone, 'remote', 'set-url', 'origin', `${forgeUrl}/acme/api.git`);
  git(clone, 'remote', 'set-url', '--push', 'origin', remote);
  write(clone, {
    '.longhaul/generations/v1.0.0.yaml': generation('v1.0.0', ['FEAT-1']),
    '.longhaul/policy.yaml': POLICY,
    '.longhaul/pipelines/full-ci.yaml': CI,
  });
  commit(clone, 'feat: a change [FEAT-1]');
  git(clone, 'push', '--quiet', 'origin', 'HEAD:main');

  const { FORGE_TOKEN, WRITE_TOKEN, NPM_TOKEN, SLACK_PART } = SECRETS;
  const programs = recordGit(folder);
  const startsFile = join(folder, 'starts');
  const common = {
    PATH: `${programs.bin}:${process.env['PATH']}`,
    NODE_OPTIONS: `--import=${new URL('../../support/recorded-starts.ts', import.meta.url).href}`,
    RECORDED_STARTS: startsFile,
    TEMPORAL_NAMESPACE: namespace,
    LONGHAUL_CACHE_DIR: join(folder, 'cache'),
    GIT_CONFIG_GLOBAL: '/dev/null',
  };
  const own = {
    ...common,
    DATABASE_URL: ledger.logins.owner,
    FORGE_TOKEN,
    WRITE_TOKEN,
    SLACK_WEBHOOK_URL: `${chat.url}/services/${SLACK_PART}`,
  };
  const [gateway, ...workers] = await Promise.all([
    startGatewayProcess(
      estate,
      {
        address: gatewayAddress,
        url: `http://${gatewayAddress}`,
        oidc: { issuer: openId.issuer, clientId: openId.clientId, clientSecretEnv: 'OPENID_SECRET' },
      },
      { ...own, OPENID_SECRET: openId.clientSecret },
    ),
    startWorkerProcess(estate, { env: own, args: ['--roles', 'flows,repos,ledger'] }),
    startWorkerProcess(estate, { env: { ...common, NPM_TOKEN }, args: ['--roles', 'pipelines'] }),
  ]);
  onTestFinished(async () => void (await Promise.all(workers.map((worker) => worker.kill()))));
  const outputs: string[] = [];
  const as = async (person: keyof typeof KEYS, ...args: string[]): Promise<Ended> => {
    const env = commandEnv(estate, { ...own, LONGHAUL_PERSON_KEY: KEYS[person].key });
    const ended = await longhaulProcess(env, args, undefined, clone);
    outputs.push(ended.stdout, ended.stderr);
    expect([args, ended.exitCode, ended.stderr]).toEqual([args, 0, expect.any(String)]);
    return ended;
  };
  await as('ada', 'evolution', 'start', 'v1.0.0', '--change', 'FEAT-1');
  const ran = await as('ada', 'run', 'full-ci', '--watch', '--report', 'report.html');
  expect(ran.stderr + ran.stdout).toContain('v1.0.0-rc.1 passed');
  const promoting = as('ada', 'generation', 'promote', 'v1.0.0');
  promoting.catch(() => undefined);
  const gates = (): Promise<{ id: string }[]> => ledger.sql("SELECT gate_id AS id FROM gates WHERE status = 'open'");
  const [gate] = await vi.waitUntil(async () => ((await gates()).length > 0 ? gates() : false), {
    timeout: 60_000,
    interval: 200,
  });
  // bob signs in with the provider, looks, and approves
  const visitor = new Visitor();
  const begun = await visitor.send(`${gateway.url}/sign-in?to=%2Fconsole%2Finbox`);
  await visitor.send(await openId.signIn(visitor, begun.headers.get('location') ?? '', 'subject of bob'));
  const pageAt = async (path: string): Promise<string> => (await visitor.send(`${gateway.url}/console/${path}`)).text();
  const inbox = await pageAt('inbox');
  await as('bob', 'approve', gate?.id ?? '', '--why', 'looked at it');
  await promoting;
  const pages = [inbox, await pageAt('runs'), await pageAt('releases')];
  expect(tagsOf(remote)).toEqual(['v1.0.0', 'v1.0.0-rc.1']);
  const release = await place.releases();
  expect(release).toMatchObject([{ tag: 'v1.0.0', assets: { 'api.txt': 'a file of the release\n' } }]);
  const { log: gatewayLog } = await gateway.stop();
  const commandLines = workers.map(({ pid }) => readFileSync(`/proc/${pid}/cmdline`, 'latin1').replaceAll('\0', ' '));

  const places: Readonly<Record<string, readonly [text: string, ...markers: string[]]>> = {
    histories: [await historiesOf(client), 'security-scan', 'announce to chat', 'upload api.txt'],
    'the logs of the workers': [workers.map((worker) => worker.log()).join('\n'), 'worker_ready', '"promoted"'],
    'the log of the gateway': [gatewayLog, 'gateway_ready'],
    'the output of commands': [outputs.join('\n'), 'v1.0.0-rc.1 passed', 'v1.0.0 promoted successfully'],
    'the ledger': [await rowsOf(ledger), 'v1.0.0-rc.1', 'generation.published', 'looked at it'],
    blobs: [contentsOf(estate.dataDir), 'marker-of-the-job [redacted]', 'a file of the release'],
    'the report': [readFileSync(join(clone, 'report.html'), 'utf8'), 'publish'],
    'the pages': [pages.join('\n'), gate?.id ?? 'no gate', '<span>bob</span>'],
    'the remote': [git(remote, 'for-each-ref', '--format=%(refname) %(contents)'), 'v1.0.0-rc.1'],
    'the release at the forge': [JSON.stringify(release), 'The change FEAT-1'],
    'the arguments of programs': [
      [readFileSync(startsFile, 'utf8'), ...commandLines].join('\n'),
      '/bwrap"',
      '--json-status-fd',
      'workers/main.ts',
    ],
    'the arguments of git': [
      programs
        .starts()
        .map((argv) => argv.join(' '))
        .join('\n'),
      ' fetch ',
      ' push ',
      'git-remote-http',
    ],
  };
  const secrets: Readonly<Record<string, string>> = {
    ...SECRETS,
    'the secret of the OpenID client': openId.clientSecret,
    ...Object.fromEntries(
      Object.entries(KEYS).map(([name, { key }]) => [`the key of ${name}`, key.split('_').slice(2).join('_')]),
    ),
    ...Object.fromEntries(
      (['writer', 'gates', 'reader'] as const).map((login) => [
        `the password of the ${login}`,
        new URL(ledger.logins[login]).password,
      ]),
    ),
  };
  const found = Object.entries(places).flatMap(([where, [content, ...markers]]) => [
    ...markers.filter((marker) => !content.includes(marker)).map((marker) => `${where} does not have ${marker}`),
    ...Object.entries(secrets).flatMap(([name, secret]) =>
      formsOf(secret)
        .filter((form) => content.includes(form))
        .map((form) => `${where} has ${name} as ${form}`),
    ),
  ]);
  expect(found).toEqual([]);
  // each of them was used
  expect(chat.said).toEqual([expect.stringContaining(`/services/${SLACK_PART} `)]);
  expect(chat.said.join().split(SLACK_PART)).toHaveLength(2);
});
