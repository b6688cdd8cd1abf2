import type { Zod } from '../../shared/flow.ts';

/** SHA-256 of something in the blob store. */
export function digest(z: Zod) {
  return z.string().regex(/^[0-9a-f]{64}$/, 'must be a SHA-256 in hexadecimal digits');
}

/** The id of a commit. */
export function oid(z: Zod) {
  return z.string().regex(/^(?:[0-9a-f]{40}|[0-9a-f]{64})$/, 'must be the full id of a commit');
}

/** The name of a pipeline. */
export function pipelineName(z: Zod) {
  return z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,79}$/, 'must be the name of a pipeline');
}

/** A commit in the blob store. */
export function packedCommit(z: Zod) {
  return z.strictObject({ commit: oid(z), tree: oid(z), pack: digest(z), changed: digest(z) });
}
