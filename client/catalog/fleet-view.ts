import type { Client } from '@temporalio/client';
import { type GroupRun, type GroupView, viewGroups } from '../../activities/catalog/groups/view.ts';
import { branchNames, headReceipts } from '../../domain/catalog/index/refs.ts';
import { isBeingRemoved } from '../../domain/catalog/index/plan.ts';
import type { Receipt } from '../../domain/catalog/index/receipt.ts';
import type { CliContext } from '../core/context.ts';
import { connectTemporal } from '../core/servers.ts';
import { readReceipts } from './builds.ts';

/** An indexed repository; files and objects are those of HEAD. */
export interface RepositoryView extends Pick<Receipt, 'repository' | 'files' | 'objects' | 'indexedAt'> {
  /** `unfinished` when a run over one of its refs is in progress or was interrupted. */
  readonly state: 'complete' | 'unfinished';
  /** Names of the branches that are indexed in addition to HEAD. */
  readonly branches: readonly string[];
}

/** A summary of the fleet. */
export interface FleetReport {
  /** When it was read, ISO 8601. */
  readonly at: string;
  /** `index.name` in longhaul.yaml. */
  readonly index: string;
  readonly repositories: readonly RepositoryView[];
  readonly groups: readonly GroupView[];
  /** The latest runs of groups that Temporal still has, oldest first. */
  readonly runs: readonly GroupRun[];
}

/** Reads the index and the groups. Throws `ServerUnavailable`. */
export async function viewFleet(context: CliContext, client: Client): Promise<FleetReport> {
  const index = context.config.index.name;
  const [receipts, { groups, runs }] = await Promise.all([readReceipts(context), viewGroups(client, index)]);
  const unfinished = new Set(receipts.flatMap(({ repository, pending }) => (pending === null ? [] : [repository])));
  return {
    at: new Date().toISOString(),
    index,
    repositories: headReceipts(receipts)
      .filter((receipt) => !isBeingRemoved(receipt))
      .map((receipt) => repositoryView(receipt, unfinished)),
    groups,
    runs,
  };
}

/** {@link viewFleet} with a connection to Temporal of its own. Throws `ServerUnavailable`. */
export async function connectAndViewFleet(context: CliContext): Promise<FleetReport> {
  const session = await connectTemporal(context);
  try {
    return await viewFleet(context, session.client);
  } finally {
    await session.close();
  }
}

function repositoryView(receipt: Receipt, unfinished: ReadonlySet<string>): RepositoryView {
  const { repository, files, objects, indexedAt } = receipt;
  const state = unfinished.has(repository) ? 'unfinished' : 'complete';
  return { repository, files, objects, indexedAt, state, branches: branchNames(receipt) };
}
