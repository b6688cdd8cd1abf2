import { identifySnapshot } from '../../../activities/workspace/workspace-ids.ts';
import type { Ecosystem } from '../../../domain/workspace/package-manifest.ts';
import { topologyOf } from '../../../domain/workspace/topology.ts';
import type { WorkspaceDependency, WorkspaceSnapshot } from '../../../domain/workspace/workspace-snapshot.ts';

/** A repository of a made-up workspace. */
export interface MadeRepo {
  readonly name: string;
  /** @default the name */
  readonly path?: string;
  /** Null: HEAD is at `commit`. */
  readonly branch?: string | null;
  readonly commit?: string | null;
  readonly origin?: string | null;
  readonly setup?: readonly (readonly string[])[];
  readonly isMissing?: boolean;
  /** @default the name of the repository, version 1.0.0 */
  readonly packages?: readonly { readonly name: string; readonly version?: string | null }[];
}

/** A snapshot of a workspace that does not exist. `deps` are pairs of a repository and a package that it needs. */
export function madeSnapshot(
  repos: readonly MadeRepo[],
  {
    links = [],
    deps = [],
    root = '/work',
    ecosystem = 'npm',
    requirement = '^1.0.0',
  }: {
    readonly links?: readonly (readonly [repo: string, dep: string])[];
    readonly deps?: readonly (readonly [repo: string, app: string])[];
    readonly root?: string;
    readonly ecosystem?: Ecosystem;
    readonly requirement?: string;
  } = {},
): WorkspaceSnapshot {
  const content = {
    schema_version: 2 as const,
    root,
    generated_at: '2026-01-01T00:00:00.000Z',
    repos: repos.map((repo) => {
      const { name, path = name, origin = `https://git.example/${name}.git`, setup = [], isMissing = false } = repo;
      const packages = (repo.packages ?? [{ name }]).map(({ name: app, version = '1.0.0' }) => ({
        ecosystem,
        manifest: 'package.json',
        name: app,
        version,
        sha256: 'ab'.repeat(32),
      }));
      return {
        name,
        path,
        absolute_path: `${root}/${path}`,
        'exists?': !isMissing,
        'has_mix_exs?': false,
        origin,
        role: 'write' as const,
        setup,
        packages,
      };
    }),
    deps: deps.map(([repo, app]): WorkspaceDependency => ({
      repo,
      app,
      raw: requirement,
      source: 'registry',
      ecosystem,
      kind: 'normal',
      manifest: 'package.json',
      requirement,
      path: null,
    })),
    links: links.map(([repo, dep]) => ({
      repo,
      dep,
      type: 'path' as const,
      files: ['package.json'],
      mix_exs_sha256_before: null,
      mix_exs_sha256_after: null,
      preimage: null,
      replacement: null,
    })),
    git: repos.map(({ name, path = name, branch = 'main', commit = null }) => ({
      repo: name,
      repo_path: `${root}/${path}`,
      'is_git_repo?': true,
      branch,
      'detached_head?': branch === null,
      head_sha: commit,
      upstream: null,
      ahead: 0,
      behind: 0,
      'dirty?': false,
      in_progress: 'none' as const,
      error: null,
    })),
    prs: [],
    health: null,
    diagnostics: [],
    validate_result: null,
    github: null,
    hex: null,
    registries: null,
  };
  return identifySnapshot({ ...content, topology: topologyOf(content) });
}
