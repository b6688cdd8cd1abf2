import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import { expect, onTestFinished, test } from 'vitest';
import { type Forge, startForge } from '../../support/forge.ts';
import { makeAuthority, type PrivateAuthority } from '../../support/private-authority.ts';
import { type ProxyServer, startProxyServer } from '../../support/proxy-server.ts';
import { startTlsRelay } from '../../support/tls-relay.ts';
import { commitTree, files, git, initRepository, scratchFolder } from '../../support/scratch-git.ts';
import { COMPILE_CACHE } from '../../support/compile-cache.ts';

const ROOT = join(import.meta.dirname, '../../..');

/** A process that lists a repository, reads it, and sends something, as alerts and models do; then reaches our server. */
const SCRIPT = `
  import { openNetwork } from '${ROOT}/activities/shared/network.ts';
  import { createMgit } from '${ROOT}/activities/mgit/index.ts';
  import { configSchema } from '${ROOT}/domain/config/config.schema.ts';
  import { reachDirectly } from '${ROOT}/platform/proxy.ts';
  const { url, ours, cacheDir, network } = JSON.parse(process.argv[1]);
  const { env } = process;
  const config = configSchema.parse({ providers: [{ name: 'work', type: 'github', url }], network });
  await openNetwork({ config, cacheDir, env });
  const mgit = createMgit({ providers: config.providers, cacheDir, maxFileBytes: 1e6, env });
  const [repository] = await mgit.list(['acme/*']);
  const contents = [];
  for await (const { content } of (await mgit.diff(repository, null)).changes()) contents.push(Buffer.from(content).toString());
  const sent = await fetch(url + '/api/v3/unknown', { method: 'POST', body: 'x' });
  reachDirectly(ours);
  const reached = await fetch(ours + '/api/v3/ours');
  console.log(JSON.stringify({ id: repository.id, contents, sent: sent.status, reached: reached.status }));
`;

interface Place {
  readonly folder: string;
  readonly forge: Forge;
  /** The port of the forge over TLS. */
  readonly tlsPort: number;
  readonly authority: PrivateAuthority;
  readonly proxy: ProxyServer;
  run(url: string, env: Record<string, string>, network?: object): Promise<unknown>;
}

async function open(): Promise<Place> {
  const folder = scratchFolder();
  const forge = await startForge(join(folder, 'forge'));
  onTestFinished(() => forge.close());
  commitTree(initRepository(join(forge.root, 'acme', 'api.git'), '--bare'), files({ 'a.ts': 'export const a = 1;\n' }));
  const authority = makeAuthority(folder, ['forge.test']);
  const { port } = new URL(forge.url);
  const tlsPort = await startTlsRelay(authority, Number(port));
  const proxy = await startProxyServer({ port: Number(port), tlsPort });
  return {
    folder,
    forge,
    tlsPort,
    authority,
    proxy,
    async run(url, env, network = {}) {
      const options = { url, ours: forge.url, cacheDir: join(folder, 'cache'), network };
      const args = ['--input-type=module-typescript', '-e', SCRIPT, JSON.stringify(options)];
      const { stdout } = await execa(process.execPath, args, {
        env: { ...COMPILE_CACHE, PATH: process.env['PATH'] ?? '', HOME: folder, ...env },
        extendEnv: false,
        cwd: folder,
      });
      return JSON.parse(stdout) as unknown;
    },
  };
}

const DONE = { id: 'work/acme/api', contents: ['export const a = 1;\n'], sent: 404, reached: 404 };
/** Our server is asked last, and never through the proxy. */
const OURS = /\/api\/v3\/ours/;

test.for(['http_proxy', 'HTTP_PROXY', 'ALL_PROXY'])('%s: API, git and what is sent go through it', async (name) => {
  const { proxy, run } = await open();
  const address = proxy.url.replace('//', '//me:pass%20word@');
  expect(await run('http://forge.test', { [name]: address })).toEqual(DONE);
  expect(proxy.log).toContainEqual(expect.stringMatching(/^GET http:\/\/forge\.test\/api\/v3\/orgs\/acme\/repos/));
  expect(proxy.log).toContainEqual(
    expect.stringMatching(/^POST http:\/\/forge\.test\/acme\/api\.git\/git-upload-pack/),
  );
  expect(proxy.log).toContain('POST http://forge.test/api/v3/unknown');
  expect(proxy.log.filter((line) => OURS.test(line) || line.startsWith('CONNECT'))).toEqual([]);
  // git sends its credentials when the proxy asks for them; ours are sent at once
  expect(new Set(proxy.credentials)).toContain(`Basic ${Buffer.from('me:pass word').toString('base64')}`);
});

test.for([
  ['https_proxy', 'NODE_EXTRA_CA_CERTS'],
  ['HTTPS_PROXY', 'GIT_SSL_CAINFO'],
])('%s and a private authority in %s: API and git use a tunnel', async ([name = '', authorities = '']) => {
  const { proxy, authority, run } = await open();
  expect(await run('https://forge.test', { [name]: proxy.url, [authorities]: authority.file })).toEqual(DONE);
  expect(new Set(proxy.log)).toEqual(new Set(['CONNECT forge.test:443']));
  // one connection of fetch, and at least one of git
  expect(proxy.log.length).toBeGreaterThan(1);
});

test.for(['NODE_EXTRA_CA_CERTS', 'GIT_SSL_CAINFO'])('a private authority in %s reaches Node and git', async (name) => {
  const { tlsPort, authority, run } = await open();
  expect(await run(`https://127.0.0.1:${tlsPort}`, { [name]: authority.file })).toEqual(DONE);
});

test('a private authority in the git configuration reaches both on request only', async () => {
  const { folder, tlsPort, authority, run } = await open();
  const url = `https://127.0.0.1:${tlsPort}`;
  writeFileSync(join(folder, 'ca of ours.pem'), `# a comment\n${readFileSync(authority.file, 'utf8')}`);
  git(folder, 'config', '--file', join(folder, '.gitconfig'), `http.${url}.sslCAInfo`, '~/ca of ours.pem');
  await expect(run(url, {})).rejects.toThrow(/self-signed certificate|unable to verify|unable to get local issuer/);
  expect(await run(url, {}, { authoritiesFromGit: true })).toEqual(DONE);
});

test('a host in NO_PROXY is reached without the proxy', async () => {
  const { forge, proxy, run } = await open();
  expect(await run(forge.url, { http_proxy: proxy.url, NO_PROXY: '127.0.0.1' })).toEqual(DONE);
  expect(proxy.log).toEqual([]);
});

test('a forge on this machine is reached as the variables say, our own server directly', async () => {
  const { forge, proxy, run } = await open();
  const url = forge.url.replace('127.0.0.1', 'localhost');
  expect(await run(url, { http_proxy: proxy.url })).toEqual(DONE);
  expect(proxy.log.some((line) => line.includes('git-upload-pack'))).toBe(true);
  expect(proxy.log.some((line) => line.includes('/api/v3/orgs/acme/repos'))).toBe(true);
  expect(proxy.log.filter((line) => OURS.test(line))).toEqual([]);
});

test('an address that is none is refused at the start', async () => {
  const { run } = await open();
  await expect(run('https://forge.test', { https_proxy: 'ftp://proxy:21' })).rejects.toThrow(
    /InvalidConfiguration|unknown protocol: use http, https or socks5/,
  );
});
