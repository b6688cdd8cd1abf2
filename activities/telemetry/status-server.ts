import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Address, formatAddress, parseAddress } from '../../domain/shared/address.ts';
import { LonghaulError } from '../../domain/shared/failures.ts';
import { redact } from '../../domain/shared/redact.ts';

/** A condition for a process to be ready. */
export interface ReadinessCheck {
  readonly name: string;
  /** Throws an error with a sentence that says what is wrong. */
  readonly run: (signal: AbortSignal) => Promise<unknown>;
}

/** What a process exposes to monitoring. */
export interface StatusPages {
  /** Metrics in Prometheus' text format, from one or more sources. */
  readonly metrics: () => Promise<string>;
  /** The process is ready when all of them pass. */
  readonly ready: () => readonly ReadinessCheck[];
}

/** A running server at `address`, `host:port`. */
export interface StatusServer {
  readonly address: string;
  /** Stops listening and closes open connections. */
  close(): Promise<void>;
}

/**
 * The address for a process's status: the given one, else `LONGHAUL_METRICS_ADDRESS`; null for none. Throws
 * `InvalidInput` when the given address is not `host:port`, `InvalidConfiguration` when the variable is not.
 */
export function statusAddress(asked: string | undefined, env: NodeJS.ProcessEnv): Address | null {
  // compose passes an empty variable when it is not set
  const given = asked ?? (env['LONGHAUL_METRICS_ADDRESS'] || null);
  if (given === null) return null;
  const address = parseAddress(given);
  if (address !== null) return address;
  const [type, name] =
    asked === undefined
      ? (['InvalidConfiguration', 'LONGHAUL_METRICS_ADDRESS'] as const)
      : (['InvalidInput', '--metrics-address'] as const);
  throw new LonghaulError(type, `${name}: give host:port, such as 127.0.0.1:9464, not "${given}".`);
}

/** Timeout of a check in milliseconds: clients wait a few seconds at most. */
const CHECK_TIMEOUT = 3_000;

/** Content type of Prometheus' text format. */
const METRICS_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

/**
 * Serves `/metrics`, `/healthz` (the process is alive and its event loop answers) and `/readyz` (all checks pass; 503
 * and the reasons otherwise) at an address, without a login. Throws `InvalidConfiguration` when the address cannot be
 * used.
 */
export async function serveStatus(address: Address, pages: StatusPages): Promise<StatusServer> {
  const server = createServer((request, response) => {
    answer(request, response, pages).catch((error: unknown) => {
      if (response.headersSent) response.destroy();
      else end(response, 500, 'text/plain', `${error instanceof Error ? error.message : String(error)}\n`);
    });
  });
  server.listen(address.port, address.host);
  try {
    await once(server, 'listening');
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    const message = `The metrics address ${formatAddress(address)} cannot be used: ${reason}.`;
    throw new LonghaulError('InvalidConfiguration', message, { cause: error });
  }
  const bound = server.address() as AddressInfo;
  return {
    address: formatAddress({ host: bound.address, port: bound.port }),
    close: async () => {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
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
      return end(response, 404, 'text/plain', 'use /metrics, /healthz or /readyz\n');
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
