import type { DesiredLink } from '../workspace-manifest.ts';
import type { Estate } from './estate.ts';
import type { ResolvedIntent } from './intent.ts';

/** What a workspace for a task needs, with the keys of Graft's requirements (docs/workspaces.md). */
export interface WorkspaceRequirements {
  /** Names of repositories, each after those that it needs. */
  readonly repos: readonly string[];
  /** `from` takes its dependency from the folder of `to`. */
  readonly links: readonly DesiredLink[];
  readonly capabilities: readonly string[];
  /** True for a workspace that is removed when the task is done. */
  readonly ephemeral: boolean;
  /** How long it lives, such as `2h`; null for as long as it is needed. */
  readonly ttl: string | null;
  readonly scope: {
    /** `cross`: the task concerns several repositories. */
    readonly kind: 'single' | 'cross';
    /** Part of a sentence. */
    readonly why: string;
  };
}

/** How long the workspace is wanted. */
export interface Lifetime {
  /** @default false */
  readonly ephemeral?: boolean;
  /** @default null */
  readonly ttl?: string | null;
}

/** What is needed to work on what an intent means: its repositories, and the links between them. */
export function requirementsOf(
  { repos, intent, consumers }: Pick<ResolvedIntent, 'repos' | 'intent' | 'consumers'>,
  { topology }: Pick<Estate, 'topology'>,
  { ephemeral = false, ttl = null }: Lifetime = {},
): WorkspaceRequirements {
  const wanted = new Set(repos.map(({ name }) => name));
  const order = topology.topological_order.filter((name) => wanted.has(name));
  const links = order.flatMap((from) =>
    (topology.providers[from] ?? []).filter((to) => wanted.has(to)).map((to) => ({ from, to, type: 'path' as const })),
  );
  const isCross = order.length > 1;
  const why = !isCross
    ? 'one repository is enough'
    : consumers
      ? 'a change is validated in everything that needs it'
      : links.length > 0
        ? 'these repositories need each other'
        : 'the work is about several repositories';
  return {
    repos: order,
    links,
    capabilities: intent.capabilities,
    ephemeral,
    ttl,
    scope: { kind: isCross ? 'cross' : 'single', why },
  };
}
