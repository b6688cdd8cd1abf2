import type { Socket } from 'node:net';
import type { FastifyInstance } from 'fastify';

/** Limits of connections. */
export interface ConnectionLimits {
  /** Concurrent connections. */
  readonly most: number;
  /** Milliseconds that a sender may take for the head of a request, and for all of it. */
  readonly headMs: number;
  readonly requestMs: number;
  /** Milliseconds that a connection may be silent. */
  readonly silentMs: number;
  /** Milliseconds between two checks of the former. */
  readonly checkMs: number;
}

/** A forge on a slow connection has a minute for 25 MB. */
export const CONNECTION_LIMITS: ConnectionLimits = {
  most: 1_000,
  headMs: 15_000,
  requestMs: 60_000,
  silentMs: 90_000,
  checkMs: 5_000,
};

/**
 * Keeps the connections within a limit: another one closes the one that has kept the server waiting longest. Senders
 * that trickle, or open connections and say nothing, so lose to those that send whole requests. A request that was
 * received is always answered; if only such are left, the new connection is closed.
 */
export function limitConnections(server: FastifyInstance, { most }: Pick<ConnectionLimits, 'most'>): void {
  const open = new Set<Socket>();
  /** Those from which a request, or the rest of one, is expected; the longest wait first. */
  const waiting = new Set<Socket>();
  server.server.on('connection', (socket: Socket) => {
    socket.once('close', () => {
      open.delete(socket);
      waiting.delete(socket);
    });
    open.add(socket);
    waiting.add(socket);
    if (open.size <= most) return;
    const [longest = socket] = waiting;
    // its `close` comes later: until then it must not be chosen again
    open.delete(longest);
    waiting.delete(longest);
    longest.destroy();
  });
  // after the body was read
  server.addHook('preValidation', async ({ socket }) => void waiting.delete(socket));
  server.addHook('onResponse', async ({ socket }) => {
    if (open.has(socket)) waiting.add(socket);
  });
}
