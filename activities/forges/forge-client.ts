import type { Readable } from 'node:stream';
import type { z } from 'zod';
import { LonghaulError } from '../../domain/shared/failures.ts';
import type { Signal } from './forge-requests.ts';

/** Requests to a forge's API, within the budget of an account. */
export interface ForgeClient {
  /** The value at a path; null when there is none (404). May be repeated. */
  get<Answer>(path: string, schema: z.ZodType<Answer>, signal: Signal): Promise<Answer | null>;
  /** The items of all pages; null when there is no such list (404). May be repeated. */
  items<Item>(path: string, schema: z.ZodType<Item>, signal: Signal): Promise<Item[] | null>;
  /** Sends a request that changes something, once. Throws the failures of {@link failureOfWrite}. */
  send<Answer>(write: ForgeWrite, schema: z.ZodType<Answer>, signal: Signal): Promise<Answer>;
}

/** A request that changes something. */
export interface ForgeWrite {
  readonly method: 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Below the base of the API. */
  readonly path: string;
  /** JSON. @default none */
  readonly body?: object;
  /** The content of a file, instead of JSON. @default none */
  readonly file?: { readonly open: () => Promise<Readable>; readonly size: number; readonly contentType: string };
  /** Replaces the base of the API. @default the API's */
  readonly base?: string;
  /** For messages: `open a pull request in work/acme/api`. */
  readonly does: string;
  /** The permission that a token needs for this: `Contents: write`. */
  readonly needs: string;
}

/** The answer to a request that was not done. */
export interface RefusedWrite {
  /** The provider's name in `longhaul.yaml`. */
  readonly provider: string;
  readonly status: number;
  /** The forge's own message, without secrets. */
  readonly said: string;
  /** What the forge itself says that a token needs. @default nothing */
  readonly accepts?: string | null;
  /** @default none */
  readonly cause?: unknown;
}

/**
 * The failure for a refused write: `AuthenticationFailed` (401), `PermissionMissing` (403, 404), `ForgeForbids` (405),
 * `ForgeConflict` (409), `ForgeGone` (410), `ForgeUnavailable` (5xx), and `ForgeRejected` for any other.
 */
export function failureOfWrite(
  { does, needs }: Pick<ForgeWrite, 'does' | 'needs'>,
  { provider, status, said, accepts, cause }: RefusedWrite,
): LonghaulError {
  const fail = (type: ConstructorParameters<typeof LonghaulError>[0], message: string): LonghaulError =>
    new LonghaulError(type, message, { cause });
  const answered = `${status}${said === '' ? '' : `: ${said}`}`;
  const permission = `${needs}${accepts ? ` (${provider} names: ${accepts})` : ''}`;
  if (status === 401)
    return fail('AuthenticationFailed', `Provider ${provider} refused the token that writes (${answered})`);
  if (status === 403)
    return fail(
      'PermissionMissing',
      `Provider ${provider} does not let this token ${does} (${answered}). It needs ${permission}.`,
    );
  // forges hide what a token may not see
  if (status === 404)
    return fail(
      'PermissionMissing',
      `Provider ${provider} knows no place to ${does} (${answered}): it is gone, or the token needs ${permission}.`,
    );
  if (status === 405) return fail('ForgeForbids', `Provider ${provider} does not allow now to ${does} (${answered})`);
  if (status === 409)
    return fail('ForgeConflict', `Provider ${provider} cannot ${does}, because of something else there (${answered})`);
  if (status === 410)
    return fail('ForgeGone', `Provider ${provider} cannot ${does}: it was removed or disabled (${answered})`);
  if (status >= 500)
    return fail('ForgeUnavailable', `Provider ${provider} did not ${does}, or its answer was lost (${answered})`);
  return fail('ForgeRejected', `Provider ${provider} rejects the request to ${does} (${answered})`);
}

/** The failure of a write without an answer: it may have been done. */
export function lostAnswer(
  { does }: Pick<ForgeWrite, 'does'>,
  provider: string,
  why: string,
  cause: unknown,
): LonghaulError {
  return new LonghaulError(
    'ForgeUnavailable',
    `Provider ${provider} did not answer the request to ${does}, which may have been done: ${why}`,
    { cause },
  );
}
