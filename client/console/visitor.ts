import { isIP } from 'node:net';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Actor } from '../../domain/shared/actor.ts';
import { Refusal } from '../gateway/refusal.ts';
import { CONSOLE } from './assets.ts';
import { html, type Html } from './html.ts';
import type { ConsoleTools } from './sources.ts';

/** Who may see the console. */
export interface Visitors {
  /** False where no people are configured. */
  readonly hasPeople: boolean;
  /**
   * The person who sends a request; null for one who may not see the console. Where no people are configured, that is the
   * person at this machine, who gets a session.
   */
  admit(request: FastifyRequest, reply: FastifyReply): Actor | null;
  /** Whether {@link admit} admitted the request. */
  isKnown(request: FastifyRequest): boolean;
  /** The person that {@link admit} found. Throws a 401 for none. */
  personOf(request: FastifyRequest): Actor;
  /** The person for the head of a page, with the form to sign out. */
  shown(request: FastifyRequest): Html;
}

/** Decides who may see the console. */
export function createVisitors({ context, sessions }: Pick<ConsoleTools, 'context' | 'sessions'>): Visitors {
  const hasPeople = context.config.people.length > 0;
  const admitted = new WeakMap<FastifyRequest, Actor>();
  return {
    hasPeople,
    admit(request, reply) {
      if (!hasPeople && !isLocal(request)) return null;
      sessions.visit(request, reply);
      const person = sessions.personOfRequest(request);
      if (person !== null) admitted.set(request, person);
      return person;
    },
    isKnown: (request) => admitted.has(request),
    personOf(request) {
      const person = admitted.get(request);
      if (person === undefined) throw new Refusal(401, 'AuthenticationFailed', 'Sign in first.');
      return person;
    },
    shown(request) {
      const person = admitted.get(request);
      if (person === undefined) return html``;
      if (!hasPeople) return html`<span class="muted">${person.name}, unauthenticated</span>`;
      // a request with an API key has no session
      if (request.headers.authorization !== undefined) return html`<span>${person.name}</span>`;
      return html`<form method="post" action="${CONSOLE}/sign-out"><span>${person.name}</span>
        <input type="hidden" name="formToken" value="${sessions.formToken(request)}"><button class="second">Sign out</button></form>`;
    },
  };
}

/** Headers that a reverse proxy adds: the sender is not on this machine, whatever the connection says. */
const FORWARDING = ['forwarded', 'via', 'x-forwarded-for', 'x-forwarded-host', 'x-real-ip'];

/**
 * Whether a request comes from a browser on this machine: the connection and the host that it asks for are loopback,
 * and no proxy forwarded it. The host is checked because a foreign name can be made to resolve to loopback. A proxy that
 * speaks HTTP/1.1 and adds no header cannot be told from a browser.
 */
export function isLocal({ socket, headers, raw }: Pick<FastifyRequest, 'socket' | 'headers' | 'raw'>): boolean {
  // no browser speaks it, but nginx does to the servers behind it, and adds no header
  if (raw.httpVersion === '1.0') return false;
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
