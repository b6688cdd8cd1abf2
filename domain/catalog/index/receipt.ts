import type { RepositoryAddress } from '../../git/repository.ts';
import { DEFAULT_REF, type Snapshot } from '../../git/snapshot.ts';

/** Objects by their number and the XOR of their ids. */
export interface Holding {
  readonly objects: number;
  /** XOR of the 128-bit ids of all objects, 32 hex digits. Anyone can recompute it from git. */
  readonly xor: string;
}

/**
 * What the index holds of one repository at one ref, kept in Weaviate beside the objects that it vouches for, and written
 * last: an object set without its receipt is work in progress, never an index.
 */
export interface Receipt extends Snapshot, Holding {
  /** {@link Repository.id} */
  readonly repository: string;
  /** `HEAD`, or the full name of a branch: `refs/heads/develop`. */
  readonly ref: string;
  readonly cloneUrl: string;
  /** {@link Repository.uid} */
  readonly uid?: string;
  /** Digest of chunker, embedding model and schema: objects made under another digest are other objects. */
  readonly digest: string;
  /** Files that have at least one object. */
  readonly files: number;
  /** When the receipt was written, ISO 8601. */
  readonly indexedAt: string;
  /** The snapshot that a run is on its way to; it stays when a run dies, and the next run finishes or repairs exactly that. */
  readonly pending: Pending | null;
  /**
   * On the receipt of HEAD: full names of the branches that the repository is indexed at besides, in order. Every other receipt
   * of the repository is of one of them: it is listed here before it is written, and until it is deleted. Missing when there are none.
   */
  readonly branches?: readonly string[];
}

/** Where a run is on its way to. */
export interface Pending extends Snapshot {
  /** Names the attempt that wrote it, so that one which was stopped for long enough to be replaced knows it when it goes on. */
  readonly run?: string;
}

/** The neutral element of {@link xorIds}: the XOR of no object. */
export const NO_OBJECTS = '0'.repeat(32);

/** XORs a UUID into an accumulated 32-digit hexadecimal value. The same id twice cancels itself, in any order. */
export function xorIds(accumulated: string, id: string): string {
  return (BigInt(`0x${accumulated}`) ^ BigInt(`0x${id.replaceAll('-', '')}`)).toString(16).padStart(32, '0');
}

/** The receipt of a repository that was never indexed at a ref: it vouches for nothing. */
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
