import canonicalize from 'canonicalize';
import { LonghaulError } from '../shared/failures.ts';
import type { AnyJson } from './any-json.ts';
import type { SnapshotContent } from './workspace-snapshot.ts';

/** Compares texts by their UTF-16 code units, in every locale alike. */
export function compareTexts(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** The items in the order of their keys, which are compared one after the other. */
export function inKeyOrder<Item>(
  items: readonly Item[],
  keysOf: (item: Item) => readonly (string | null)[],
): readonly Item[] {
  const keyed = items.map((item) => ({ item, keys: keysOf(item) }));
  keyed.sort((a, b) => {
    for (const [at, key] of a.keys.entries()) {
      const order = compareTexts(key ?? '', b.keys[at] ?? '');
      if (order !== 0) return order;
    }
    return 0;
  });
  return keyed.map(({ item }) => item);
}

/**
 * A snapshot with its lists in their order: repositories by name, their packages by manifest, dependencies by
 * repository, manifest, name and declaration, links and states of git by repository, diagnostics by repository, kind,
 * file, line and message. `setup` and `topological_order` have an order of their own.
 */
export function orderSnapshot<Content extends SnapshotContent>(snapshot: Content): Content {
  return {
    ...snapshot,
    repos: inKeyOrder(snapshot.repos, ({ name }) => [name]).map((repo) => ({
      ...repo,
      packages: inKeyOrder(repo.packages, ({ manifest, ecosystem, name }) => [manifest, ecosystem, name]),
    })),
    deps: inKeyOrder(snapshot.deps, ({ repo, manifest, app, raw }) => [repo, manifest, app, raw]),
    links: inKeyOrder(snapshot.links, ({ repo, dep }) => [repo, dep]),
    git: inKeyOrder(snapshot.git, ({ repo }) => [repo]),
    diagnostics: inKeyOrder(snapshot.diagnostics, ({ repo, kind, file, line, message }) => [
      repo,
      kind,
      file,
      line === null ? null : String(line).padStart(9, '0'),
      message,
    ]),
  };
}

/** The keys of a recorded validation that say when and where it ran, not what it found. */
const TIMES_AND_PLACES = new Set(['generated_at', 'duration_ms', 'log_path', 'workspace_root', 'repo_path']);

/**
 * The part of a snapshot that is compared: everything but its id, the root and the paths below it, times and durations,
 * and the topology, which follows from the rest. Equal states on two machines are equal here.
 */
export function comparedSnapshot(snapshot: SnapshotContent): object {
  const { repos, deps, links, git, prs, health, diagnostics, validate_result, github, hex, registries } =
    orderSnapshot(snapshot);
  return {
    schema_version: snapshot.schema_version,
    repos: repos.map(({ absolute_path: _path, ...repo }) => repo),
    deps,
    links,
    git: git.map(({ repo_path: _path, ...state }) => state),
    prs,
    health,
    diagnostics,
    validate_result: withoutTimes(validate_result),
    github,
    hex,
    registries,
  };
}

/** The text of a value as RFC 8785 defines it: every program that writes it writes the same bytes. */
export function canonicalText(value: object): string {
  try {
    // undefined is only returned for what is not JSON
    return canonicalize(value) ?? '';
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new LonghaulError('InvalidInput', `A workspace has a text or number that JSON cannot have: ${why}.`, {
      cause: error,
    });
  }
}

function withoutTimes(value: AnyJson): AnyJson {
  if (Array.isArray(value)) return value.map((item: AnyJson) => withoutTimes(item));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([name]) => !TIMES_AND_PLACES.has(name))
      .map(([name, item]: [string, AnyJson]) => [name, withoutTimes(item)]),
  );
}
