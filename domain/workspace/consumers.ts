import { LonghaulError } from '../shared/failures.ts';
import { compareTexts } from './canonical-snapshot.ts';
import { desiredSnapshot } from './desired-snapshot.ts';
import { slugOf } from './intent/estate.ts';
import { topologyOf } from './topology.ts';
import type { DesiredLink, DesiredRepo, WorkspaceManifest } from './workspace-manifest.ts';
import type { SnapshotContent, WorkspaceTopology } from './workspace-snapshot.ts';

/** A repository that needs another one. */
export interface FoundConsumer {
  readonly name: string;
  /** 1 when it needs it directly, 2 through another one, and so on. */
  readonly depth: number;
}

/**
 * The repositories that need a repository, directly or through others, at most `depth` steps away, each after those that
 * it needs. The repository itself is not among them, also in a cycle.
 */
export function consumersOf(
  { consumers, topological_order: order }: Pick<WorkspaceTopology, 'consumers' | 'topological_order'>,
  name: string,
  depth: number | null = null,
): FoundConsumer[] {
  const found = new Map<string, number>([[name, 0]]);
  let next = [name];
  const last = depth ?? Infinity;
  for (let step = 1; next.length > 0 && step <= last; step++) {
    const reached = next.flatMap((each) => consumers[each] ?? []).filter((each) => !found.has(each));
    next = [...new Set(reached)];
    for (const each of next) found.set(each, step);
  }
  return order.flatMap((each) => {
    const steps = found.get(each);
    return steps === undefined || steps === 0 ? [] : [{ name: each, depth: steps }];
  });
}

/** What a workspace needs so that a change can be tried in everything that needs it. */
export interface ConsumerWorkspace {
  /** In topological order. */
  readonly consumers: readonly FoundConsumer[];
  readonly links: readonly DesiredLink[];
  /** The workspace with the consumers, linked to the repository and to each other. */
  readonly desired: SnapshotContent;
}

/**
 * The state of a workspace in which the consumers of its repository `name` are attached and linked to it. Consumers are
 * looked for in the workspace, and in `others`, another folder's; one of these is cloned from its remote, or from its
 * folder where it has none. Throws `InvalidInput` when the workspace has no such repository.
 */
export function consumerWorkspace(
  current: SnapshotContent,
  manifest: WorkspaceManifest,
  {
    name,
    others,
    depth,
  }: { readonly name: string; readonly others: SnapshotContent | null; readonly depth: number | null },
): ConsumerWorkspace {
  if (!current.repos.some((repo) => repo.name === name)) {
    throw new LonghaulError('InvalidInput', `The workspace has no repository ${name}: add the one that changes first.`);
  }
  const added = addedFrom(current, others);
  const known = {
    repos: [...current.repos, ...added.repos],
    deps: [...current.deps, ...added.deps],
    links: current.links,
  };
  const topology = topologyOf(known);
  const consumers = consumersOf(topology, name, depth);
  const chosen = new Set([name, ...consumers.map((one) => one.name)]);
  const links = topology.topological_order
    .filter((from) => chosen.has(from) && from !== name)
    .flatMap((from) =>
      (topology.providers[from] ?? [])
        .filter((to) => chosen.has(to))
        .map((to): DesiredLink => ({ from, to, type: 'path' })),
    );
  const attached = added.repos.filter((repo) => chosen.has(repo.name));
  const repositories: readonly DesiredRepo[] = [
    ...manifest.repositories,
    ...attached.map((repo) => ({
      name: repo.name,
      path: repo.name,
      origin: repo.origin ?? repo.absolute_path,
      branch: null,
      role: 'read' as const,
      setup: [],
      commands: {},
    })),
  ];
  const linked =
    manifest.links ??
    current.links.flatMap(({ repo, dep, type, files }) => (files.length === 0 ? [] : [{ from: repo, to: dep, type }]));
  const desired = desiredSnapshot(current, { ...manifest, repositories, links: [...linked, ...links] });
  const packages = new Map(attached.map((repo) => [repo.name, repo.packages]));
  const content = {
    ...desired,
    // what they need is known before they are there: whether it fits is checked before they are linked
    repos: desired.repos.map((repo) => ({ ...repo, packages: packages.get(repo.name) ?? repo.packages })),
    deps: [...desired.deps, ...added.deps.filter((dep) => packages.has(dep.repo))],
  };
  return { consumers, links, desired: { ...content, topology: topologyOf(content) } };
}

/** The repositories of another folder that the workspace does not have, by name or address, and what they need. */
function addedFrom(current: SnapshotContent, others: SnapshotContent | null): Pick<SnapshotContent, 'repos' | 'deps'> {
  const names = new Set(current.repos.map(({ name }) => name));
  const slugs = new Set(current.repos.flatMap(({ origin }) => (origin === null ? [] : (slugOf(origin) ?? []))));
  const repos = (others?.repos ?? [])
    .filter((repo) => repo['exists?'] && !names.has(repo.name))
    .filter(({ origin }) => origin === null || !slugs.has(slugOf(origin) ?? ''))
    .toSorted((a, b) => compareTexts(a.name, b.name));
  const kept = new Set(repos.map(({ name }) => name));
  return { repos, deps: (others?.deps ?? []).filter(({ repo }) => kept.has(repo)) };
}
