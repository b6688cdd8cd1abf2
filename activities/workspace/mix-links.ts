import { open, rename, rm } from 'node:fs/promises';
import { dirname, join, posix } from 'node:path';
import { LonghaulError } from '../../domain/shared/failures.ts';
import { linkedDeclaration, type LinkOnPlan, linkPairs, type MixLinkChange } from '../../domain/workspace/mix-link.ts';
import type { Dependency } from '../../domain/workspace/package-manifest.ts';
import type { WorkspaceSnapshot } from '../../domain/workspace/workspace-snapshot.ts';
import type { LinkEntry } from '../../domain/workspace/workspace-state.ts';
import { sha256 } from '../../platform/sha256.ts';
import { temporaryPath } from '../../platform/temporary.ts';
import { openUntrusted } from '../../platform/untrusted-file.ts';
import { syncFolder } from '../../platform/whole-file.ts';
import type { Git } from '../git/git.ts';
import { readPackageManifests } from './manifests/read-package-manifests.ts';
import { GRAFT_FOLDER, holdWorkspace } from './workspace-lock.ts';
import { changeWorkspaceState, workspaceStateAt } from './workspace-state-file.ts';

/**
 * Plans that packages of Elixir are taken from the folders of the workspace, by all repositories that need them. Only
 * declarations that are literals can be rewritten: another one is a warning. Nothing is written.
 */
export async function planLinkOn(
  { root, repos, deps }: WorkspaceSnapshot,
  apps: readonly string[],
  git: Git,
): Promise<LinkOnPlan> {
  const repoOf = new Map(
    repos.flatMap(({ name, packages }) =>
      packages.flatMap((one) => (one.ecosystem === 'hex' && one.name !== null ? [[one.name, name] as const] : [])),
    ),
  );
  const byName = new Map(repos.map((repo) => [repo.name, repo]));
  const pairs = linkPairs(
    deps.filter(({ ecosystem }) => ecosystem === 'hex'),
    repoOf,
    apps,
  );
  const changes: MixLinkChange[] = [];
  const warnings: string[] = [];
  const texts = new Map<string, string>();
  for (const { repo: name, app } of pairs) {
    const [repo, target] = [byName.get(name), byName.get(repoOf.get(app) ?? '')];
    if (repo === undefined || target === undefined) continue;
    const { packages } = await readPackageManifests(repo.absolute_path, { git });
    for (const one of packages.filter(({ ecosystem }) => ecosystem === 'hex')) {
      const dependency = one.dependencies.find((each) => each.name === app);
      if (dependency === undefined) continue;
      const path = join(repo.absolute_path, one.file);
      const before = texts.get(path) ?? (await textAt(path));
      const { source, raw: preimage } = dependency;
      if (source === 'unknown' || source === 'workspace' || before === null || !isOnce(before, preimage)) {
        warnings.push(`${one.file} of ${name} declares ${app} in a form that is not rewritten: ${preimage}`);
        continue;
      }
      const provider = target.packages.find((each) => each.ecosystem === 'hex' && each.name === app);
      const from = posix.join(repo.path, posix.dirname(one.file));
      const to = posix.join(target.path, posix.dirname(provider?.manifest ?? 'mix.exs'));
      const changed = source !== 'path';
      const replacement = changed
        ? linkedDeclaration(dependency satisfies Dependency, posix.relative(from, to))
        : preimage;
      const after = replaced(before, preimage, replacement);
      texts.set(path, after);
      changes.push({
        repo: name,
        repo_path: repo.absolute_path,
        target_app: app,
        mix_exs_path: path,
        mix_exs_before_hash: sha256(before),
        mix_exs_after_hash: sha256(after),
        preimage,
        replacement,
        changed,
      });
    }
  }
  if (changes.some(({ mix_exs_path: path }) => !path.startsWith(`${root}/`)))
    throw new Error('a path is outside the root');
  return {
    target_apps: [...apps].sort(),
    affected_repos: [...new Set(changes.map(({ repo }) => repo))],
    changes,
    warnings,
  };
}

/**
 * Makes the links of a plan, all of them or none. They are in `.graft/state.json`, on the disk, before the first file is
 * replaced: after a crash, `status --drift` says which are missing, the same command makes them, and `link off` takes back
 * what was made. Throws `PlanPreconditionFailed` for a file that has changed since the plan; everything is as before then.
 */
export async function makeLinks(root: string, dataDir: string, { changes }: LinkOnPlan): Promise<void> {
  const entries = changes
    .filter(({ changed }) => changed)
    .map(({ changed: _changed, ...entry }): LinkEntry => ({ ...entry, operation: 'link_on' }));
  if (entries.length === 0) return;
  const workspace = await holdWorkspace(root, { dataDir });
  try {
    await changeWorkspaceState(root, { linked: entries });
    const made: LinkEntry[] = [];
    try {
      for (const entry of entries) {
        await rewrite(root, entry.mix_exs_path, entry.preimage, entry.replacement);
        made.push(entry);
      }
    } catch (error) {
      for (const entry of made.toReversed()) await rewrite(root, entry.mix_exs_path, entry.replacement, entry.preimage);
      await changeWorkspaceState(root, { unlinked: entries });
      throw error;
    }
  } finally {
    await workspace.leave('committed');
  }
}

/** The recorded links to these packages, and the others. Throws `InvalidInput` for a package without one. */
export async function recordedLinks(
  root: string,
  apps: readonly string[],
): Promise<{ readonly taken: readonly LinkEntry[]; readonly left: readonly LinkEntry[] }> {
  const { entries } = await workspaceStateAt(root);
  const outside = entries.find(({ mix_exs_path: path }) => !path.startsWith(`${root}/`));
  if (outside !== undefined)
    throw new LonghaulError(
      'PlanPreconditionFailed',
      `${outside.mix_exs_path} is not below ${root}: it is not changed.`,
    );
  const isTaken = ({ target_app: app }: LinkEntry): boolean => apps.includes(app);
  return { taken: entries.filter(isTaken), left: entries.filter((entry) => !isTaken(entry)) };
}

/**
 * Takes links back, all of them or none: in each file only the declaration is put back, whatever else was changed in it. One that
 * is back already is only forgotten. Returns true when no state is left. Throws `PlanPreconditionFailed` for a file that has
 * neither declaration: that is for a person.
 */
export async function takeLinksBack(root: string, dataDir: string, entries: readonly LinkEntry[]): Promise<boolean> {
  const workspace = await holdWorkspace(root, { dataDir });
  try {
    const made: LinkEntry[] = [];
    try {
      for (const entry of entries) {
        const text = await textAt(entry.mix_exs_path);
        if (text?.includes(entry.replacement) !== true && text?.includes(entry.preimage) === true) continue;
        await rewrite(root, entry.mix_exs_path, entry.replacement, entry.preimage);
        made.push(entry);
      }
    } catch (error) {
      for (const entry of made.toReversed()) await rewrite(root, entry.mix_exs_path, entry.preimage, entry.replacement);
      throw error;
    }
    await changeWorkspaceState(root, { unlinked: entries });
    const { entries: left, repos } = await workspaceStateAt(root);
    return left.length + repos.length === 0;
  } finally {
    await workspace.leave('committed');
  }
}

/** Replaces a text that is in a file exactly once; the file keeps its mode, is replaced whole, and is on the disk then. */
async function rewrite(root: string, path: string, from: string, to: string): Promise<void> {
  const file = await openUntrusted(path);
  if (file === null) throw new LonghaulError('PlanPreconditionFailed', `${path} is no regular file below ${root}.`);
  const writing = temporaryPath(join(root, GRAFT_FOLDER, 'mix.exs'));
  try {
    const { mode } = await file.stat();
    const text = await file.readFile('utf8');
    if (!isOnce(text, from)) {
      throw new LonghaulError(
        'PlanPreconditionFailed',
        `${path} was changed: it does not have ${from} exactly once. Put ${to} in its place by hand.`,
      );
    }
    const handle = await open(writing, 'wx', mode & 0o777);
    try {
      await handle.chmod(mode & 0o777);
      await handle.writeFile(replaced(text, from, to));
      await handle.sync();
    } finally {
      await handle.close();
    }
    // an editor may have saved it meanwhile
    if ((await textAt(path)) !== text)
      throw new LonghaulError('PlanPreconditionFailed', `${path} was changed meanwhile.`);
    await rename(writing, path);
    await syncFolder(dirname(path));
  } finally {
    await file.close();
    await rm(writing, { force: true });
  }
}

function isOnce(text: string, part: string): boolean {
  const at = text.indexOf(part);
  return at >= 0 && text.indexOf(part, at + 1) < 0;
}

/** Not `replace`, which has a meaning for `$`. */
function replaced(text: string, from: string, to: string): string {
  const at = text.indexOf(from);
  return text.slice(0, at) + to + text.slice(at + from.length);
}

async function textAt(path: string): Promise<string | null> {
  const file = await openUntrusted(path);
  if (file === null) return null;
  try {
    return await file.readFile('utf8');
  } finally {
    await file.close();
  }
}
