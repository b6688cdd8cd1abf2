import { createHash } from 'node:crypto';

/**
 * The oid that git gives a blob with this content; `digits` is 40 in a repository of SHA-1 names, 64 in one of SHA-256
 * names.
 */
export function blobOid(content: Uint8Array, digits: 40 | 64): string {
  const hash = createHash(digits === 64 ? 'sha256' : 'sha1');
  return hash.update(`blob ${content.length}\0`).update(content).digest('hex');
}
