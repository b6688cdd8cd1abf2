import type { Stats } from 'node:fs';
import { stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { workspacePath } from '../../domain/workspace/desired-snapshot.ts';
import type { RepositoryManifests } from '../../domain/workspace/package-manifest.ts';
import { LonghaulError } from '../../domain/shared/failures.ts';
import { topologyOf } from '../../domain/workspace/topology.ts';
import { diagnose } from '../../domain/workspace/workspace-diagnostics.ts';
import {
  type RepoGitState,
  SNAPSHOT_VERSION,
  type WorkspaceDiagnostic,
  type WorkspaceRepo,
  type WorkspaceSnapshot,
} from '../../domain/workspace/workspace-snapshot.ts';
import { hasCode } from '../../platform/error-code.ts';
import { pick, runProgram } from '../../platform/program.ts';
import { createSemaphore } from '../../platform/semaphore.ts';
import type { Git } from '../git/git.ts';
import { dependenciesOf, linksOf, packageOf } from './declared-packages.ts';
import { readLinksInRoot, withLinksInRoot } from './links/link-files.ts';
import { readPackageManifests } from './manifests/read-package-manifests.ts';
import { readWorkTrees, type WorkTreeOptions } from './repo-git-state.ts';
import { keptValidation } from './validation/validation-files.ts';
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

/** What is read of one repository. */
interface RepoParts {
  readonly repo: WorkspaceRepo;
  readonly state: RepoGitState;
  readonly manifests: Contents;
}

/** The packages of a repository; `problem` says why they cannot be read. */
type Contents = RepositoryManifests & { readonly problem?: string };

/** Repositories whose files are read in parallel: the system has few threads for this. */
const READERS = 8;

const NOTHING: RepositoryManifests = { packages: [], diagnostics: [] };

/**
 * Reads the workspace in a folder: its manifest, and of each repository the state of git and the packages, several in
 * parallel. Nothing is written. Throws `InvalidInput` when there is no such folder, and `InvalidConfiguration` when its
 * manifest is wrong; a repository that is missing or cannot be read is a diagnostic.
 */
export async function readWorkspace(folder: string, options: ReadWorkspaceOptions): Promise<ReadWorkspace> {
  const root = await realRoot(folder);
  return readRepositories(root, await readWorkspaceManifest(root, options.signal), options);
}

/** Like {@link readWorkspace}, with these repositories below the real path of a root, whatever a manifest there says. */
export async function readRepositories(
  root: string,
  found: FoundManifest,
  options: ReadWorkspaceOptions,
): Promise<ReadWorkspace> {
  const workTree: WorkTreeOptions = { excludes: await excludesFile(root, options.env), signal: options.signal };
  const { repositories } = found.manifest;
  const places = repositories.map(({ name, path }) => ({ name, folder: workspacePath(root, path) }));
  const semaphore = createSemaphore(READERS);
  // git works in its own processes while this one reads manifests
  const [trees, contents] = await Promise.all([
    readWorkTrees(options.git, places, workTree),
    Promise.all(
      places.map(async (place) => {
        const release = await semaphore.acquire(options.signal);
        return readContents(place.folder, options).finally(release);
      }),
    ),
  ]);
  const parts = repositories.map((desired, at): RepoParts => {
    const { name, path, role, setup } = desired;
    const [tree, content] = [trees[at], contents[at]];
    if (tree === undefined || content === undefined) throw new Error(`${name} was not read`);
    const { manifests, ...rest } = content;
    const repo = { name, path, absolute_path: workspacePath(root, path), ...rest, origin: tree.origin, role, setup };
    return { repo, state: tree.state, manifests };
  });
  const repos = parts.map(({ repo }) => repo);
  const deps = parts.flatMap(({ repo, manifests }) => dependenciesOf(repo, manifests.packages));
  const inRoot = await readLinksInRoot(root, repos);
  const links = withLinksInRoot(linksOf(repos, deps), inRoot.links);
  const content = {
    schema_version: SNAPSHOT_VERSION as typeof SNAPSHOT_VERSION,
    root,
    generated_at: new Date().toISOString(),
    repos,
    deps,
    links,
    topology: topologyOf({ repos, deps, links }),
    git: parts.map(({ state }) => state),
    prs: [],
    health: null,
    diagnostics: [],
    validate_result: await keptValidation(root),
    github: null,
    hex: null,
    registries: null,
  };
  const diagnostics: WorkspaceDiagnostic[] = [
    ...diagnose(content, found.manifest),
    ...parts.flatMap(({ repo, manifests }) =>
      manifests.diagnostics.map(({ kind, file, line, message }) => ({
        severity: 'warning' as const,
        repo: repo.name,
        kind: `manifest_${kind}`,
        message,
        file,
        line,
      })),
    ),
    ...parts.flatMap(({ repo, manifests: { problem } }) => {
      if (problem === undefined) return [];
      const [kind, severity] = ['manifests_unreadable', 'error' as const];
      return [{ severity, repo: repo.name, kind, message: problem, file: null, line: null }];
    }),
    ...inRoot.diagnostics,
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

/** What is wrong with one repository does not fail the others. */
function unreadable(error: unknown): Contents {
  if (error instanceof LonghaulError && error.type !== 'GitUnusable') return { ...NOTHING, problem: error.message };
  throw error;
}

/** What the files of a repository say. */
async function readContents(
  folder: string,
  { git, signal }: ReadWorkspaceOptions,
): Promise<Pick<WorkspaceRepo, 'exists?' | 'has_mix_exs?' | 'packages'> & { readonly manifests: Contents }> {
  if (!(await isFolder(folder))) return { 'exists?': false, 'has_mix_exs?': false, packages: [], manifests: NOTHING };
  const manifests = await readPackageManifests(folder, { git, signal }).catch(unreadable);
  const packages = await Promise.all(manifests.packages.map((one) => packageOf(folder, one)));
  const hasMix = await isFile(join(folder, 'mix.exs'));
  return { 'exists?': true, 'has_mix_exs?': hasMix, packages: packages.filter((one) => one !== null), manifests };
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
