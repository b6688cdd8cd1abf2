import { lstat, readFile } from 'node:fs/promises';
import { workspacePath } from '../../domain/workspace/desired-snapshot.ts';
import { type LinkDrift, linkDrift, repoDrift, type RepoDrift } from '../../domain/workspace/workspace-drift.ts';
import { hasCode } from '../../platform/error-code.ts';
import type { ReadWorkspace } from './read-workspace.ts';
import { workspaceStateAt } from './workspace-state-file.ts';

/** How a workspace on the disk differs from what it shall be. */
export interface ReadDrift {
  readonly repos: readonly RepoDrift[];
  readonly links: readonly LinkDrift[];
}

/**
 * Compares a workspace that was read with its manifest and `.graft/state.json`, by bytes and never by times. Nothing is
 * written. Throws `SchemaMismatch` and `InvalidConfiguration` for a state that cannot be read.
 */
export async function readDrift({ snapshot, manifest }: ReadWorkspace): Promise<ReadDrift> {
  const { root } = snapshot;
  const state = await workspaceStateAt(root);
  const wanted = new Set(manifest.repositories.map(({ path }) => path));
  const leftOver: string[] = [];
  for (const { path } of state.repos) {
    if (!wanted.has(path) && (await lstat(workspacePath(root, path)).catch(absent)) !== null) leftOver.push(path);
  }
  const texts = new Map<string, string>();
  for (const { mix_exs_path: path } of state.entries) {
    // the state may have come from another folder
    const text = path.startsWith(`${root}/`) ? await readFile(path, 'utf8').catch(absent) : null;
    if (text !== null) texts.set(path, text);
  }
  const facts = { manifest, state, leftOver, texts };
  return { repos: repoDrift(snapshot, facts), links: linkDrift(snapshot, facts) };
}

function absent(error: unknown): null {
  if (hasCode(error, 'ENOENT', 'ENOTDIR')) return null;
  throw error;
}
