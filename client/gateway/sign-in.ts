import { randomBytes } from 'node:crypto';
import type { FastifyInstance } from 'fastify';
import type * as openid from 'openid-client';
import { logProcess } from '../../activities/shared/logger.ts';
import type { Config } from '../../domain/config/config.schema.ts';
import { LonghaulError } from '../../domain/shared/failures.ts';
import { messageOf } from '../../platform/error-code.ts';
import { Refusal } from './refusal.ts';
import { personOfSubject, type Sessions } from './sessions.ts';
import { isForeignFetch } from './foreign-fetch.ts';
import { isSame } from './signature.ts';

/** Milliseconds that a person may take at the provider, and concurrent sign-ins. */
const LONGEST_MS = 600_000;
const MOST = 1_000;

/** Dependencies of sign-in. */
export interface SignInTools {
  readonly config: Config;
  readonly env: NodeJS.ProcessEnv;
  /** The address at which people reach the gateway. */
  readonly url: string;
  readonly sessions: Sessions;
}

/** A sign-in that waits for the provider. */
interface Pending {
  readonly verifier: string;
  readonly nonce: string;
  /** In a cookie of the browser that began. */
  readonly browser: string;
  /** Path to go to afterwards. */
  readonly to: string;
  readonly until: number;
}

/**
 * Sign-in with an OpenID provider (authorization code flow with PKCE): `GET /sign-in?to=/path` sends the browser to the
 * provider, which sends it back to `/sign-in/callback`. `POST /sign-out` ends the session. Nothing is asked of the provider
 * before the first sign-in.
 */
export async function serveSignIn(server: FastifyInstance, { config, env, url, sessions }: SignInTools): Promise<void> {
  server.post<{ Body: { formToken?: string } | null }>('/sign-out', async (request, reply) => {
    sessions.checkForm(request, request.body?.formToken);
    sessions.endSession(request, reply);
    return reply.code(204).send();
  });
  const { oidc } = config.gateway;
  if (oidc === undefined) return;
  const secret = oidc.clientSecretEnv === undefined ? undefined : env[oidc.clientSecretEnv];
  if (oidc.clientSecretEnv !== undefined && !secret) {
    throw new LonghaulError(
      'InvalidConfiguration',
      `gateway.oidc.clientSecretEnv names ${oidc.clientSecretEnv}, which is not set.`,
    );
  }
  const callback = new URL('/sign-in/callback', url).href;
  const cookie = `${sessions.cookie}-sign-in`;
  const pending = new Map<string, Pending>();
  let discovered: Promise<{ client: typeof openid; provider: openid.Configuration }> | null = null;

  async function discover(): Promise<{ client: typeof openid; provider: openid.Configuration }> {
    const client = await import('openid-client');
    const issuer = new URL(oidc?.issuer ?? '');
    // without TLS only to this machine: anyone in between could sign in as anyone
    const isLocal = issuer.protocol === 'http:' && /^(?:localhost|127\.0\.0\.1|\[::1\])$/.test(issuer.hostname);
    const options = isLocal ? { execute: [client.allowInsecureRequests] } : {};
    const how = secret === undefined ? client.None() : client.ClientSecretBasic(secret);
    return { client, provider: await client.discovery(issuer, oidc?.clientId ?? '', undefined, how, options) };
  }

  /** The provider, once it has answered. */
  async function provider(): Promise<{ client: typeof openid; provider: openid.Configuration }> {
    discovered ??= discover();
    try {
      return await discovered;
    } catch (error) {
      discovered = null;
      throw new LonghaulError('ServerUnavailable', `The OpenID provider does not answer: ${messageOf(error)}.`, {
        cause: error,
      });
    }
  }

  server.get<{ Querystring: { to?: string } }>('/sign-in', async (request, reply) => {
    if (isForeignFetch(request)) throw new Refusal(403, 'Forbidden', 'Sign in on a page of its own.');
    const { client, provider: found } = await provider();
    const [verifier, nonce, state] = [
      client.randomPKCECodeVerifier(),
      client.randomNonce(),
      client.randomState(),
    ] as const;
    const browser = randomBytes(24).toString('base64url');
    pending.set(state, { verifier, nonce, browser, to: ownPath(request.query.to), until: Date.now() + LONGEST_MS });
    const [oldest] = pending.keys();
    if (pending.size > MOST && oldest !== undefined) pending.delete(oldest);
    reply.setCookie(cookie, browser, { ...sessions.cookieOptions, maxAge: LONGEST_MS / 1_000 });
    const to = client.buildAuthorizationUrl(found, {
      redirect_uri: callback,
      scope: 'openid',
      code_challenge: await client.calculatePKCECodeChallenge(verifier),
      code_challenge_method: 'S256',
      state,
      nonce,
    });
    return reply.redirect(to.href);
  });

  server.get<{ Querystring: { state?: string } }>('/sign-in/callback', async (request, reply) => {
    const { state = '' } = request.query;
    const begun = pending.get(state);
    pending.delete(state);
    reply.clearCookie(cookie, sessions.cookieOptions);
    if (begun === undefined || begun.until < Date.now() || !isSame(begun.browser, request.cookies[cookie] ?? '')) {
      throw new Refusal(403, 'Forbidden', 'This sign-in did not begin in this browser, or took too long: begin again.');
    }
    const { client, provider: found } = await provider();
    const subject = await subjectOf(client, found, new URL(request.url, url), { ...begun, state });
    const person = subject === null ? null : personOfSubject(config.people, subject);
    if (person === null) {
      throw new Refusal(
        403,
        'Forbidden',
        'The OpenID provider knows you, but no person in longhaul.yaml has your subject.',
      );
    }
    sessions.startSession(request, reply, person);
    logProcess(request.log, 'person_signed_in', { person: person.name, authenticated_by: 'oidc' }, 'signed in');
    return reply.redirect(begun.to);
  });
}

/** The subject that the provider vouches for. Throws a 403 for an answer that does not verify. */
async function subjectOf(
  client: typeof openid,
  provider: openid.Configuration,
  answered: URL,
  { verifier, nonce, state }: Pick<Pending, 'verifier' | 'nonce'> & { readonly state: string },
): Promise<string | null> {
  try {
    const tokens = await client.authorizationCodeGrant(provider, answered, {
      pkceCodeVerifier: verifier,
      expectedNonce: nonce,
      expectedState: state,
      idTokenExpected: true,
    });
    return tokens.claims()?.sub ?? null;
  } catch (error) {
    throw Object.assign(
      new Refusal(403, 'Forbidden', 'The OpenID provider did not confirm the sign-in: begin again.'),
      {
        cause: error,
      },
    );
  }
}

/** A path of this gateway; `/` for anything else, such as an address of another site. */
function ownPath(to: unknown): string {
  return typeof to === 'string' && /^\/(?![/\\])[\x21-\x7e]*$/.test(to) ? to : '/';
}
