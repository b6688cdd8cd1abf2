import { once } from 'node:events';
import { request as send } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';
import type { PrivateAuthority } from './private-authority.ts';

/** Serves over TLS, until the test ends, what an HTTP server on a port of loopback answers. Returns the relay's port. */
export async function startTlsRelay({ key, cert }: PrivateAuthority, port: number): Promise<number> {
  const relay = createServer({ key, cert }, (request, response) => {
    const { url: path = '', method, headers } = request;
    const passed = send({ host: '127.0.0.1', port, path, method, headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    });
    passed.on('error', () => response.destroy());
    request.pipe(passed);
  });
  relay.listen(0, '127.0.0.1');
  await once(relay, 'listening');
  onTestFinished(() => {
    relay.close();
    relay.closeAllConnections();
  });
  return (relay.address() as AddressInfo).port;
}
