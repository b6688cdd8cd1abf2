import { once } from 'node:events';
import { get } from 'node:http';
import { connect, type AddressInfo, type Socket } from 'node:net';
import { Client, Connection } from '@temporalio/client';
import { pino } from 'pino';
import { expect, onTestFinished, test } from 'vitest';
import { CONNECTION_LIMITS } from '../../../client/gateway/connections.ts';
import { createGatewayMetrics } from '../../../client/gateway/metrics.ts';
import { createGateway } from '../../../client/gateway/server.ts';
import { configSchema } from '../../../domain/config/config.schema.ts';

const UNENDED = [
  // no end of the head
  'POST /webhooks/github HTTP/1.1\r\nhost: gateway\r\nx-hub-signature-256: sha256=',
  // no end of the body
  `POST /webhooks/github HTTP/1.1\r\nhost: gateway\r\nx-hub-signature-256: sha256=${'0'.repeat(64)}\r\n` +
    'content-type: application/json\r\ncontent-length: 20000000\r\n\r\n',
  // nothing
  '',
];

async function gateway(limits: Partial<typeof CONNECTION_LIMITS>): Promise<number> {
  const config = configSchema.parse({
    providers: [{ name: 'work', type: 'github' }],
    gateway: { webhooks: [{ provider: 'work', secretEnv: 'SECRET' }] },
  });
  const server = await createGateway(
    {
      config,
      env: { SECRET: 'one' },
      client: new Client({ connection: Connection.lazy({ address: '127.0.0.1:1' }) }),
      logger: pino({ level: 'silent' }),
      metrics: createGatewayMetrics(),
    },
    { ...CONNECTION_LIMITS, ...limits },
  );
  await server.listen({ host: '127.0.0.1', port: 0 });
  onTestFinished(() => server.close());
  return (server.server.address() as AddressInfo).port;
}

/** Connections that send a byte now and then, until the gateway closes them. */
async function openSlow(port: number, count: number): Promise<{ closed(): number }> {
  let closed = 0;
  const sockets: Socket[] = [];
  for (let at = 0; at < count; at++) {
    const socket = connect(port, '127.0.0.1');
    socket.on('error', () => undefined);
    socket.on('close', () => closed++);
    // read, so that the end is seen
    socket.resume();
    socket.write(UNENDED[at % UNENDED.length] ?? '');
    sockets.push(socket);
  }
  await Promise.all(sockets.map((socket) => once(socket, 'connect')));
  const dripping = setInterval(() => {
    for (const [at, socket] of sockets.entries()) if (at % UNENDED.length < 2 && socket.writable) socket.write('a');
  }, 100);
  onTestFinished(() => {
    clearInterval(dripping);
    for (const socket of sockets) socket.destroy();
  });
  return { closed: () => closed };
}

/** The status of a request on a connection of its own. */
function health(port: number): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    get({ host: '127.0.0.1', port, path: '/healthz', agent: false }, (answer) => {
      answer.resume();
      resolve(answer.statusCode);
    }).on('error', reject);
  });
}

test('a thousand connections that trickle do not keep others from an answer', async () => {
  const port = await gateway({});
  const slow = await openSlow(port, CONNECTION_LIMITS.most);
  expect(slow.closed()).toBe(0);
  const answers = await Promise.all(Array.from({ length: 50 }, () => health(port)));
  expect(new Set(answers)).toEqual(new Set([200]));
  // each took the place of one slow connection at most
  expect(slow.closed()).toBeLessThanOrEqual(50);
});

test(
  'connections that trickle or say nothing are closed, however often they send a byte',
  { timeout: 60_000 },
  async () => {
    const port = await gateway({ headMs: 500, requestMs: 1_000, silentMs: 1_000, checkMs: 100 });
    const slow = await openSlow(port, 30);
    await expect.poll(() => slow.closed(), { timeout: 50_000 }).toBe(30);
    expect(await health(port)).toBe(200);
  },
);
