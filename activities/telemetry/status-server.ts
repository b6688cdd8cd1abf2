import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { LonghaulError } from '../../domain/failures.ts';
import { redact } from '../../domain/redact.ts';

/** One thing that has to be so before a process can do its work. */
export interface ReadinessCheck {
  readonly name: string;
  /** Throws, with a sentence that says what is wrong. */
  readonly run: (signal: AbortSignal) => Promise<unknown>;
}

/** What a process tells whoever watches it. */
export interface StatusPages {
  /** Metrics in Prometheus' text format, of one or more sources. */
  readonly metrics: () => Promise<string>;
  /** All of them must hold. */
  readonly ready: () => readonly ReadinessCheck[];
}

/** A server that answers at `address`, `host:port`. */
export interface StatusServer {
  readonly address: string;
  close(): Promise<void>;
}

/** Milliseconds that a check may take: whoever asks waits a few seconds at most. */
const CHECK_TIMEOUT = 3_000;

/** Text of the metrics, as Prometheus asks for it. */
const METRICS_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

/**
 * Serves `/metrics`, `/healthz` (the process lives, and its event loop answers) and `/readyz` (all checks hold; 503 and the
 * reasons when not) at an address `host:port`, as the operator says: there is no login. Throws `InvalidConfiguration`.
 */
export async function serveStatus(address: string, pages: StatusPages): Promise<StatusServer> {
  const { host, port } = parseAddress(address);
  const server = createServer((request, response) => {
    answer(request, response, pages).catch((error: unknown) => {
      if (response.headersSent) response.destroy();
      else end(response, 500, 'text/plain', `${error instanceof Error ? error.message : String(error)}\n`);
    });
  });
  server.listen(port, host);
  try {
    await once(server, 'listening');
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new LonghaulError('InvalidConfiguration', `The metrics address ${address} cannot be used: ${reason}.`, {
      cause: error,
    });
  }
  const bound = server.address() as AddressInfo;
  return {
    address: `${bound.family === 'IPv6' ? `[${bound.address}]` : bound.address}:${bound.port}`,
    close: async () => {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}

function parseAddress(address: string): { host: string; port: number } {
  const parts = /^(?:\[(?<six>[0-9a-fA-F:.]+)\]|(?<host>[^\s:[\]/@]+)):(?<port>\d{1,5})$/.exec(address)?.groups;
  const port = Number(parts?.['port']);
  const host = parts?.['six'] ?? parts?.['host'];
  if (host !== undefined && port <= 65_535) return { host, port };
  throw new LonghaulError(
    'InvalidConfiguration',
    `The metrics address must be host:port, such as 127.0.0.1:9464, not "${address}".`,
  );
}

async function answer(request: IncomingMessage, response: ServerResponse, pages: StatusPages): Promise<void> {
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    response.setHeader('allow', 'GET, HEAD');
    return end(response, 405, 'text/plain', 'only GET and HEAD\n');
  }
  switch (request.url?.split('?', 1)[0]) {
    case '/metrics':
      return end(response, 200, METRICS_TYPE, await pages.metrics());
    case '/healthz':
      return end(response, 200, 'text/plain', 'ok\n');
    case '/readyz': {
      const checks = await Promise.all(pages.ready().map(outcomeOf));
      const ready = checks.every(({ ok }) => ok);
      return end(response, ready ? 200 : 503, 'application/json', `${JSON.stringify({ ready, checks })}\n`);
    }
    default:
      return end(response, 404, 'text/plain', 'there are /metrics, /healthz and /readyz\n');
  }
}

async function outcomeOf({ name, run }: ReadinessCheck): Promise<{ name: string; ok: boolean; reason?: string }> {
  const signal = AbortSignal.timeout(CHECK_TIMEOUT);
  const timeout = new Promise<never>((_, reject) => {
    signal.addEventListener('abort', () => reject(new Error(`no answer within ${CHECK_TIMEOUT} ms`)), { once: true });
  });
  try {
    await Promise.race([run(signal), timeout]);
    return { name, ok: true };
  } catch (error) {
    return { name, ok: false, reason: redact(error instanceof Error ? error.message : String(error)) };
  }
}

function end(response: ServerResponse, status: number, type: string, body: string): void {
  response.writeHead(status, { 'content-type': type, 'cache-control': 'no-store' }).end(body);
}
