import { lstat, readdir, readFile, rm, rmdir, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { LonghaulError } from '../../../domain/shared/failures.ts';
import { hasCode } from '../../../platform/error-code.ts';
import { hasOpenPlan } from '../plan-run.ts';
import { VALIDATION_FILES } from '../validation/validation-files.ts';
import { changeWorkspaceState, workspaceStateAt } from '../workspace-state-file.ts';
import { GRAFT_FOLDER, holdWorkspace, OWN_IGNORE } from '../workspace-lock.ts';
import { folderOfWorkspace } from '../workspace-registration.ts';

/**
 * Forgets a workspace: what this host knows about it, and, unless `keepsFiles`, the files of Longhaul in it. Repositories
 * stay as they are. Repeating it changes nothing. Returns what is left in `.graft`, because it is not ours. Throws
 * `PlanPreconditionFailed` while a plan is in progress, and `WorkspaceBusy`.
 */
export async function endWorkspace(
  root: string,
  dataDir: string,
  { keepsFiles, signal }: { readonly keepsFiles: boolean; readonly signal?: AbortSignal | undefined },
): Promise<readonly string[]> {
  const folder = folderOfWorkspace(dataDir, root);
  const graft = join(root, GRAFT_FOLDER);
  if ((await lstat(folder).catch(absent)) === null && (keepsFiles || (await lstat(graft).catch(absent)) === null))
    return [];
  const held = await holdWorkspace(root, { dataDir, signal });
  try {
    if (await hasOpenPlan(root, dataDir))
      throw new LonghaulError('PlanPreconditionFailed', `A plan is in progress in ${root}: undo it first.`);
    if (!keepsFiles) {
      const { repos } = await workspaceStateAt(root);
      await changeWorkspaceState(root, { attached: [], detached: repos.map(({ path }) => path) });
    }
  } finally {
    await held.leave('open');
  }
  await rm(folder, { recursive: true, force: true });
  if (keepsFiles) return [];
  for (const name of VALIDATION_FILES) await rm(join(graft, name), { force: true });
  const names = (await readdir(graft).catch(absent)) ?? [];
  const others = names.filter((name) => name !== '.gitignore');
  const ignore = join(graft, '.gitignore');
  // one that Graft or a person made stays
  if (others.length > 0 || (await readFile(ignore, 'utf8').catch(absent)) !== OWN_IGNORE)
    return others.map((name) => join(graft, name));
  await unlink(ignore);
  await rmdir(graft);
  return [];
}

function absent(error: unknown): null {
  if (hasCode(error, 'ENOENT', 'ENOTDIR')) return null;
  throw error;
}
