import { isAbsolute } from 'node:path';
import { fileURLToPath } from 'node:url';
import { LonghaulError } from '../../domain/shared/failures.ts';
import { redact } from '../../domain/shared/redact.ts';

/** An address that git can fetch from, and the folder if it is local. */
export interface Remote {
  readonly url: string;
  /** Absolute path; null for a remote repository. */
  readonly path: string | null;
}

/** `user@host:path` for ssh: neither part may look like an option. */
const SCP_LIKE = /^[A-Za-z0-9_][\w.-]*@[A-Za-z0-9][\w.-]*:(?!-)[^:]/;

/**
 * Checks an address before it is passed to git: https, http, ssh or file URLs, `user@host:path`, or an absolute path.
 * Options, relative paths, `ext::` and other transports, and credentials are refused with `InvalidInput`.
 */
export function parseRemote(url: string): Remote {
  // oxlint-disable-next-line no-control-regex -- the point is to reject control characters
  if (/[\u0000-\u001f\u007f]/.test(url)) refuse(url, 'it contains control characters');
  if (isAbsolute(url)) return { url, path: url };
  if (SCP_LIKE.test(url)) return { url, path: null };
  const parsed = /^[a-z][a-z+.-]*:\/\//i.test(url) ? URL.parse(url) : null;
  if (parsed === null) return refuse(url, 'it is neither an https, ssh or file URL nor an absolute path');
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
      refuse(url, `the protocol ${parsed.protocol} is not allowed`);
  }
  return { url, path: null };
}

/** The URL without user name and password. */
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
