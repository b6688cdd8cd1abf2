import type { BlobStore } from '../../blobs/blob-store.ts';
import type { Clusters } from '../../kubernetes/clusters.ts';
import type { LedgerDatabase } from '../../ledger/open-ledger.ts';
import type { Seal } from './sealed.ts';

/** What a plan is made with. */
export interface PlanTools {
  readonly ledger: LedgerDatabase;
  readonly blobs: BlobStore;
  readonly clusters: Clusters;
  readonly seal: Seal;
  readonly signal: AbortSignal;
  /** Why the repository may not use a context, and whether its cluster no longer exists. */
  readonly contexts: {
    problemOf(context: string): string | null;
    isRetired(context: string): boolean;
  };
}
