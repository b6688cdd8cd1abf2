import { type GroupRun, type GroupView, viewGroups } from '../activities/groups/view.ts';
import { isBeingRemoved } from '../domain/catalog/plan.ts';
import type { Receipt } from '../domain/catalog/receipt.ts';
import type { CliContext } from './cli/context.ts';
import { connectTemporal } from './cli/servers.ts';
import { readReceipts } from './plan.ts';

/** A repository of the index. */
export interface RepositoryView extends Pick<Receipt, 'repository' | 'files' | 'objects' | 'indexedAt'> {
  /** `unfinished` when a run is under way, or broke off. */
  readonly state: 'complete' | 'unfinished';
}

/** The fleet at a glance. */
export interface FleetView {
  /** When it was looked at, ISO 8601. */
  readonly at: string;
  /** `index.name` in longhaul.yaml. */
  readonly index: string;
  readonly repositories: readonly RepositoryView[];
  readonly groups: readonly GroupView[];
  /** The latest runs of groups that Temporal remembers, oldest first. */
  readonly runs: readonly GroupRun[];
}

/** Looks at the index and at the groups. Throws `ServerUnavailable`. */
export async function viewFleet(context: CliContext): Promise<FleetView> {
  const index = context.config.index.name;
  const session = await connectTemporal(context);
  try {
    const [receipts, { groups, runs }] = await Promise.all([readReceipts(context), viewGroups(session.client, index)]);
    return {
      at: new Date().toISOString(),
      index,
      repositories: receipts.filter((receipt) => !isBeingRemoved(receipt)).map(repositoryView),
      groups,
      runs,
    };
  } finally {
    await session.close();
  }
}

function repositoryView({ repository, files, objects, indexedAt, pending }: Receipt): RepositoryView {
  return { repository, files, objects, indexedAt, state: pending === null ? 'complete' : 'unfinished' };
}
