/** How hard a task may be. */
export type Difficulty = 'easy' | 'medium' | 'hard';

/** What a person or program wants to do, with the keys of Graft's intents (docs/workspaces.md). */
export interface Intent {
  /** Words for what it is about: languages, names of packages, topics. */
  readonly capabilities: readonly string[];
  readonly constraints: {
    /** Null for any. */
    readonly max_difficulty: Difficulty | null;
    /** Such as `90m`, `2h` or `3d`; null for any. */
    readonly time_available: string | null;
    /** The most repositories that are chosen; null for any number. */
    readonly max_repos: number | null;
  };
  readonly preferences: {
    /** Null for both. */
    readonly bug_vs_feature: 'bug' | 'feature' | null;
    /** True for work that is about tests, or needs new ones; null when it makes no difference. */
    readonly needs_tests: boolean | null;
  };
}

/** An intent that asks for nothing. */
export const EMPTY_INTENT: Intent = {
  capabilities: [],
  constraints: { max_difficulty: null, time_available: null, max_repos: null },
  preferences: { bug_vs_feature: null, needs_tests: null },
};

/** An issue or pull request that a sentence names. */
export interface NamedIssue {
  /** As written: `owner/repository` or `repository`. */
  readonly repository: string;
  readonly number: number;
}

/** A repository that was chosen. */
export interface ChosenRepo {
  /** Its name in the workspace. */
  readonly name: string;
  /** Why, each a part of a sentence; at least one. */
  readonly reasons: readonly string[];
}

/** How much work is to be expected. */
export interface Effort {
  readonly size: 'small' | 'medium' | 'large';
  /** Part of a sentence. */
  readonly why: string;
}

/** What an intent means in a workspace. */
export interface ResolvedIntent {
  /** The intent, with what the sentence says. */
  readonly intent: Intent;
  /** The repositories to work on, the best match first; in topological order for consumers. */
  readonly repos: readonly ChosenRepo[];
  /** The issues that are named. */
  readonly issues: readonly NamedIssue[];
  /** The labels that are named, as the vocabulary writes them. */
  readonly labels: readonly string[];
  /** True when it is about everything that needs the chosen repositories. */
  readonly consumers: boolean;
  readonly skills_needed: readonly string[];
  readonly effort: Effort;
  /** Always `generated`: what is needed follows from the intent. */
  readonly workspace: 'generated';
  /** Words that mean nothing in this workspace, and what is missing, each one sentence. */
  readonly open_questions: readonly string[];
}
