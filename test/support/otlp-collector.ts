import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import protobuf from 'protobufjs/minimal.js';

/** A received span. */
export interface ReceivedSpan {
  /** Hex digits. */
  readonly trace: string;
  readonly id: string;
  /** Empty for the root of a trace. */
  readonly parent: string;
  readonly name: string;
}

/** A server that receives traces by OTLP over HTTP, like a collector. */
export interface OtlpCollector {
  /** For `OTEL_EXPORTER_OTLP_ENDPOINT`. */
  readonly url: string;
  readonly spans: readonly ReceivedSpan[];
  close(): Promise<void>;
}

/** Starts a collector on the loopback interface. */
export async function startOtlpCollector(): Promise<OtlpCollector> {
  const spans: ReceivedSpan[] = [];
  const take = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const body = await buffer(request);
    if (request.url === '/v1/traces') spans.push(...spansIn(body));
    response.writeHead(200, { 'content-type': 'application/x-protobuf' }).end();
  };
  const server = createServer((request, response) => {
    take(request, response).catch(() => response.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    spans,
    close: async () => {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}

/** opentelemetry/proto/trace/v1: resource spans (1), of them scope spans (2), of them spans (2). */
function spansIn(body: Buffer): ReceivedSpan[] {
  return inside([body], 1, 2, 2).map((span) => {
    const field = (number: number): Buffer => inside([span], number)[0] ?? Buffer.alloc(0);
    return {
      trace: field(1).toString('hex'),
      id: field(2).toString('hex'),
      parent: field(4).toString('hex'),
      name: field(5).toString(),
    };
  });
}

/** The bytes of the fields at the end of a path of field numbers. */
function inside(messages: readonly Buffer[], ...path: readonly number[]): Buffer[] {
  return path.reduce<Buffer[]>((outer, number) => outer.flatMap((message) => bytesOf(message, number)), [...messages]);
}

/** The bytes of every string, bytes or message field with this number. */
function bytesOf(message: Buffer, number: number): Buffer[] {
  const reader = protobuf.Reader.create(message);
  const found: Buffer[] = [];
  while (reader.pos < reader.len) {
    const tag = reader.uint32();
    if (tag === ((number << 3) | 2)) found.push(Buffer.from(reader.bytes()));
    else reader.skipType(tag & 7);
  }
  return found;
}
