import { randomBytes, timingSafeEqual } from 'node:crypto';
import { sha256, sha256Bytes } from '../../platform/sha256.ts';

/** A new API key. */
export interface NewKey {
  /** The key that the service sends: `lh_<id>_<secret>`. It is not stored. */
  readonly key: string;
  readonly id: string;
  /** The entry in `longhaul.yaml`. */
  readonly hash: string;
}

/** Creates an API key with a secret of 256 random bits. */
export function createKey(): NewKey {
  const id = randomBytes(6).toString('hex');
  const secret = randomBytes(32).toString('base64url');
  return { key: `lh_${id}_${secret}`, id, hash: `sha256:${sha256(secret)}` };
}

/** What is stored of a key. */
export interface StoredKey {
  readonly id: string;
  readonly hash: string;
}

/**
 * The API key that the header `Authorization` authenticates; null for none. A wrong secret takes as long as an unknown
 * id.
 */
export function keyOf<Key extends StoredKey>(keys: readonly Key[], authorization: string | undefined): Key | null {
  const [, id, secret = ''] = /^Bearer lh_([0-9a-f]{12})_([A-Za-z0-9_-]{43})$/i.exec(authorization ?? '') ?? [];
  const known = keys.find((key) => key.id === id);
  const expected = Buffer.from(known?.hash.slice('sha256:'.length) ?? '0'.repeat(64), 'hex');
  // one round is enough: 256 random bits cannot be guessed at any speed (docs/decisions/0009-gateway.md)
  return timingSafeEqual(sha256Bytes(secret), expected) && known !== undefined ? known : null;
}
