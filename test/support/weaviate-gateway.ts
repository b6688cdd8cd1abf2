import { once } from 'node:events';
import { createServer, request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http';
import {
  connect,
  constants,
  createServer as createHttp2Server,
  type IncomingHttpHeaders,
  type ServerHttp2Stream,
} from 'node:http2';
import type { AddressInfo, Server } from 'node:net';

/** The address of a Weaviate, or of a gateway to one. */
export interface Endpoints {
  readonly url: string;
  readonly grpc: string;
}

/** Calls that change nothing. */
const READS = new Set(['Search', 'Aggregate', 'TenantsGet', 'Check']);

/** Hooks of a proxy. */
export interface Watch {
  /** Called for every write request before Weaviate gets it, and for every answer before the client gets it. */
  readonly at?: (boundary: string) => void;
  /** Called for every REST request before Weaviate gets it. */
  readonly onRest?: (path: string) => void;
  /** Replaces the client's key for Weaviate, by protocol; null leaves it unchanged. */
  readonly key?: (protocol: 'rest' | 'grpc') => string | null;
}

/** Opens a proxy to Weaviate, REST and gRPC. It stays open as long as the process. */
export async function openGateway(target: Endpoints, watch: Watch): Promise<Endpoints> {
  const { at = () => undefined, key = () => null } = watch;
  const rest = createServer((asked, answer) => passOn(asked, answer, target, watch));
  const upstream = connect(`http://${target.grpc}`);
  const grpc = createHttp2Server();
  grpc.on('stream', (stream, headers) => {
    const method = String(headers[':path']).split('/').at(-1) ?? '';
    const tell = READS.has(method) ? () => undefined : at;
    tell(`${method} is asked`);
    const forward = upstream.request(withKey(withoutConnection(headers), key('grpc')));
    let trailers: IncomingHttpHeaders = {};
    forward.on('response', (found, flags) => {
      const isWhole = (flags & constants.NGHTTP2_FLAG_END_STREAM) !== 0;
      stream.respond(withoutConnection(found), isWhole ? { endStream: true } : { waitForTrailers: true });
    });
    forward.on('trailers', (found) => {
      tell(`${method} is answered`);
      trailers = found;
    });
    stream.on('wantTrailers', () => stream.sendTrailers(trailers));
    forward.on('error', () => broken(stream));
    stream.on('error', () => forward.close(constants.NGHTTP2_CANCEL));
    stream.pipe(forward).pipe(stream);
  });
  return { url: `http://${await listening(rest)}`, grpc: await listening(grpc) };
}

function passOn(
  asked: IncomingMessage,
  answer: ServerResponse,
  target: Endpoints,
  { at = () => undefined, onRest = () => undefined, key = () => null }: Watch,
): void {
  const { method = 'GET', url = '/', headers } = asked;
  const tell = method !== 'GET' && /^\/v1\/(objects|batch)/.test(url) ? at : () => undefined;
  onRest(url);
  tell(`${method} is asked`);
  const forward = httpRequest(new URL(url, target.url), { method, headers: withKey(headers, key('rest')) }, (found) => {
    tell(`${method} is answered`);
    answer.writeHead(found.statusCode ?? 502, found.headers);
    found.pipe(answer);
  });
  forward.on('error', () => answer.destroy());
  asked.pipe(forward);
}

function withKey(headers: IncomingHttpHeaders, key: string | null): IncomingHttpHeaders {
  return key === null ? headers : { ...headers, authorization: `Bearer ${key}` };
}

function withoutConnection(headers: IncomingHttpHeaders): IncomingHttpHeaders {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => name !== 'connection' && name !== 'host'));
}

function broken(stream: ServerHttp2Stream): void {
  if (!stream.closed) stream.close(constants.NGHTTP2_INTERNAL_ERROR);
}

async function listening(server: Server): Promise<string> {
  const listens = once(server, 'listening');
  server.listen(0, '127.0.0.1');
  await listens;
  server.unref();
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}
