import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';

/** A request that a {@link registryServer} got. */
export interface RegistryRequest {
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
}

/** A server that answers as a test says, for the duration of the test. */
export async function registryServer(
  answer: (path: string, response: ServerResponse, request: IncomingMessage) => void,
): Promise<{ readonly url: string; readonly requests: readonly RegistryRequest[] }> {
  const requests: RegistryRequest[] = [];
  const server = createServer((request, response) => {
    requests.push({ path: request.url ?? '', headers: request.headers });
    answer(request.url ?? '', response, request);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, requests };
}
