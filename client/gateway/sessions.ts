import { randomBytes } from 'node:crypto';
import type { CookieSerializeOptions } from '@fastify/cookie';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Actor } from '../../domain/shared/actor.ts';
import type { Config } from '../../domain/config/config.schema.ts';
import type { PersonConfig } from '../../domain/config/people.schema.ts';
import { sha256 } from '../../platform/sha256.ts';
import { keyOf } from './api-key.ts';
import { isForeignFetch } from './foreign-fetch.ts';
import { Refusal } from './refusal.ts';

/** Milliseconds after which a session ends, and after which it ends without requests. */
const LONGEST_MS = 12 * 3_600_000;
const IDLE_MS = 2 * 3_600_000;
/** Concurrent sessions, and forms that a session has open: the oldest ends first. */
const MOST_SESSIONS = 10_000;
const MOST_FORMS = 200;

/**
 * Sessions of people in browsers, and who sends a request. Sessions are kept in this process: after a restart people sign
 * in again.
 */
export interface Sessions {
  /** Name of the cookie of a session. */
  readonly cookie: string;
  /** The person who sends a request, by API key or session; null for an unknown one. */
  personOfRequest(request: FastifyRequest): Actor | null;
  /** The person to whom an API key belongs; null for a wrong one. */
  personOfKey(key: string): Actor | null;
  /** Signs a person in: ends the browser's session, and sets the cookie of a new one. */
  startSession(request: FastifyRequest, reply: FastifyReply, actor: Actor): void;
  /**
   * On an installation without people: gives a browser on this machine a session, so that its forms have tokens. Does
   * nothing otherwise, when it has one, or for what a page of another site loads.
   */
  visit(request: FastifyRequest, reply: FastifyReply): void;
  /** Ends the session of a request. */
  endSession(request: FastifyRequest, reply: FastifyReply): void;
  /** A token for one form of the session of a request. Throws a 401 without a session. */
  formToken(request: FastifyRequest): string;
  /**
   * Throws a 403 unless a request may change something: it has an API key, or the token of a form of its own session that
   * was not used before.
   */
  checkForm(request: FastifyRequest, token: string | undefined): void;
  /** Attributes of cookies for this host only. */
  readonly cookieOptions: CookieSerializeOptions;
}

interface Session {
  readonly actor: Actor;
  /** The host for which it was started. */
  readonly host: string;
  readonly startedAt: number;
  usedAt: number;
  /** Tokens of forms that were not sent yet. */
  readonly forms: Set<string>;
}

/** What sessions depend on. */
export interface SessionSettings {
  readonly people: Config['people'];
  /** The address at which people reach the gateway. */
  readonly url: string;
  /** Name of the person who runs the gateway, for an installation without people. */
  readonly owner: string;
  /** @default the clock, in milliseconds */
  readonly now?: () => number;
}

/** Creates the sessions of a gateway. */
export function createSessions({ people, url, owner, now = Date.now }: SessionSettings): Sessions {
  /** By digest of the secret in the cookie. */
  const sessions = new Map<string, Session>();
  const { protocol, host: ownHost } = new URL(url);
  const isSecure = protocol === 'https:';
  // the prefix makes browsers refuse the cookie from another host, or without TLS
  const prefix = isSecure ? '__Host-' : '';
  const cookie = `${prefix}longhaul`;
  const cookieOptions = { path: '/', httpOnly: true, sameSite: 'lax', secure: isSecure } as const;
  const keys = people.flatMap(({ name, key }) => (key === undefined ? [] : [{ ...key, name }]));

  /** Refuses a name that another site gave this address: its pages would be of the same origin (DNS rebinding). */
  const isOwnHost = ({ host }: FastifyRequest): boolean => host === ownHost || (!isSecure && isLoopback(host));

  function sessionOf(request: FastifyRequest): Session | null {
    const secret = request.cookies[cookie];
    if (secret === undefined || !isOwnHost(request)) return null;
    const id = sha256(secret);
    const session = sessions.get(id);
    if (session === undefined || session.host !== request.host) return null;
    const at = now();
    if (at - session.startedAt > LONGEST_MS || at - session.usedAt > IDLE_MS) {
      sessions.delete(id);
      return null;
    }
    session.usedAt = at;
    return session;
  }

  const personOfHeader = (authorization: string | undefined): Actor | null => {
    const key = keyOf(keys, authorization);
    return key === null ? null : { name: key.name, authenticatedBy: 'api-key' };
  };

  const made: Sessions = {
    cookie,
    cookieOptions,
    personOfKey: (key) => personOfHeader(`Bearer ${key}`),
    personOfRequest(request) {
      const { authorization } = request.headers;
      return authorization === undefined ? (sessionOf(request)?.actor ?? null) : personOfHeader(authorization);
    },
    startSession(request, reply, actor) {
      made.endSession(request, reply);
      const secret = randomBytes(32).toString('base64url');
      const at = now();
      sessions.set(sha256(secret), { actor, host: request.host, startedAt: at, usedAt: at, forms: new Set() });
      const [oldest] = sessions.keys();
      if (sessions.size > MOST_SESSIONS && oldest !== undefined) sessions.delete(oldest);
      reply.setCookie(cookie, secret, { ...cookieOptions, maxAge: LONGEST_MS / 1_000 });
      // the rest of this request is answered in the new session
      request.cookies[cookie] = secret;
    },
    visit(request, reply) {
      if (people.length > 0 || !isLoopback(request.host) || isForeignFetch(request)) return;
      if (sessionOf(request) !== null) return;
      made.startSession(request, reply, { name: owner, authenticatedBy: 'unauthenticated' });
    },
    endSession(request, reply) {
      const secret = request.cookies[cookie];
      if (secret === undefined) return;
      sessions.delete(sha256(secret));
      reply.clearCookie(cookie, cookieOptions);
      delete request.cookies[cookie];
    },
    formToken(request) {
      const session = sessionOf(request);
      if (session === null) throw new Refusal(401, 'AuthenticationFailed', 'Sign in first.');
      const token = randomBytes(24).toString('base64url');
      session.forms.add(token);
      const [oldest] = session.forms;
      if (session.forms.size > MOST_FORMS && oldest !== undefined) session.forms.delete(oldest);
      return token;
    },
    checkForm(request, token) {
      if (request.headers.authorization !== undefined) return;
      if (token !== undefined && sessionOf(request)?.forms.delete(token) === true) return;
      throw new Refusal(
        403,
        'Forbidden',
        'The form was sent before, or belongs to another session: load the page again.',
      );
    },
  };
  return made;
}

/** True for names of this machine, which no other site can have. */
function isLoopback(host: string): boolean {
  return /^(?:localhost|127\.0\.0\.1|\[::1\])(?::\d+)?$/.test(host);
}

/** The person with a subject at the OpenID provider; null for none. */
export function personOfSubject(people: readonly PersonConfig[], subject: string): Actor | null {
  const person = people.find(({ oidc }) => oidc === subject);
  return person === undefined ? null : { name: person.name, authenticatedBy: 'oidc' };
}
