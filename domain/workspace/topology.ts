import { compareTexts } from './canonical-snapshot.ts';
import type {
  ReposByRepo,
  WorkspaceDependency,
  WorkspaceLink,
  WorkspaceRepo,
  WorkspaceTopology,
} from './workspace-snapshot.ts';

/** What the topology follows from. */
interface Parts {
  readonly repos: readonly Pick<WorkspaceRepo, 'name' | 'packages'>[];
  readonly deps: readonly Pick<WorkspaceDependency, 'repo' | 'app' | 'ecosystem'>[];
  readonly links: readonly Pick<WorkspaceLink, 'repo' | 'dep'>[];
}

/**
 * Which repository of a workspace needs which: by the packages that they have, and by the links between them. The result
 * depends on names only, not on the order of the lists.
 */
export function topologyOf({ repos, deps, links }: Parts): WorkspaceTopology {
  const names = repos.map(({ name }) => name).sort(compareTexts);
  const at = new Map(names.map((name, index) => [name, index]));
  const owner = packageOwners(repos);
  const needs = names.map(() => new Set<number>());
  const external = new Set<string>();
  const addNeed = (from: string, to: string): void => {
    const [consumer, provider] = [at.get(from), at.get(to)];
    if (consumer !== undefined && provider !== undefined && consumer !== provider) needs[consumer]?.add(provider);
  };
  for (const { repo, app, ecosystem } of deps) {
    const provider = owner.get(packageKey(ecosystem, app));
    if (provider === undefined) external.add(app);
    else addNeed(repo, provider);
  }
  for (const { repo, dep } of links) addNeed(repo, dep);
  const providers = needs.map((each) => [...each].sort((a, b) => a - b));
  const consumers = inverse(providers);
  const groups = groupsOf(providers);
  const order = orderOf(providers, groups);
  const lists = (indices: readonly (readonly number[])[]): ReposByRepo =>
    Object.fromEntries(names.map((name, index) => [name, (indices[index] ?? []).map((each) => names[each] ?? '')]));
  const cycles = groups.members
    .filter((group) => group.length > 1)
    .map((group) => group.map((index) => names[index] ?? ''))
    .sort(([a = ''], [b = '']) => compareTexts(a, b));
  return {
    consumers: lists(consumers),
    providers: lists(providers),
    transitive_dependents: lists(reachable(consumers, order)),
    topological_order: order.map((index) => names[index] ?? ''),
    external_apps: [...external].sort(compareTexts),
    'cyclic?': cycles.length > 0,
    cycles,
  };
}

/** The repository that has a package. Of several, the first by name has it. */
function packageOwners(repos: Parts['repos']): ReadonlyMap<string, string> {
  const owners = new Map<string, string>();
  for (const { name, packages } of repos) {
    for (const each of packages) {
      if (each.name === null) continue;
      const key = packageKey(each.ecosystem, each.name);
      const other = owners.get(key);
      if (other === undefined || compareTexts(name, other) < 0) owners.set(key, name);
    }
  }
  return owners;
}

/** Python compares names of packages without case and punctuation (PEP 503). */
function packageKey(ecosystem: string, name: string): string {
  return `${ecosystem} ${ecosystem === 'python' ? name.toLowerCase().replaceAll(/[-_.]+/g, '-') : name}`;
}

function inverse(lists: readonly (readonly number[])[]): number[][] {
  const result: number[][] = lists.map(() => []);
  for (const [from, list] of lists.entries()) for (const to of list) result[to]?.push(from);
  return result;
}

/** Repositories that need each other, as groups; most have one member. */
interface Groups {
  /** The group of each repository. */
  readonly of: readonly number[];
  /** The members of each group, in their order. */
  readonly members: readonly (readonly number[])[];
}

/** Strongly connected components by Tarjan's algorithm, without recursion: a chain may have thousands of members. */
function groupsOf(next: readonly (readonly number[])[]): Groups {
  const seenAt: (number | undefined)[] = [];
  const lowest: number[] = [];
  const of: (number | undefined)[] = [];
  const members: number[][] = [];
  const stack: number[] = [];
  let seen = 0;
  for (const start of next.keys()) {
    if (seenAt[start] !== undefined) continue;
    const path: { readonly node: number; child: number }[] = [];
    const enter = (node: number): void => {
      seenAt[node] = lowest[node] = seen++;
      stack.push(node);
      path.push({ node, child: 0 });
    };
    enter(start);
    for (let top = path.at(-1); top !== undefined; top = path.at(-1)) {
      const { node } = top;
      const child = next[node]?.[top.child++];
      if (child !== undefined) {
        const at = seenAt[child];
        if (at === undefined) enter(child);
        else if (of[child] === undefined) lowest[node] = Math.min(lowest[node] ?? 0, at);
        continue;
      }
      path.pop();
      const parent = path.at(-1)?.node;
      if (parent !== undefined) lowest[parent] = Math.min(lowest[parent] ?? 0, lowest[node] ?? 0);
      if (lowest[node] !== seenAt[node]) continue;
      const group = stack.splice(stack.indexOf(node)).sort((a, b) => a - b);
      for (const member of group) of[member] = members.length;
      members.push(group);
    }
  }
  return { of: of.map((group) => group ?? 0), members };
}

/** Repositories after those that they need; of several that could be next, the first one. */
function orderOf(providers: readonly (readonly number[])[], { of, members }: Groups): number[] {
  const groupOf = (node: number): number => of[node] ?? 0;
  const needs = members.map(
    (group, at) =>
      new Set(
        group
          .flatMap((node) => providers[node] ?? [])
          .map(groupOf)
          .filter((other) => other !== at),
      ),
  );
  const neededBy = inverse(needs.map((each) => [...each]));
  const open = needs.map((each) => each.size);
  // sorted by first member, the next one last
  const ready: number[] = [];
  const first = (group: number): number => members[group]?.[0] ?? 0;
  const add = (group: number): void => {
    let [low, high] = [0, ready.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (first(ready[middle] ?? 0) > first(group)) low = middle + 1;
      else high = middle;
    }
    ready.splice(low, 0, group);
  };
  for (const group of members.keys()) if (open[group] === 0) add(group);
  const order: number[] = [];
  for (let group = ready.pop(); group !== undefined; group = ready.pop()) {
    order.push(...(members[group] ?? []));
    for (const other of neededBy[group] ?? []) {
      open[other] = (open[other] ?? 0) - 1;
      if (open[other] === 0) add(other);
    }
  }
  return order;
}

const BITS = 32;

/** All that can be reached from each, in order, without itself. `order` ends with those that reach nothing. */
function reachable(next: readonly (readonly number[])[], order: readonly number[]): number[][] {
  const words = Math.ceil(next.length / BITS);
  const sets = next.map(() => new Uint32Array(words));
  // a repository of a cycle may come before one that it reaches: repeat until nothing changes
  for (let changed = true; changed;) {
    changed = false;
    for (const node of order.toReversed()) {
      const set = sets[node] ?? new Uint32Array();
      for (const child of next[node] ?? []) {
        const other = sets[child] ?? new Uint32Array();
        for (let word = 0; word < words; word++) {
          const before = set[word] ?? 0;
          const own = word === Math.floor(child / BITS) ? 1 << (child % BITS) : 0;
          set[word] = before | (other[word] ?? 0) | own;
          if (set[word] !== before) changed = true;
        }
      }
    }
  }
  return sets.map((set, node) => {
    const list: number[] = [];
    for (let other = 0; other < next.length; other++) {
      if (other !== node && ((set[Math.floor(other / BITS)] ?? 0) & (1 << (other % BITS))) !== 0) list.push(other);
    }
    return list;
  });
}
