import { readFile, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { readWorkspaceState } from '../../domain/workspace/workspace-state.schema.ts';
import {
  changedState,
  isEmptyState,
  NO_WORKSPACE_STATE,
  STATE_VERSION,
  type StateChange,
  type WorkspaceState,
} from '../../domain/workspace/workspace-state.ts';
import { hasCode } from '../../platform/error-code.ts';
import { syncFolder, writeWhole } from '../../platform/whole-file.ts';
import { GRAFT_FOLDER } from './workspace-lock.ts';

/** The path of the state of the workspace in a folder. */
export function workspaceStateFile(root: string): string {
  return join(root, GRAFT_FOLDER, 'state.json');
}

/** The state of the workspace in a folder. Throws `SchemaMismatch`, and `InvalidConfiguration` for a damaged file. */
export async function workspaceStateAt(root: string): Promise<WorkspaceState> {
  const file = workspaceStateFile(root);
  try {
    return readWorkspaceState(await readFile(file, 'utf8'), file);
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'ENOTDIR')) return NO_WORKSPACE_STATE;
    throw error;
  }
}

/**
 * Changes the state of a workspace that this process holds: the file is replaced whole, is on the disk when this resolves,
 * and is removed when nothing is left in it. Repeating it changes nothing.
 */
export async function changeWorkspaceState(root: string, change: StateChange): Promise<void> {
  const file = workspaceStateFile(root);
  const before = await workspaceStateAt(root);
  const after = changedState(before, change);
  if (JSON.stringify(after) === JSON.stringify(before)) return;
  if (!isEmptyState(after)) {
    const content = {
      version: STATE_VERSION,
      workspace_root: root,
      generated_at: new Date().toISOString(),
      ...after,
    };
    return writeWhole(file, `${JSON.stringify(content, null, 2)}\n`);
  }
  await unlink(file);
  await syncFolder(join(root, GRAFT_FOLDER));
}
