import type { WorkspaceManifest } from './workspace-manifest.ts';
import { manifestOf } from './workspace-manifest.ts';
import type { DiskOperation } from './workspace-plan.schema.ts';

/**
 * What a manifest asks for in a workspace to which a plan was applied: also for what the plan attaches and links, no more for
 * what it takes away. What a person changes in the manifest later counts as well.
 */
export function manifestAfterPlan(
  manifest: WorkspaceManifest,
  operations: readonly DiskOperation[],
): WorkspaceManifest {
  const repositories = new Map(manifest.repositories.map((repo) => [repo.path, repo]));
  const links = new Map(manifest.links?.map((link) => [`${link.from}/${link.to}`, link]));
  for (const operation of operations) {
    const { does, path, target: name } = operation;
    if (does === 'detach') repositories.delete(path);
    else if (does === 'clone') {
      const { origin, branch } = operation;
      const [plain] = manifestOf([{ name, path }]).repositories;
      const known = repositories.get(path) ?? plain;
      if (known !== undefined) repositories.set(path, { ...known, origin, branch });
    } else if (does === 'link' || does === 'unlink') {
      const { repo: from, dep: to } = operation;
      if (does === 'link') links.set(`${from}/${to}`, { from, to, type: 'path' });
      else links.delete(`${from}/${to}`);
    }
  }
  const names = new Set([...repositories.values()].map((repo) => repo.name));
  const kept = [...links.values()].filter(({ from, to }) => names.has(from) && names.has(to));
  return { ...manifest, repositories: [...repositories.values()], links: manifest.links === null ? null : kept };
}
