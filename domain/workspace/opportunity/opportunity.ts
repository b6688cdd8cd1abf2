import type { OpenItem } from '../../forge/open-work.ts';

/** What can be done about an issue. */
export const OPPORTUNITY_CATEGORIES = [
  'ready_for_pr',
  'needs_investigation',
  'needs_skills',
  'blocked',
  'claimed',
] as const;
/** One of {@link OPPORTUNITY_CATEGORIES}. */
export type OpportunityCategory = (typeof OPPORTUNITY_CATEGORIES)[number];

/** The category that a person or program names; null for none. `ready` is the other name of `ready_for_pr`. */
export function readCategory(name: string): OpportunityCategory | null {
  const wanted = name === 'ready' ? 'ready_for_pr' : name;
  return OPPORTUNITY_CATEGORIES.find((category) => category === wanted) ?? null;
}

/** Something that counts for or against an opportunity. */
export interface ScoreSignal {
  readonly label: string;
  /** Negative ones count against it. */
  readonly score: number;
}

/** What the checkout of a repository is ready for. Null where it was not measured. */
export interface WorkspaceReadiness {
  readonly repo_cloned: boolean;
  /** True when all packages of the workspace that it needs are taken from their folders. */
  readonly repo_linked: boolean;
  /** True when each package of the workspace that it needs has a version that fits. */
  readonly deps_resolved: boolean | null;
  /** What the recorded run of the tests says; null without a run for exactly the commit that is checked out. */
  readonly tests_passing: boolean | null;
}

/** An open issue as something to work on, with the keys of Graft's opportunities (docs/workspaces.md). */
export interface Opportunity {
  /** `owner/repository#123`. */
  readonly id: string;
  /** The name of the repository in the workspace. */
  readonly repo: string;
  /** The issue, without its text. */
  readonly issue: Pick<OpenItem, 'number' | 'title' | 'author' | 'labels' | 'url'>;
  readonly score: {
    /** The sum of the signals, from 0 to 100. */
    readonly total: number;
    readonly signals: readonly ScoreSignal[];
  };
  readonly category: OpportunityCategory;
  /** Why it is in this category, as part of a sentence. */
  readonly why: string;
  /** What to do next: a command, or what to open. */
  readonly action: string;
  readonly required_capabilities: readonly string[];
  readonly workspace_readiness: WorkspaceReadiness;
}

/** A node of the graph. */
export interface OpportunityNode {
  /** `issue:owner/repository#1`, `pr:owner/repository#2`, `repo:name`, `capability:word`. */
  readonly id: string;
  readonly kind: 'issue' | 'pr' | 'repo' | 'capability';
  /** For people. */
  readonly label: string;
}

/**
 * - `belongs`: an issue or pull request of a repository.
 * - `addresses`: a pull request that says that it closes the issue.
 * - `dependency`: a repository that needs another one.
 * - `skill`: an issue that requires a capability.
 * - `author`: two of the same author.
 * - `temporal`: two issues of one author that were opened within a week.
 */
export type OpportunityEdgeKind = 'belongs' | 'addresses' | 'dependency' | 'skill' | 'author' | 'temporal';

/** An edge of the graph, by the ids of its nodes. `author` and `temporal` have no direction. */
export interface OpportunityEdge {
  readonly from: string;
  readonly to: string;
  readonly kind: OpportunityEdgeKind;
}

/** Everything that was found, and how it is connected. */
export interface OpportunityGraph {
  /** The best first. */
  readonly opportunities: readonly Opportunity[];
  readonly nodes: readonly OpportunityNode[];
  readonly edges: readonly OpportunityEdge[];
}
