import { lstat, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { placedAt } from '../../../domain/workspace/placed-snapshot.ts';
import { readSnapshot } from '../../../domain/workspace/workspace-snapshot.schema.ts';
import type { SnapshotContent, WorkspaceSnapshot } from '../../../domain/workspace/workspace-snapshot.ts';
import { hasCode } from '../../../platform/error-code.ts';
import { writeWhole } from '../../../platform/whole-file.ts';
import { folderOfWorkspace, hasFormer } from '../workspace-registration.ts';

const BASE = 'base.json';

/** Keeps the state before the first plan that changes the workspace at this real path; later ones do not replace it. */
export async function keepBase(dataDir: string, root: string, read: () => Promise<SnapshotContent>): Promise<void> {
  const file = join(folderOfWorkspace(dataDir, root), BASE);
  if ((await lstat(file).catch(absent)) !== null) return;
  // the id follows from the rest
  const kept: WorkspaceSnapshot = { ...(await read()), id: '' };
  await writeWhole(file, `${JSON.stringify(kept)}\n`);
}

/** What {@link keepBase} has kept, as a state of this root; null when there is none. */
export async function baseOf(dataDir: string, root: string): Promise<SnapshotContent | null> {
  const folder = folderOfWorkspace(dataDir, root);
  const file = join(folder, BASE);
  if (await hasFormer(folder, root)) return null;
  const text = await readFile(file, 'utf8').catch(absent);
  if (text === null) return null;
  return placedAt(readSnapshot(JSON.parse(text), file), { root, generated_at: new Date().toISOString() });
}

function absent(error: unknown): null {
  if (hasCode(error, 'ENOENT', 'ENOTDIR')) return null;
  throw error;
}
