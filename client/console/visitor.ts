import { isIP } from 'node:net';
import type { FastifyRequest } from 'fastify';

/** Headers that a reverse proxy adds: the sender is not on this machine, whatever the connection says. */
const FORWARDING = ['forwarded', 'via', 'x-forwarded-for', 'x-forwarded-host', 'x-real-ip'];

/**
 * Whether a request comes from a browser on this machine: the connection and the host that it asks for are loopback,
 * and no proxy forwarded it. The host is checked because a foreign name can be made to resolve to loopback.
 */
export function isLocal({ socket, headers }: Pick<FastifyRequest, 'socket' | 'headers'>): boolean {
  if (FORWARDING.some((name) => headers[name] !== undefined)) return false;
  return isLoopback(socket.remoteAddress ?? '') && isLoopback(hostOf(headers.host ?? ''));
}

function hostOf(header: string): string {
  try {
    return new URL(`http://${header}`).hostname.replaceAll(/^\[|\]$/g, '');
  } catch {
    return '';
  }
}

function isLoopback(host: string): boolean {
  if (host === 'localhost' || host === '::1') return true;
  const address = host.replace(/^::ffff:/, '');
  return isIP(address) === 4 && address.startsWith('127.');
}
