import type { RepositoryAddress } from '../../git/repository.ts';
import { DEFAULT_REF, type Snapshot } from '../../git/snapshot.ts';

/** A set of objects: their number and the XOR of their ids. */
export interface Holding {
  readonly objects: number;
  /** XOR of the 128-bit ids of all objects, 32 hex digits. It can be recomputed from git. */
  readonly xor: string;
}

/**
 * What the index holds of one repository at one ref. A receipt is stored in Weaviate with its objects and written last:
 * objects without a receipt are unfinished work, not an index.
 */
export interface Receipt extends Snapshot, Holding {
  /** {@link Repository.id} */
  readonly repository: string;
  /** `HEAD`, or the full name of a branch: `refs/heads/develop`. */
  readonly ref: string;
  readonly cloneUrl: string;
  /** {@link Repository.uid} */
  readonly uid?: string;
  /** Digest of chunker, embedding model and schema: objects made under another digest are different objects. */
  readonly digest: string;
  /** Files that have at least one object. */
  readonly files: number;
  /** When the receipt was written, ISO 8601. */
  readonly indexedAt: string;
  /**
   * The snapshot that a run is working toward. It stays when a run dies; the next run then finishes or repairs exactly
   * that.
   */
  readonly pending: Pending | null;
  /**
   * On the receipt of HEAD: full names of the other indexed branches, in order. Every other receipt of the repository
   * is for one of them: a branch is listed before its receipt is written, and until it is deleted. Missing when there
   * are none.
   */
  readonly branches?: readonly string[];
}

/** The snapshot that a run is working toward. */
export interface Pending extends Snapshot {
  /**
   * Identifies the attempt that wrote it. An attempt that was replaced while it was stopped recognises this when it
   * resumes.
   */
  readonly run?: string;
}

/** The neutral element of {@link xorIds}: the XOR of zero objects. */
export const NO_OBJECTS = '0'.repeat(32);

/** XORs a UUID into an accumulated 32-digit hexadecimal value. The same id twice cancels out, in any order. */
export function xorIds(accumulated: string, id: string): string {
  return (BigInt(`0x${accumulated}`) ^ BigInt(`0x${id.replaceAll('-', '')}`)).toString(16).padStart(32, '0');
}

/** The receipt of a repository that was never indexed at a ref: it has no objects. */
export function blankReceipt({ id, cloneUrl, uid }: RepositoryAddress, digest: string, ref = DEFAULT_REF): Receipt {
  return {
    repository: id,
    ref,
    cloneUrl,
    ...(uid === undefined ? {} : { uid }),
    commit: '',
    tree: '',
    branch: null,
    timestamp: null,
    digest,
    files: 0,
    objects: 0,
    xor: NO_OBJECTS,
    indexedAt: '',
    pending: null,
  };
}
