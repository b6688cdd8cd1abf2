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

/** The name of the state in the folder `.graft`. */
export const STATE_FILE = 'state.json';

/** The path of the state of the workspace in a folder. */
export function workspaceStateFile(root: string): string {
  return join(root, GRAFT_FOLDER, STATE_FILE);
}

/** The state of the workspace in a folder. Throws `SchemaMismatch`, and `InvalidConfiguration` for a damaged file. */
export function workspaceStateAt(root: string): Promise<WorkspaceState> {
  return stateIn(workspaceStateFile(root));
}

async function stateIn(file: string): Promise<WorkspaceState> {
  try {
    return readWorkspaceState(await readFile(file, 'utf8'), file);
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'ENOTDIR')) return NO_WORKSPACE_STATE;
    throw error;
  }
}

/**
 * Changes the state of a workspace that this process holds: the file is replaced whole, is on the disk when this resolves,
 * and is removed when nothing is left in it. Repeating it changes nothing. `graft` is a path of its folder `.graft` that no
 * other program can lead elsewhere, by default the plain one.
 */
export async function changeWorkspaceState(
  root: string,
  change: StateChange,
  graft = join(root, GRAFT_FOLDER),
): Promise<void> {
  const file = join(graft, STATE_FILE);
  const before = await stateIn(file);
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
  await syncFolder(graft);
}
