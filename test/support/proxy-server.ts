import { once } from 'node:events';
import { createServer, request as send } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { onTestFinished } from 'vitest';

/** A proxy on loopback that logs what passes. */
export interface ProxyServer {
  /** `http://127.0.0.1:port` */
  readonly url: string;
  /** Every request: `GET http://host/path` in absolute form, `CONNECT host:port` for a tunnel. */
  readonly log: string[];
  /** The value of `proxy-authorization` of each request; an empty string for none. */
  readonly credentials: string[];
}

/** Starts a proxy for the test. It sends every request to `to`, so that host names need not exist. */
export async function startProxyServer(to: { readonly port: number; readonly tlsPort?: number }): Promise<ProxyServer> {
  const proxy: { url: string; log: string[]; credentials: string[] } = { url: '', log: [], credentials: [] };
  const server = createServer((request, response) => {
    proxy.log.push(`${request.method} ${request.url}`);
    proxy.credentials.push(request.headers['proxy-authorization'] ?? '');
    const { pathname, search } = new URL(request.url ?? '');
    const path = pathname + search;
    const passed = send(
      { host: '127.0.0.1', port: to.port, method: request.method, path, headers: request.headers },
      (answer) => {
        response.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(response);
      },
    );
    passed.on('error', () => response.destroy());
    request.pipe(passed);
  });
  server.on('connect', (request, socket, head) => {
    proxy.log.push(`CONNECT ${request.url}`);
    proxy.credentials.push(request.headers['proxy-authorization'] ?? '');
    const target = connect(to.tlsPort ?? to.port, '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
      target.write(head);
      target.pipe(socket).pipe(target);
    });
    target.on('error', () => socket.destroy());
    socket.on('error', () => target.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  proxy.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  return proxy;
}
