import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { hasCode } from '../../platform/error-code.ts';
import { type FolderIdentity, holdFolder, isSameFolder } from '../../platform/held-folder.ts';
import { sha256 } from '../../platform/sha256.ts';
import { writeWhole } from '../../platform/whole-file.ts';

/** What this host knows about a workspace. */
export interface Registration {
  readonly root: string;
  /** The folder that was there: another one that was made later in its place is another workspace. */
  readonly identity: FolderIdentity;
  /** True when it had no folder `.graft` before, and no plan was committed since. */
  readonly madeGraft: boolean;
}

const FILE = 'workspace.json';
/** The journal of the plan that is in progress, in the same folder. */
export const JOURNAL = 'journal';

/** The folder of a workspace in the data folder of this host, by its real path. */
export function folderOfWorkspace(dataDir: string, root: string): string {
  return join(dataDir, 'workspaces', sha256(root).slice(0, 16));
}

/** What is registered in a folder of {@link folderOfWorkspace}; null for nothing. */
export async function registrationAt(folder: string): Promise<Registration | null> {
  try {
    return JSON.parse(await readFile(join(folder, FILE), 'utf8')) as Registration;
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'ENOTDIR')) return null;
    throw error;
  }
}

/** Registers a workspace. */
export function register(folder: string, registration: Registration): Promise<void> {
  return writeWhole(join(folder, FILE), `${JSON.stringify(registration)}\n`);
}

/** True when what is known in a folder of {@link folderOfWorkspace} is about another folder that was at this path before. */
export async function hasFormer(folder: string, root: string): Promise<boolean> {
  const known = await registrationAt(folder);
  if (known === null) return false;
  const held = await holdFolder(root, '');
  try {
    return !isSameFolder(known.identity, await held.identity());
  } finally {
    await held.close();
  }
}

/** The roots of the workspaces that this host knows, also of those whose folder is gone. */
export async function workspacesOfHost(dataDir: string): Promise<readonly string[]> {
  const all = join(dataDir, 'workspaces');
  const names: string[] = await readdir(all).catch((error: unknown) => {
    if (hasCode(error, 'ENOENT', 'ENOTDIR')) return [];
    throw error;
  });
  const known = await Promise.all(names.toSorted().map((name) => registrationAt(join(all, name))));
  return known.flatMap((each) => (each === null ? [] : [each.root]));
}
