import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { execa } from 'execa';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { isLoopback, ProxyError, proxyOf, shownProxy } from '../../../platform/proxy.ts';
import { startProxyServer } from '../../support/proxy-server.ts';
import { SCRATCH_ENV } from '../../support/scratch-git.ts';

const server = createServer((_request, response) => response.writeHead(404).end());
let port = 0;
beforeAll(async () => {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  port = (server.address() as AddressInfo).port;
});
afterAll(() => {
  server.close();
  server.closeAllConnections();
});

// libcurl resolves every name below localhost to this machine, so that a request without a proxy succeeds too
test.for([
  ['forge.localhost', { http_proxy: 'PROXY' }],
  ['forge.localhost', { http_proxy: '' }],
  ['forge.localhost', { https_proxy: 'PROXY', HTTPS_PROXY: 'PROXY' }],
  ['forge.localhost', { all_proxy: 'PROXY' }],
  ['forge.localhost', { ALL_PROXY: 'PROXY' }],
  ['127.0.0.1', { http_proxy: 'PROXY' }],
  ['localhost', { http_proxy: 'PROXY', no_proxy: 'localhost' }],
  ['127.0.0.1', { http_proxy: 'PROXY', no_proxy: 'localhost' }],
  ['forge.localhost', { http_proxy: 'PROXY', no_proxy: 'localhost' }],
  ['forge.localhost', { http_proxy: 'PROXY', no_proxy: '.localhost' }],
  ['FORGE.localhost', { http_proxy: 'PROXY', no_proxy: 'forge.LOCALHOST' }],
  ['forge.localhost', { http_proxy: 'PROXY', no_proxy: 'orge.localhost,a.forge.localhost' }],
  ['forge.localhost', { http_proxy: 'PROXY', NO_PROXY: ' elsewhere , forge.localhost' }],
  ['forge.localhost', { http_proxy: 'PROXY', no_proxy: '', NO_PROXY: 'forge.localhost' }],
  ['forge.localhost', { http_proxy: 'PROXY', no_proxy: '*' }],
  ['127.0.0.1', { http_proxy: 'PROXY', no_proxy: '127.0.0.1' }],
  ['127.0.0.1', { http_proxy: 'PROXY', no_proxy: '10.0.0.0/8,127.0.0.0/8' }],
  ['127.0.0.1', { http_proxy: 'PROXY', no_proxy: '127.0.0.0/32' }],
  ['127.0.0.1', { http_proxy: 'PROXY', no_proxy: '0.0.1' }],
] as const)('%s with %j goes the way that git takes', async ([host, given]) => {
  const proxy = await startProxyServer({ port });
  const named = Object.fromEntries(
    Object.entries(given).map(([name, value]) => [name, value.replace('PROXY', proxy.url)]),
  );
  const address = `http://${host}:${port}/acme/api.git`;
  const env = { ...SCRATCH_ENV, ...named };
  await execa('git', ['ls-remote', address], { env, extendEnv: false, reject: false, stdin: 'ignore' });
  expect(proxyOf(new URL(address), env) === null ? 'directly' : 'through the proxy').toBe(
    proxy.log.length === 0 ? 'directly' : 'through the proxy',
  );
});

test.for([
  // libcurl reads it in lower case only, and we let git have it so
  ['http://forge.test', { HTTP_PROXY: 'http://proxy:3128' }, 'http://proxy:3128'],
  ['https://forge.test', { http_proxy: 'http://proxy:3128' }, null],
  ['https://forge.test', { https_proxy: 'http://a:1', HTTPS_PROXY: 'http://b:2' }, 'http://a:1'],
  ['https://forge.test', { HTTPS_PROXY: 'proxy.corp:8080' }, 'http://proxy.corp:8080'],
  ['https://forge.test', { HTTPS_PROXY: 'http://me:secret@proxy.corp:8080/' }, 'http://proxy.corp:8080'],
  ['https://forge.test', { HTTPS_PROXY: 'http://proxy.corp' }, 'http://proxy.corp:1080'],
  ['https://forge.test', { HTTPS_PROXY: 'socks5h://proxy.corp' }, 'socks5h://proxy.corp:1080'],
  ['https://[2001:db8::7]', { HTTPS_PROXY: 'http://proxy:1', no_proxy: '2001:db8::/32' }, null],
  ['https://[2001:db8::7]', { HTTPS_PROXY: 'http://proxy:1', no_proxy: '2001:db9::/32,127.0.0.1' }, 'http://proxy:1'],
] as const)('%s with %j: %s', ([url, env, expected]) => {
  const proxy = proxyOf(new URL(url), env);
  expect(proxy && shownProxy(proxy)).toBe(expected);
});

test.for(['http://', 'ftp://proxy:21', 'http://pro xy:1'])('%j is not a proxy', (given) => {
  expect(() => proxyOf(new URL('https://forge.test'), { https_proxy: given })).toThrow(ProxyError);
});

test('this machine', () => {
  for (const host of ['localhost', 'a.localhost', '127.0.0.1', '127.9.9.9', '[::1]'])
    expect(isLoopback(host)).toBe(true);
  for (const host of ['localhost.example', '128.0.0.1', '[::2]', '10.0.0.1']) expect(isLoopback(host)).toBe(false);
});
