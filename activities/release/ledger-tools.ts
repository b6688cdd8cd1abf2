import type { BlobStore } from '../blobs/blob-store.ts';
import type { Canceller, RunningFlow } from '../ledger/acting-flow.ts';
import type { LedgerDatabase } from '../ledger/open-ledger.ts';

/** Tools of the activities of the ledger. */
export interface LedgerTools {
  /** With the writer's login. */
  readonly ledger: LedgerDatabase;
  /** The address of the ledger, for messages. */
  readonly url: string;
  readonly blobs: BlobStore;
  /** Whether people are configured. */
  readonly hasPeople: boolean;
  /** The channels that promotions are announced to. */
  readonly announce: readonly string[];
  /** Who cancelled a run, and why, as Temporal's history says; null for a run that was not cancelled. */
  readonly cancelledBy: (run: Pick<RunningFlow, 'workflowId' | 'runId'>) => Promise<Canceller | null>;
}
