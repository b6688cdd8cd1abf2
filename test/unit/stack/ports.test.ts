import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo, Server } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { choosePorts, isFree } from '../../../stack/ports.ts';
import { StackError } from '../../../stack/stack-error.ts';

const servers: Server[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) {
    server.close();
    await once(server, 'close');
  }
});

async function listen(host: string | undefined, port = 0): Promise<number> {
  const server = createServer();
  servers.push(server);
  server.listen(port, host);
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

test('free ports are chosen, different and below the range of outgoing connections', async () => {
  const ports = Object.values(await choosePorts([need('a'), need('b'), need('c')], {}));
  expect(new Set(ports).size).toBe(3);
  for (const port of ports) {
    expect(port).toBeGreaterThanOrEqual(20_000);
    expect(port).toBeLessThan(32_000);
  }
});

test('a remembered port stays until another program takes it', async () => {
  const { a = 0 } = await choosePorts([need('a')], {});
  expect(await choosePorts([need('a')], { a })).toEqual({ a });
  await listen('127.0.0.1', a);
  expect((await choosePorts([need('a')], { a }))['a']).not.toBe(a);
});

test('a configured port that is taken is refused with a message that names it and its key', async () => {
  const port = await listen('127.0.0.1');
  const choosing = choosePorts([{ name: 'temporal', configured: port, key: 'stack.temporalPort' }], {});
  await expect(choosing).rejects.toThrow(StackError);
  await expect(choosing).rejects.toThrow(`Port ${port} (stack.temporalPort) is in use`);
});

test('a port with a second one leaves the next number free', async () => {
  const ports = await choosePorts([{ name: 'gossip', configured: 0, next: { name: 'data', everywhere: true } }], {});
  const { gossip = 0, data } = ports;
  expect(data).toBe(gossip + 1);
  await listen(undefined, gossip + 1);
  const again = await choosePorts([{ name: 'gossip', configured: 0, next: { name: 'data', everywhere: true } }], ports);
  expect(again['gossip']).not.toBe(gossip);
});

test('a port that is taken on all interfaces is not free', async () => {
  const port = await listen(undefined);
  expect(await isFree(port)).toBe(false);
  expect(await isFree(port, true)).toBe(false);
});

function need(name: string): { name: string; configured: number } {
  return { name, configured: 0 };
}
