import { randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { hasCode } from '../platform/error-code.ts';

/** The secret in `file`, generated at the first call; only the owner can read the file. */
export function ensureSecret(file: string): string {
  return readSecret(file) ?? newSecret(file);
}

/** The secret in `file`; null when there is none. */
export function readSecret(file: string): string | null {
  try {
    const secret = readFileSync(file, 'utf8').trim();
    return secret === '' ? null : secret;
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return null;
    throw error;
  }
}

function newSecret(file: string): string {
  const secret = randomBytes(32).toString('base64url');
  writeFileSync(file, `${secret}\n`, { mode: 0o600 });
  return secret;
}
