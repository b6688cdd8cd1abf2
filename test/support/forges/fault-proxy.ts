import { once } from 'node:events';
import { createServer, type IncomingMessage, request as send, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What happens to a request: a refusal instead of the forge's work, or the loss of the answer after it. */
export type WriteFault =
  | { readonly status: number; readonly headers?: Readonly<Record<string, string>> }
  /** The forge does it, and the caller gets 502. */
  | 'answer 502'
  /** The forge does it, and the connection breaks. */
  | 'cut';

/** A proxy in front of a forge. */
export interface FaultProxy {
  readonly url: string;
  /** Requests that write, so far: `POST /api/v1/repos/acme/api/pulls`. */
  readonly writes: string[];
  /** The fault of each request that writes. */
  fault: ((request: string) => WriteFault | null) | null;
  close(): Promise<void>;
}

/** Starts a proxy. */
export async function startFaultProxy(target: string): Promise<FaultProxy> {
  const server = createServer((request, response) => {
    forward(request, response).catch((error: unknown) => response.destroy(error as Error));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const proxy: FaultProxy = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    writes: [],
    fault: null,
    close: async () => {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };

  async function forward(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = 'GET', url = '/', headers } = request;
    const name = `${method} ${url}`;
    const isWrite = method !== 'GET' && method !== 'HEAD';
    if (isWrite) proxy.writes.push(name);
    const fault = isWrite ? (proxy.fault?.(name) ?? null) : null;
    if (fault !== null && typeof fault === 'object') {
      request.resume();
      await once(request, 'end');
      const body = JSON.stringify({ message: `refused with ${fault.status}` });
      response.writeHead(fault.status, { 'content-type': 'application/json', ...fault.headers }).end(body);
      return;
    }
    const sent = send(new URL(url, target), { method, headers: { ...headers, host: new URL(target).host } });
    request.pipe(sent);
    const [answer] = (await once(sent, 'response')) as [IncomingMessage];
    if (fault === null) {
      const given = Object.entries(answer.headers).map(([key, value]) => [
        key,
        String(value).replaceAll(target, proxy.url),
      ]);
      response.writeHead(answer.statusCode ?? 502, Object.fromEntries(given) as Record<string, string>);
      answer.pipe(response);
      return;
    }
    answer.resume();
    await once(answer, 'end');
    if (fault === 'cut') response.destroy();
    else response.writeHead(502, { 'content-type': 'text/html' }).end('<h1>Bad gateway</h1>');
  }

  return proxy;
}
