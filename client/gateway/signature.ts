import { createHmac, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import type { Forge } from '../../domain/forge/webhook.ts';
import { sha256Bytes } from '../../platform/sha256.ts';

/** How a forge authenticates its messages. */
export interface Signing {
  /** The credential in a message's headers; null for a message without one, whose body need not be read. */
  readonly claim: (headers: IncomingHttpHeaders) => string | null;
  /** True when the credential requires knowledge of the secret. Takes equally long for every wrong one. */
  readonly proves: (claim: string, body: Buffer, secret: string) => boolean;
}

/** HMAC-SHA256 over the bytes of the body, in hex. */
function signed(...names: readonly string[]): Signing {
  return {
    claim: (headers) => {
      const [, digest = null] = /^(?:sha256=)?([0-9a-f]{64})$/.exec(headerOf(headers, ...names) ?? '') ?? [];
      return digest;
    },
    proves: (claim, body, secret) =>
      timingSafeEqual(Buffer.from(claim, 'hex'), createHmac('sha256', secret).update(body).digest()),
  };
}

/** A secret that is sent along: GitLab's token. */
const token: Signing = {
  claim: (headers) => headerOf(headers, 'x-gitlab-token'),
  proves: (claim, _body, secret) => isSame(claim, secret),
};

/** Basic authentication, the only option of Azure DevOps: the secret is the password, or `user:password`. */
const basic: Signing = {
  claim: (headers) => {
    const [, given = null] = /^Basic ([A-Za-z0-9+/=]+)$/i.exec(headerOf(headers, 'authorization') ?? '') ?? [];
    return given === null ? null : Buffer.from(given, 'base64').toString('utf8');
  },
  proves: (claim, _body, secret) => isSame(secret.includes(':') ? claim : claim.slice(claim.indexOf(':') + 1), secret),
};

/** The scheme of each forge. */
export const SIGNING: Readonly<Record<Forge, Signing>> = {
  github: signed('x-hub-signature-256'),
  gitea: signed('x-gitea-signature', 'x-forgejo-signature', 'x-hub-signature-256'),
  bitbucket: signed('x-hub-signature'),
  gitlab: token,
  'azure-devops': basic,
};

/** A secret that is sent along as a bearer token. */
const bearer: Signing = {
  claim: (headers) => /^Bearer (\S+)$/i.exec(headerOf(headers, 'authorization') ?? '')?.[1] ?? null,
  proves: (claim, _body, secret) => isSame(claim, secret),
};

/**
 * The schemes of Alertmanager, which cannot sign: a signature of a proxy, the bearer token of `http_config.authorization`,
 * or the password of `http_config.basic_auth`. The first one that a message has counts.
 */
export const ALERTMANAGER_SIGNING: readonly Signing[] = [signed('x-longhaul-signature-256'), bearer, basic];

/** Compares two secrets in constant time; only their lengths can be inferred. */
export function isSame(one: string, other: string): boolean {
  return timingSafeEqual(sha256Bytes(one), sha256Bytes(other));
}

/** The first of these headers that is present exactly once. */
export function headerOf(headers: IncomingHttpHeaders, ...names: readonly string[]): string | null {
  for (const name of names) {
    const value = headers[name];
    if (typeof value === 'string' && value !== '') return value;
  }
  return null;
}
