import type { DiskOperation } from '../../domain/workspace/workspace-plan.schema.ts';
import type { StateChange } from '../../domain/workspace/workspace-state.ts';
import { deleteTaken, type EndingTools } from './end-plan.ts';
import { lastEntry } from './plan-journal.ts';
import { GRAFT_FOLDER } from './workspace-lock.ts';
import { changeWorkspaceState, STATE_FILE } from './workspace-state-file.ts';

/** How the operations of a plan change the state of a workspace. */
export function stateChangeOf(plan: string, operations: readonly DiskOperation[]): StateChange {
  const attached = operations.flatMap(({ does, target: name, path }) =>
    does === 'clone' ? [{ name, path, ownership: 'managed' as const, plan }] : [],
  );
  const taken = new Set(attached.map(({ path }) => path));
  const detached = operations.flatMap(({ does, path }) => (does === 'detach' && !taken.has(path) ? [path] : []));
  return { attached, detached };
}

/**
 * Finishes a plan that is committed, as its journal says: writes `.graft/state.json`, and deletes what was taken away. It
 * can be interrupted and repeated. Returns the folders that were kept ({@link deleteTaken}).
 */
export async function finishPlan(run: EndingTools): Promise<readonly string[]> {
  const { root, journal } = run.ground;
  const change = lastEntry(journal, 'committed')?.change;
  if (change !== undefined)
    await run.ground.inFolderOf(`${GRAFT_FOLDER}/${STATE_FILE}`, (graft) =>
      changeWorkspaceState(root, change, graft.at()),
    );
  return deleteTaken(run);
}
