import { readFile, realpath } from 'node:fs/promises';
import { isAbsolute, join, resolve } from 'node:path';
import { workspacePath } from '../../../domain/workspace/desired-snapshot.ts';
import { LonghaulError } from '../../../domain/shared/failures.ts';
import { hasCode } from '../../../platform/error-code.ts';
import { findLayout } from '../../mgit/layout.ts';
import { readRepositories, type ReadWorkspaceOptions } from '../read-workspace.ts';
import { workspacesOfHost } from '../workspace-registration.ts';
import { readWorkspaceManifest } from '../workspace-manifest-file.ts';

/**
 * Which of these folders below `root` other workspaces of the host need: as the origin of a clone, as the repository of a
 * work tree, or for its objects. The value says which one needs it, as the rest of a sentence. A workspace that is gone needs
 * nothing; one that cannot be read is taken to need nothing but what its files say.
 */
export async function neededElsewhere(
  dataDir: string,
  root: string,
  folders: readonly string[],
  options: ReadWorkspaceOptions,
): Promise<ReadonlyMap<string, string>> {
  const needed = new Map<string, string>();
  if (folders.length === 0) return needed;
  for (const other of await workspacesOfHost(dataDir)) {
    if (other === root) continue;
    const real = await realpath(other).catch(absent);
    if (real === null) continue;
    for (const { name, place } of await placesUsedBy(real, options)) {
      const folder = folders.find((each) => `${place}/`.startsWith(`${workspacePath(root, each)}/`));
      if (folder !== undefined) needed.set(folder, `the repository ${name} of ${other} comes from it`);
    }
  }
  return needed;
}

/** The real paths on this disk that the repositories of a workspace depend on. */
async function placesUsedBy(
  root: string,
  options: ReadWorkspaceOptions,
): Promise<readonly { readonly name: string; readonly place: string }[]> {
  const found = await readWorkspaceManifest(root, options.signal).catch((error: unknown) => {
    if (error instanceof LonghaulError) return null;
    throw error;
  });
  if (found === null) return [];
  const { snapshot } = await readRepositories(root, found, options);
  const used: { name: string; place: string }[] = [];
  for (const { name, absolute_path: folder, origin } of snapshot.repos) {
    const layout = await findLayout(folder);
    const objects = layout === null ? null : join(layout.commonDir, 'objects');
    const named = objects === null ? '' : await readFile(join(objects, 'info', 'alternates'), 'utf8').catch(absent);
    const places = [
      ...(layout === null ? [] : [layout.commonDir]),
      ...(origin === null ? [] : [origin.replace(/^file:\/\//, '')].filter((place) => isAbsolute(place))),
      ...(named ?? '')
        .split('\n')
        .filter((line) => line !== '' && !line.startsWith('#'))
        .map((line) => resolve(objects ?? '', line)),
    ];
    for (const place of places) used.push({ name, place: (await realpath(place).catch(absent)) ?? place });
  }
  return used;
}

function absent(error: unknown): null {
  if (hasCode(error, 'ENOENT', 'ENOTDIR')) return null;
  throw error;
}
