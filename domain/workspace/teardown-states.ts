import { topologyOf } from './topology.ts';
import { linkKey } from './workspace-delta.ts';
import type { SnapshotContent } from './workspace-snapshot.ts';
import type { TeardownMode } from './flows/teardown-flow.ts';

/** What is known about a workspace that ends. */
export interface TeardownFacts {
  readonly current: SnapshotContent;
  /** The state before the first plan; null when it is not known. */
  readonly base: SnapshotContent | null;
  /** The folders that plans have attached. */
  readonly managed: ReadonlySet<string>;
  /** The folders that other workspaces need. */
  readonly needed: ReadonlySet<string>;
  /** The links that the workspace has made ({@link linkKey}). */
  readonly ownLinks: ReadonlySet<string>;
}

/**
 * The two states between which the plan leads that ends a workspace. Repositories that no plan has attached stay, on the
 * branch that a person has chosen; with `clean` those come back that plans have taken away. Links that a repository
 * declares itself are left to it: they are in neither state when they go with it.
 */
export function teardownStates(
  { current, base, managed, needed, ownLinks }: TeardownFacts,
  mode: Exclude<TeardownMode, 'preserve'>,
): { readonly current: SnapshotContent; readonly desired: SnapshotContent } {
  const isLeaving = (path: string): boolean => mode === 'clean' && managed.has(path) && !needed.has(path);
  const staying = current.repos.filter(({ path, 'exists?': isThere }) => isThere && !isLeaving(path));
  const before = new Set(base?.links.map(linkKey));
  const isOurs = (key: string): boolean => ownLinks.has(key) && !before.has(key);
  const names = new Set(staying.map(({ name }) => name));
  const links = current.links.filter((link) => (names.has(link.repo) && names.has(link.dep)) || isOurs(linkKey(link)));
  const returning =
    mode === 'detach' || base === null
      ? []
      : base.repos.filter(
          ({ name, path, 'exists?': isThere }) =>
            isThere && !names.has(name) && !staying.some((other) => other.path === path),
        );
  const returningNames = new Set(returning.map(({ name }) => name));
  const repos = [...staying, ...returning];
  const desired = {
    ...current,
    repos,
    deps: current.deps.filter(({ repo }) => names.has(repo)),
    links: links.filter((link) => !isOurs(linkKey(link))),
    git: [
      ...current.git.filter(({ repo }) => names.has(repo)),
      ...(base?.git ?? []).filter(({ repo }) => returningNames.has(repo)),
    ],
    diagnostics: [],
  };
  return { current: { ...current, links }, desired: { ...desired, topology: topologyOf(desired) } };
}
