import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { WorkspaceRepo } from '../../domain/workspace/workspace-snapshot.ts';
import { hasCode } from '../../platform/error-code.ts';
import { parseRemote } from '../git/clone-url.ts';
import { findLayout } from '../mgit/layout.ts';

/**
 * The bytes of the packs of each origin that is on this disk, by name of the repository: a clone takes at least as much.
 * Origins elsewhere are left out.
 */
export async function cloneBytesOf(repos: readonly WorkspaceRepo[]): Promise<ReadonlyMap<string, number>> {
  const sizes = new Map<string, number>();
  for (const { name, origin } of repos) {
    const path = origin === null ? null : parseRemote(origin).path;
    const layout = path === null ? null : await findLayout(path);
    if (layout === null) continue;
    const packs = join(layout.commonDir, 'objects', 'pack');
    const names = await readdir(packs).catch((error: unknown) => {
      if (hasCode(error, 'ENOENT')) return [];
      throw error;
    });
    const files = await Promise.all(names.map((file) => stat(join(packs, file))));
    sizes.set(
      name,
      files.reduce((sum, { size }) => sum + size, 0),
    );
  }
  return sizes;
}
