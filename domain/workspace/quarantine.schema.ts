import { z } from 'zod';
import { isRepoPath } from './workspace-manifest.ts';

const oid = z.string().regex(/^(?:[0-9a-f]{40}|[0-9a-f]{64})$/);
const sha256 = z.string().regex(/^[0-9a-f]{64}$/);
const refName = z.string().regex(/^refs\/[^\0\s]+$/);

/** A path in a repository, with slashes: no way out of it. */
const pathInside = z
  .string()
  .refine(
    (path) => path.split('/').every((part) => !['', '.', '..'].includes(part)),
    'must be a path in the repository',
  );

/** `manifest.json` of a repository in quarantine. */
export const quarantineSchema = z.strictObject({
  version: z.literal(1),
  /** Names it: the same work of the same folder, with the same ignored files, has the same id. */
  id: z.string().regex(/^[0-9a-f]{16}$/),
  /** When it was kept, ISO 8601. */
  at: z.iso.datetime(),
  /** The person who confirmed it: a name that proves nothing. */
  by: z.string(),
  /** The real path of the workspace. */
  root: z.string().startsWith('/'),
  /** The folder of the repository in it. */
  path: z.string().refine(isRepoPath),
  /** What would have been lost, a sentence each. */
  work: z.array(z.string()),
  /** SHA-256 of everything that would have been lost. A restored repository has the same one. */
  fingerprint: sha256,
  format: z.enum(['sha1', 'sha256']),
  /** Where it was cloned from, without credentials; null when unknown. */
  origin: z.string().nullable(),
  /** The content of the file HEAD. */
  head: z.string().regex(/^(?:ref: refs\/[^\0\s]+|[0-9a-f]{40}|[0-9a-f]{64})$/),
  refs: z.array(z.strictObject({ name: refName, oid, symref: refName.nullable() })),
  /** The newest one first. */
  stashes: z.array(z.strictObject({ oid, message: z.string() })),
  /**
   * True when the bundle has all commits. A clone without the contents of old commits (a partial clone) has a bundle with
   * what no remote has; then restoring needs the remote.
   */
  isComplete: z.boolean(),
  /** For a bundle that is not complete: commits of the remote that it continues. */
  prerequisites: z.array(oid),
  /** SHA-256 of `repository.bundle`; null when there is none, because the remote has all commits. */
  bundle: sha256.nullable(),
  /** SHA-256 of `staged.patch`; null when nothing is staged. */
  staged: sha256.nullable(),
  /** Tracked files that differ from the index; what of them is not in `files` was deleted. */
  changed: z.array(pathInside),
  /** The files in the folder `files`: changed, untracked and ignored ones. */
  files: z.array(
    z.strictObject({
      path: pathInside,
      /** `folder`: an empty one. */
      kind: z.enum(['file', 'link', 'folder']),
      bytes: z.int().min(0),
      /** SHA-256 of its content, or of the target of a link. */
      sha256,
    }),
  ),
});

/** A repository in quarantine: everything that would have been lost with it. */
export type QuarantineEntry = z.infer<typeof quarantineSchema>;
