import { readFile, realpath } from 'node:fs/promises';
import { isAbsolute, join, resolve } from 'node:path';
import { workspacePath } from '../../../domain/workspace/desired-snapshot.ts';
import { LonghaulError } from '../../../domain/shared/failures.ts';
import { hasCode } from '../../../platform/error-code.ts';
import { findLayout } from '../../mgit/layout.ts';
import { readRepositories, type ReadWorkspaceOptions } from '../read-workspace.ts';
import { workspacesOfHost } from '../workspace-registration.ts';
import { readWorkspaceManifest, repositoriesOnDisk } from '../workspace-manifest-file.ts';

/**
 * Which of these folders below `root` other workspaces of the host need: as the origin of a clone, as the repository of a
 * work tree, or for its objects. The value says which one needs it, as the rest of a sentence. A workspace that is gone needs
 * nothing. What counts is what is on the disk, whatever a manifest says. Throws `PlanPreconditionFailed` with the name of a
 * workspace that cannot be read.
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
  const found = await readWorkspaceManifest(root, options.signal).catch(unread);
  const there = await repositoriesOnDisk(root, options.signal).catch(unread);
  if (there === null || (found === null && there.passedOver.length > 0)) {
    const why = `What the workspace ${root} needs cannot be read: repair its manifest and its folders, or end it first.`;
    throw new LonghaulError('PlanPreconditionFailed', why);
  }
  const repositories = new Map(
    // names may be those of the manifest
    [
      ...there.manifest.repositories.map((repo) => ({ ...repo, name: repo.path })),
      ...(found?.manifest.repositories ?? []),
    ].map((repo) => [repo.path, repo]),
  );
  const all = { ...there, manifest: { ...there.manifest, repositories: [...repositories.values()] } };
  const { snapshot } = await readRepositories(root, all, options);
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

function unread(error: unknown): null {
  if (error instanceof LonghaulError) return null;
  throw error;
}

function absent(error: unknown): null {
  if (hasCode(error, 'ENOENT', 'ENOTDIR')) return null;
  throw error;
}
