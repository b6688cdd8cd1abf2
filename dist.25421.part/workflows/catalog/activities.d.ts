import { type ActivityInterfaceFor } from '@temporalio/workflow';
import type { CatalogActivities } from '../../activities/catalog.ts';
/** The task queue of the workers that have git and disk. */
export declare const REPOS_QUEUE = "longhaul-repos";
/** Finding out what there is to do: minutes at most, and cheap to ask again. */
export declare const finding: ActivityInterfaceFor<CatalogActivities>;
/**
 * Writing to the index: a first run over a huge repository takes hours. It heartbeats, so that a dead worker is noticed
 * within seconds, and it may be cancelled at any moment: the receipt is written last.
 */
export declare const indexing: ActivityInterfaceFor<CatalogActivities>;
