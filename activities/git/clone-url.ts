import { isAbsolute } from 'node:path';
import { fileURLToPath } from 'node:url';
import { LonghaulError } from '../../domain/shared/failures.ts';
import { redact } from '../../domain/shared/redact.ts';

/** An address that git can fetch from, and the folder when it is on this machine. */
export interface Remote {
  readonly url: string;
  /** Absolute path; null for a repository elsewhere. */
  readonly path: string | null;
}

/** `user@host:path`, as ssh takes it: neither part may look like an option. */
const SCP_LIKE = /^[A-Za-z0-9_][\w.-]*@[A-Za-z0-9][\w.-]*:(?!-)[^:]/;

/**
 * Checks an address before git sees it: https, http, ssh or file URLs, `user@host:path`, or an absolute path. Options,
 * relative paths, `ext::` and other transports, and credentials are refused with `InvalidInput`.
 */
export function parseRemote(url: string): Remote {
  // oxlint-disable-next-line no-control-regex -- control characters are exactly what must not get in
  if (/[\u0000-\u001f\u007f]/.test(url)) refuse(url, 'it has control characters in it');
  if (isAbsolute(url)) return { url, path: url };
  if (SCP_LIKE.test(url)) return { url, path: null };
  const parsed = /^[a-z][a-z+.-]*:\/\//i.test(url) ? URL.parse(url) : null;
  if (parsed === null) return refuse(url, 'it is no https, ssh or file URL and no absolute path');
  switch (parsed.protocol) {
    case 'https:':
    case 'http:':
      if (parsed.username || parsed.password) refuse(url, 'credentials do not belong in an address (use tokenEnv)');
      break;
    case 'ssh:':
      if (parsed.password) refuse(url, 'credentials do not belong in an address');
      if (parsed.hostname.startsWith('-') || parsed.username.startsWith('-')) refuse(url, 'it looks like an option');
      break;
    case 'file:':
      return { url, path: pathOf(url) };
    default:
      refuse(url, `git may not use ${parsed.protocol}`);
  }
  return { url, path: null };
}

/** The URL without the name and password of a user. */
export function withoutCredentials(url: string): string {
  return url.replace(/^(https?:\/\/)[^/@]*@/i, '$1');
}

function pathOf(url: string): string {
  try {
    return fileURLToPath(url);
  } catch (error) {
    return refuse(url, (error as Error).message);
  }
}

function refuse(url: string, why: string): never {
  throw new LonghaulError(
    'InvalidInput',
    `Git must not fetch from ${JSON.stringify(redact(url).slice(0, 200))}: ${why}.`,
  );
}
