import type { Stats } from 'node:fs';
import { stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { workspacePath } from '../../domain/workspace/desired-snapshot.ts';
import { topologyOf } from '../../domain/workspace/topology.ts';
import { diagnose } from '../../domain/workspace/workspace-diagnostics.ts';
import {
  SNAPSHOT_VERSION,
  type WorkspaceDiagnostic,
  type WorkspaceRepo,
  type WorkspaceSnapshot,
} from '../../domain/workspace/workspace-snapshot.ts';
import { hasCode } from '../../platform/error-code.ts';
import { pick, runProgram } from '../../platform/program.ts';
import type { Git } from '../git/git.ts';
import { readWorkTrees, type WorkTreeOptions } from './repo-git-state.ts';
import { identifySnapshot } from './workspace-ids.ts';
import { type FoundManifest, readWorkspaceManifest, realRoot } from './workspace-manifest-file.ts';

/** What a workspace is read with. */
export interface ReadWorkspaceOptions {
  readonly git: Git;
  /** The environment of the person: where the configuration of git is. */
  readonly env: NodeJS.ProcessEnv;
  /** Ends git. */
  readonly signal?: AbortSignal | undefined;
}

/** A workspace as it is, and what it shall be. */
export interface ReadWorkspace extends FoundManifest {
  readonly snapshot: WorkspaceSnapshot;
}

/**
 * Reads the workspace in a folder: its manifest, and of each repository the state of git, several in parallel. Nothing
 * is written. Throws `InvalidInput` when there is no such folder, and `InvalidConfiguration` when its manifest is wrong;
 * a repository that is missing or cannot be read is a diagnostic.
 */
export async function readWorkspace(folder: string, options: ReadWorkspaceOptions): Promise<ReadWorkspace> {
  const root = await realRoot(folder);
  const found = await readWorkspaceManifest(root, options.signal);
  const workTree: WorkTreeOptions = { excludes: await excludesFile(root, options.env), signal: options.signal };
  const { repositories } = found.manifest;
  const places = repositories.map(({ name, path }) => ({ name, folder: workspacePath(root, path) }));
  const trees = await readWorkTrees(options.git, places, workTree);
  const repos = await Promise.all(
    repositories.map(async ({ name, path, role, setup }, at): Promise<WorkspaceRepo> => {
      const place = workspacePath(root, path);
      const origin = trees[at]?.origin ?? null;
      const isThere = await isFolder(place);
      const hasMix = isThere && (await isFile(join(place, 'mix.exs')));
      const seen = { 'exists?': isThere, 'has_mix_exs?': hasMix, packages: [] };
      return { name, path, absolute_path: place, ...seen, origin, role, setup };
    }),
  );
  const content = {
    schema_version: SNAPSHOT_VERSION as typeof SNAPSHOT_VERSION,
    root,
    generated_at: new Date().toISOString(),
    repos,
    deps: [],
    links: [],
    topology: topologyOf({ repos, deps: [], links: [] }),
    git: trees.map(({ state }) => state),
    prs: [],
    health: null,
    diagnostics: [],
    validate_result: null,
    github: null,
    hex: null,
    registries: null,
  };
  const diagnostics: WorkspaceDiagnostic[] = [
    ...diagnose(content, found.manifest),
    ...found.passedOver.map(({ path, why }) => ({
      severity: 'info' as const,
      repo: null,
      kind: 'passed_over',
      message: `${path} was passed over: ${why}.`,
      file: null,
      line: null,
    })),
  ];
  return { ...found, snapshot: identifySnapshot({ ...content, diagnostics }) };
}

/**
 * The file with the patterns that the person never commits, as git would find it: `core.excludesFile` of the person's
 * configuration, else `git/ignore` in the configuration folder. Git ignores one that does not exist.
 */
export async function excludesFile(root: string, env: NodeJS.ProcessEnv): Promise<string> {
  const known = pick(env, ['PATH', 'HOME', 'XDG_CONFIG_HOME', 'GIT_CONFIG_GLOBAL']);
  const args = ['config', '--global', '--type=path', '--get', 'core.excludesFile'];
  const { code, stdout } = await runProgram('git', args, { env: known, cwd: root, timeoutMs: 10_000 });
  const configured = stdout.trim();
  if (code === 0 && configured !== '') return configured;
  return join(env['XDG_CONFIG_HOME'] || join(env['HOME'] ?? homedir(), '.config'), 'git', 'ignore');
}

async function isFolder(path: string): Promise<boolean> {
  return (await infoOf(path))?.isDirectory() ?? false;
}

async function isFile(path: string): Promise<boolean> {
  return (await infoOf(path))?.isFile() ?? false;
}

async function infoOf(path: string): Promise<Stats | null> {
  return stat(path).catch((error: unknown) => {
    if (hasCode(error, 'ENOENT', 'ENOTDIR')) return null;
    throw error;
  });
}
