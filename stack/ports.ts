import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';
import { hasCode } from '../platform/error-code.ts';
import { StackError } from './stack-error.ts';

/** A port that the stack needs. */
export interface PortNeed {
  readonly name: string;
  /** The configured port; 0 for any free one. */
  readonly configured: number;
  /** The configuration key of `configured`, for the message. */
  readonly key?: string;
  /** True when the server binds it on every interface, not only on loopback. */
  readonly everywhere?: boolean;
  /** A second port, which must be the next number. */
  readonly next?: { readonly name: string; readonly everywhere?: boolean };
}

// Below the range of outgoing connections, so that a remembered port is still free at the next start.
const FIRST = 20_000;
const LAST = 31_999;

/**
 * A port for every need: the configured one, else the remembered one while it is free, else a free one. Throws {@link
 * StackError} when a configured port is taken.
 */
export async function choosePorts(
  needs: readonly PortNeed[],
  remembered: Readonly<Record<string, number>>,
): Promise<Record<string, number>> {
  const chosen: Record<string, number> = {};
  const used = new Set(needs.map((need) => need.configured).filter((port) => port !== 0));
  for (const need of needs) {
    const port = need.configured === 0 ? await freePort(need, remembered[need.name], used) : await configuredPort(need);
    used.add(port);
    chosen[need.name] = port;
    if (need.next === undefined) continue;
    used.add(port + 1);
    chosen[need.next.name] = port + 1;
  }
  return chosen;
}

async function configuredPort(need: PortNeed): Promise<number> {
  if (await suits(need, need.configured)) return need.configured;
  throw new StackError(
    `Port ${need.configured} (${need.key ?? need.name}) is in use by another program: ` +
      `stop that program, choose another port, or leave it out to get a free one.`,
  );
}

async function freePort(need: PortNeed, remembered: number | undefined, used: Set<number>): Promise<number> {
  const fits = async (port: number): Promise<boolean> =>
    !used.has(port) && !(need.next && used.has(port + 1)) && (await suits(need, port));
  if (remembered !== undefined && (await fits(remembered))) return remembered;
  for (let tries = 0; tries < 500; tries++) {
    const port = randomInt(FIRST, LAST);
    if (await fits(port)) return port;
  }
  throw new StackError(
    `No free port between ${FIRST} and ${LAST} was found for ${need.name}: stop what listens there.`,
  );
}

async function suits(need: PortNeed, port: number): Promise<boolean> {
  return (
    (await isFree(port, need.everywhere)) && (need.next === undefined || (await isFree(port + 1, need.next.everywhere)))
  );
}

/** True when a server could listen on this port now, on loopback or, with `everywhere`, on every interface. */
export async function isFree(port: number, everywhere = false): Promise<boolean> {
  return (await canListen(port, '127.0.0.1')) && (!everywhere || (await canListen(port, undefined)));
}

/**
 * Occupies a port on every interface, so that no server can listen there; connections are closed. Returns the function
 * that releases it. Throws {@link StackError} when it is taken.
 */
export async function occupyPort(port: number): Promise<() => Promise<void>> {
  const server = createServer((socket) => socket.destroy());
  server.unref();
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) => {
      reject(
        new StackError(`Port ${port} is in use by another program: start again to get another.`, { cause: error }),
      );
    });
    server.listen(port, resolve);
  });
  return () => new Promise((resolve) => void server.close(() => resolve()));
}

function canListen(port: number, host: string | undefined): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', (error) => {
      if (hasCode(error, 'EADDRINUSE', 'EACCES')) resolve(false);
      else reject(error);
    });
    server.listen({ port, host, exclusive: true }, () => server.close(() => resolve(true)));
  });
}
