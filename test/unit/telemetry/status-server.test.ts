import { expect, onTestFinished, test } from 'vitest';
import {
  type ReadinessCheck,
  serveStatus,
  statusAddress,
  type StatusPages,
} from '../../../activities/telemetry/status-server.ts';
import { type Address, formatAddress, parseAddress } from '../../../domain/shared/address.ts';

const ANY_PORT = { host: '127.0.0.1', port: 0 };

const fine: ReadinessCheck = { name: 'fine', run: () => Promise.resolve() };
const broken: ReadinessCheck = {
  name: 'broken',
  run: () => Promise.reject(new Error('https://me:sesame@host does not answer')),
};

async function served(pages: Partial<StatusPages> = {}, address: Address = ANY_PORT): Promise<string> {
  const server = await serveStatus(address, { metrics: () => Promise.resolve('x 1\n'), ready: () => [fine], ...pages });
  onTestFinished(() => server.close());
  return server.address;
}

async function get(
  address: string,
  path: string,
  method = 'GET',
): Promise<{ status: number; body: string; type: string | null }> {
  const response = await fetch(`http://${address}${path}`, { method });
  return { status: response.status, body: await response.text(), type: response.headers.get('content-type') };
}

test('metrics, life and readiness', async () => {
  const address = await served();
  expect(await get(address, '/metrics')).toEqual({
    status: 200,
    body: 'x 1\n',
    type: 'text/plain; version=0.0.4; charset=utf-8',
  });
  expect(await get(address, '/metrics?name=x')).toMatchObject({ status: 200, body: 'x 1\n' });
  expect(await get(address, '/healthz')).toMatchObject({ status: 200, body: 'ok\n' });
  expect(await get(address, '/readyz')).toMatchObject({
    status: 200,
    body: '{"ready":true,"checks":[{"name":"fine","ok":true}]}\n',
  });
  expect(await get(address, '/')).toMatchObject({ status: 404 });
  expect(await get(address, '/metrics', 'POST')).toMatchObject({ status: 405 });
});

test('a failing check is reported without secrets, and the server continues', async () => {
  const address = await served({ ready: () => [fine, broken] });
  const { status, body } = await get(address, '/readyz');
  expect([status, JSON.parse(body)]).toEqual([
    503,
    {
      ready: false,
      checks: [
        { name: 'fine', ok: true },
        { name: 'broken', ok: false, reason: 'https://[redacted]@host does not answer' },
      ],
    },
  ]);
  expect(await get(address, '/healthz')).toMatchObject({ status: 200 });
});

test('a hanging check has a timeout', async () => {
  const hangs: ReadinessCheck = { name: 'hangs', run: () => new Promise(() => undefined) };
  const { status, body } = await get(await served({ ready: () => [hangs] }), '/readyz');
  expect([status, body]).toEqual([503, expect.stringContaining('no answer within 3000 ms')]);
});

test('metrics that cannot be read are an error, not an empty page', async () => {
  const address = await served({ metrics: () => Promise.reject(new Error('the exporter is gone')) });
  expect(await get(address, '/metrics')).toMatchObject({ status: 500, body: 'the exporter is gone\n' });
});

test.for(['9464', 'localhost', ':9464', '127.0.0.1:65536', 'http://127.0.0.1:1', '1.2.3.4:x', '::1:1'])(
  'the address %j is rejected with the name of its option or variable',
  (address) => {
    expect(() => statusAddress(address, {})).toThrow(
      `--metrics-address: give host:port, such as 127.0.0.1:9464, not "${address}".`,
    );
    expect(() => statusAddress(undefined, { LONGHAUL_METRICS_ADDRESS: address })).toThrow(
      /^LONGHAUL_METRICS_ADDRESS: /,
    );
  },
);

test('an explicit address takes precedence over the environment, and an empty variable is ignored', () => {
  const env = { LONGHAUL_METRICS_ADDRESS: '0.0.0.0:1' };
  expect(statusAddress('[::1]:2', env)).toEqual({ host: '::1', port: 2 });
  expect(statusAddress(undefined, env)).toEqual({ host: '0.0.0.0', port: 1 });
  expect(statusAddress(undefined, { LONGHAUL_METRICS_ADDRESS: '' })).toBeNull();
  expect(() => statusAddress('', env)).toThrow(/--metrics-address/);
});

test('an address in use is reported by name', async () => {
  const address = await served();
  const taken = parseAddress(address) ?? ANY_PORT;
  await expect(served({}, taken)).rejects.toThrow(`The metrics address ${address} cannot be used`);
  expect(formatAddress(taken)).toBe(address);
  expect(await served({}, { host: '::1', port: 0 }).catch(() => '[::1]:')).toMatch(/^\[::1\]:/);
});
