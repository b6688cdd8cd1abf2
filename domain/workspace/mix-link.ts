import type { Dependency } from './package-manifest.ts';
import type { LinkEntry } from './workspace-state.ts';

/** A dependency in a `mix.exs` that a link changes, or that is linked already. Keys are those of Graft. */
export interface MixLinkChange extends Omit<LinkEntry, 'operation'> {
  /** False for one that is taken from the folder already. */
  readonly changed: boolean;
}

/** What `link on` does. */
export interface LinkOnPlan {
  readonly target_apps: readonly string[];
  readonly affected_repos: readonly string[];
  /** By repository and package; those of one file after each other, so that their digests follow from each other. */
  readonly changes: readonly MixLinkChange[];
  /** What cannot be linked, a sentence each. */
  readonly warnings: readonly string[];
}

/** Options of a declaration that say where it comes from: a folder replaces them. */
const ORIGINS = new Set([
  'path',
  'git',
  'github',
  'branch',
  'tag',
  'ref',
  'submodules',
  'sparse',
  'hex',
  'organization',
  'repo',
]);

/** A declaration in a `mix.exs` that takes its package from a folder; its other options are kept, in their order. */
export function linkedDeclaration({ name, alias, raw, options }: Dependency, folder: string): string {
  const kept = options.filter((option) => !ORIGINS.has(option.name)).map((option) => `, ${option.name}: ${option.raw}`);
  const path = `path: ${JSON.stringify(folder)}${kept.join('')}`;
  const atom = alias ?? name;
  // `name: "requirement"` in a keyword list stays a pair of it
  return raw.startsWith('{') ? `{:${atom}, ${path}}` : `${atom}: [${path}]`;
}

/** The pairs of a repository and a package that linking these packages asks for: consumers of a linked one are linked, too. */
export function linkPairs(
  deps: readonly { readonly repo: string; readonly app: string }[],
  repoOf: ReadonlyMap<string, string>,
  apps: readonly string[],
): readonly { readonly repo: string; readonly app: string }[] {
  const appsOf = new Map<string, string[]>();
  for (const [app, repo] of repoOf) appsOf.set(repo, [...(appsOf.get(repo) ?? []), app]);
  const pairs = new Map<string, { readonly repo: string; readonly app: string }>();
  const waiting = [...apps];
  const seen = new Set(waiting);
  for (let app = waiting.pop(); app !== undefined; app = waiting.pop()) {
    for (const { repo, app: needed } of deps) {
      if (needed !== app || repoOf.get(app) === repo) continue;
      pairs.set(`${repo}\0${app}`, { repo, app });
      for (const next of appsOf.get(repo) ?? []) {
        if (!seen.has(next)) waiting.push(next);
        seen.add(next);
      }
    }
  }
  return [...pairs].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, pair]) => pair);
}

/** `link on` as Graft's JSON: what would be done, or has been. */
export function linkOnJson(
  root: string,
  { target_apps, affected_repos, changes, warnings }: LinkOnPlan,
  done: { readonly state_path: string; readonly duration_ms: number } | null,
): object {
  const common = { operation: 'link_on', workspace_root: root, generated_at: new Date().toISOString() };
  const shared = { ...common, target_apps, affected_repos, warnings, dry_run: done === null };
  const shown = changes.map(({ repo, repo_path, target_app, preimage, replacement, mix_exs_before_hash, ...rest }) => ({
    common: {
      repo,
      repo_path,
      target_app,
      dependency_source_before: preimage,
      dependency_source_after: replacement,
      mix_exs_before_hash,
    },
    ...rest,
  }));
  if (done === null) {
    const list = shown.map((one) => ({
      ...one.common,
      proposed_mix_exs_after_hash: one.mix_exs_after_hash,
      changed: one.changed,
    }));
    return { ...shared, changes: list };
  }
  const list = shown
    .filter(({ changed }) => changed)
    .map((one) => ({ ...one.common, mix_exs_after_hash: one.mix_exs_after_hash }));
  return { ...shared, applied_changes: list, ...done };
}

function namesOf(names: readonly string[]): string[] {
  return [...new Set(names)].sort();
}

/** `link off` as Graft's JSON: what would be done, or has been. */
export function linkOffJson(
  root: string,
  targets: readonly string[],
  { taken, left }: { readonly taken: readonly LinkEntry[]; readonly left: readonly LinkEntry[] },
  done: { readonly state_path: string; readonly state_deleted: boolean; readonly duration_ms: number } | null,
): object {
  const shared = {
    operation: 'link_off',
    workspace_root: root,
    generated_at: new Date().toISOString(),
    dry_run: done === null,
    target_apps: targets,
    affected_repos: namesOf(taken.map(({ repo }) => repo)),
    remaining_entries: left.length,
    remaining_target_apps: namesOf(left.map(({ target_app: app }) => app)),
  };
  const list = taken.map(({ operation: _operation, ...entry }) => entry);
  if (done === null) return { ...shared, restorations: list, warnings: [] };
  const restored = list.map(({ mix_exs_before_hash: _before, mix_exs_after_hash: _after, ...entry }) => entry);
  return { ...shared, restored, ...done };
}
