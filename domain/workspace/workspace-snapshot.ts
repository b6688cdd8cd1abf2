import type { AnyJson } from './any-json.ts';
import type { DependencyKind, DependencySource, Ecosystem } from './package-manifest.ts';

/** The version of snapshots that this program writes. Version 1 is Graft's, and is read (docs/workspaces.md). */
export const SNAPSHOT_VERSION = 2;

/** What a task does with a repository: `write` gets the branch of the task, `read` is only read. */
export type RepoRole = 'write' | 'read';

/** A manifest of a package in a repository. */
export interface RepoPackage {
  readonly ecosystem: Ecosystem;
  /** Path of the manifest in the repository, with slashes: `packages/core/package.json`. */
  readonly manifest: string;
  /** The name of the package; null when the manifest has none, or computes it. */
  readonly name: string | null;
  readonly version: string | null;
  /** Digest of the manifest's bytes, in hexadecimal; null in snapshots that Graft wrote. */
  readonly sha256: string | null;
}

/** A repository of a workspace. */
export interface WorkspaceRepo {
  /** Unique in the workspace. */
  readonly name: string;
  /** Its folder, relative to the root, with slashes. */
  readonly path: string;
  /** Its folder on the machine that took the snapshot. */
  readonly absolute_path: string;
  readonly 'exists?': boolean;
  readonly 'has_mix_exs?': boolean;
  /** Where it can be cloned from, without credentials; null when unknown. */
  readonly origin: string | null;
  readonly role: RepoRole;
  /** The programs that prepare it, each with its arguments. */
  readonly setup: readonly (readonly string[])[];
  readonly packages: readonly RepoPackage[];
}

/** A dependency that a manifest declares. */
export interface WorkspaceDependency {
  /** The name of the repository whose manifest declares it. */
  readonly repo: string;
  /** The name of the package that it needs. */
  readonly app: string;
  /** The declaration as the manifest has it. */
  readonly raw: string;
  readonly source: DependencySource;
  readonly ecosystem: Ecosystem;
  readonly kind: DependencyKind;
  /** Path of the manifest in its repository. */
  readonly manifest: string;
  /** The versions that fit, in the notation of the ecosystem; null when any does, or when it is not stated. */
  readonly requirement: string | null;
  /** For the source `path`: the folder, relative to the root of the workspace; null for others, and outside of it. */
  readonly path: string | null;
}

/** A dependency that is taken from a repository of the workspace instead of a registry. */
export interface WorkspaceLink {
  /** The repository that depends. */
  readonly repo: string;
  /** The repository that it takes the dependency from. */
  readonly dep: string;
  readonly type: 'path';
  /** The files of the root that make it; empty where the manifest of `repo` says it. */
  readonly files: readonly string[];
  /** Only where the manifest itself was changed: its digests, and the declaration before and after. */
  readonly mix_exs_sha256_before: string | null;
  readonly mix_exs_sha256_after: string | null;
  readonly preimage: string | null;
  readonly replacement: string | null;
}

/** Names of repositories by the name of a repository. */
export type ReposByRepo = Readonly<Record<string, readonly string[]>>;

/** Which repository needs which. Lists are in the order of names, except `topological_order`. */
export interface WorkspaceTopology {
  /** The repositories that need it directly. */
  readonly consumers: ReposByRepo;
  /** The repositories that it needs directly. */
  readonly providers: ReposByRepo;
  /** The repositories that need it directly or through others. */
  readonly transitive_dependents: ReposByRepo;
  /** All repositories, each after those that it needs; repositories of a cycle are in the order of names. */
  readonly topological_order: readonly string[];
  /** The packages that are needed and that no repository of the workspace has. */
  readonly external_apps: readonly string[];
  readonly 'cyclic?': boolean;
  /** The groups of repositories that need each other. */
  readonly cycles: readonly (readonly string[])[];
}

/** An operation of git that waits for its end. */
export type GitInProgress = 'none' | 'merge' | 'rebase' | 'am' | 'cherry_pick' | 'revert' | 'bisect';

/** What git says about a repository. */
export interface RepoGitState {
  readonly repo: string;
  /** Its folder on the machine that took the snapshot. */
  readonly repo_path: string;
  readonly 'is_git_repo?': boolean;
  /** Null when HEAD is detached. In a desired snapshot: null when any will do. */
  readonly branch: string | null;
  readonly 'detached_head?': boolean;
  /** Null before the first commit. */
  readonly head_sha: string | null;
  readonly upstream: string | null;
  /** Commits that the upstream lacks, and commits that it has in addition. */
  readonly ahead: number;
  readonly behind: number;
  /** True when a tracked file differs from HEAD, or an untracked file is not ignored. */
  readonly 'dirty?': boolean;
  readonly in_progress: GitInProgress;
  /** Why its state is unknown: `not_a_repo`, or what git said. */
  readonly error: string | null;
}

/** A remark on a workspace. */
export interface WorkspaceDiagnostic {
  readonly severity: 'error' | 'warning' | 'info';
  /** The repository; null for the workspace. */
  readonly repo: string | null;
  readonly kind: string;
  /** One sentence: what is wrong, where, what to do. */
  readonly message: string;
  /** The file in the repository, and its line; null when it is not about a place. */
  readonly file: string | null;
  readonly line: number | null;
}

/** Packages of registries, by registry; null where it was not asked. */
export interface RegistryStates {
  readonly npm: AnyJson;
  readonly pypi: AnyJson;
  readonly go: AnyJson;
  readonly crates: AnyJson;
}

/**
 * What exists in a workspace, or what is desired. Keys are those of Graft's snapshots (docs/workspaces.md). What was not
 * asked is null. Lists have the order that `canonical-snapshot.ts` states.
 */
export interface WorkspaceSnapshot {
  /** UUID (version 5) of the compared bytes: equal states have equal ids. */
  readonly id: string;
  readonly schema_version: typeof SNAPSHOT_VERSION;
  /** Absolute path of the workspace. */
  readonly root: string;
  /** ISO 8601, in UTC. */
  readonly generated_at: string;
  readonly repos: readonly WorkspaceRepo[];
  readonly deps: readonly WorkspaceDependency[];
  readonly links: readonly WorkspaceLink[];
  readonly topology: WorkspaceTopology;
  readonly git: readonly RepoGitState[];
  readonly prs: readonly AnyJson[];
  readonly health: AnyJson;
  readonly diagnostics: readonly WorkspaceDiagnostic[];
  readonly validate_result: AnyJson;
  readonly github: AnyJson;
  readonly hex: AnyJson;
  readonly registries: RegistryStates | null;
}

/** A snapshot before it has its id: the domain makes the compared bytes, its caller makes the digest. */
export type SnapshotContent = Omit<WorkspaceSnapshot, 'id'>;
