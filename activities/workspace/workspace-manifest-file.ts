import { readFile, realpath, stat } from 'node:fs/promises';
import { join, posix, relative, resolve, sep } from 'node:path';
import { check, describeIssue } from '../../domain/shared/check.schema.ts';
import { LonghaulError } from '../../domain/shared/failures.ts';
import { parseElixirLiteral } from '../../domain/workspace/elixir-literal.ts';
import { graftManifestSchema, workspaceManifestSchema } from '../../domain/workspace/workspace-manifest.schema.ts';
import { manifestOf, namesOfPaths, type WorkspaceManifest } from '../../domain/workspace/workspace-manifest.ts';
import { hasCode } from '../../platform/error-code.ts';
import { parseRemote } from '../git/clone-url.ts';
import { findLayout } from '../mgit/layout.ts';
import { createLocalProvider } from '../mgit/providers/local.ts';
import { checkYaml } from '../shared/checked-yaml.ts';

/** The manifest of a workspace. */
export const WORKSPACE_FILE = 'longhaul.workspace.yaml';
/** Graft's manifest, which is read where there is no other. */
export const GRAFT_FILE = 'graft.exs';

/** What a workspace consists of, and what says so. */
export interface FoundManifest {
  readonly manifest: WorkspaceManifest;
  /** {@link WORKSPACE_FILE} or {@link GRAFT_FILE}; null when the repositories were looked for. */
  readonly file: string | null;
  /** What was passed over in the search. */
  readonly passedOver: readonly { readonly path: string; readonly why: string }[];
}

/** The real path of a folder. Throws `InvalidInput` when it is none. */
export async function realRoot(root: string): Promise<string> {
  const path = resolve(root);
  try {
    const real = await realpath(path);
    if ((await stat(real)).isDirectory()) return real;
  } catch (error) {
    if (!hasCode(error, 'ENOENT', 'ENOTDIR')) throw error;
  }
  throw new LonghaulError('InvalidInput', `There is no folder ${path}: give the folder of a workspace as --root.`);
}

/**
 * What the workspace in a folder shall consist of: `longhaul.workspace.yaml`, else `graft.exs`, else the repositories
 * that are in the folder. Throws `InvalidConfiguration` with file and line when the file is wrong.
 */
export async function readWorkspaceManifest(root: string, signal?: AbortSignal): Promise<FoundManifest> {
  const yaml = await textAt(join(root, WORKSPACE_FILE));
  if (yaml !== null) return { manifest: fromYaml(yaml), file: WORKSPACE_FILE, passedOver: [] };
  const exs = await textAt(join(root, GRAFT_FILE));
  if (exs !== null) return { manifest: fromGraft(exs), file: GRAFT_FILE, passedOver: [] };
  return repositoriesOnDisk(root, signal);
}

/** What the text of a manifest says. Throws `InvalidConfiguration` with file and line. */
export function manifestIn(file: string, text: string): WorkspaceManifest {
  return file === GRAFT_FILE ? fromGraft(text) : fromYaml(text);
}

function fromYaml(text: string): WorkspaceManifest {
  const { value, problems, at } = checkYaml(workspaceManifestSchema, text, WORKSPACE_FILE);
  if (value === null) throw new LonghaulError('InvalidConfiguration', problems.join('\n'));
  for (const [index, { origin }] of value.repositories.entries()) {
    if (origin !== null) checkOrigin(origin, at(['repositories', index, 'origin']));
  }
  return value;
}

/** Graft's manifest asks for repositories only. Its `root` is where their paths begin. */
function fromGraft(text: string): WorkspaceManifest {
  const { data, error } = check(graftManifestSchema, parseElixirLiteral(text, GRAFT_FILE));
  if (data === undefined) throw new LonghaulError('InvalidConfiguration', `${GRAFT_FILE}: ${describeIssue(error)}.`);
  const repositories = data.siblings.map(({ name, path = name, origin }) => ({
    name,
    path: posix.normalize(`${data.root}/${path}`),
    ...(origin == null ? {} : { origin }),
  }));
  const parsed = check(workspaceManifestSchema, { repositories });
  if (parsed.data === undefined) {
    const why = describeIssue(parsed.error).replace('repositories.', 'siblings.');
    throw new LonghaulError('InvalidConfiguration', `${GRAFT_FILE}: ${why}.`);
  }
  for (const { origin } of repositories) if (origin !== undefined) checkOrigin(origin, GRAFT_FILE);
  return parsed.data;
}

function checkOrigin(origin: string, at: string): void {
  try {
    parseRemote(origin);
  } catch (error) {
    if (!(error instanceof LonghaulError)) throw error;
    throw new LonghaulError('InvalidConfiguration', `${at}: ${error.message}`, { cause: error });
  }
}

/** The repositories with files in a folder and below it, but not the folder itself. */
export async function repositoriesOnDisk(root: string, signal: AbortSignal | undefined): Promise<FoundManifest> {
  const passedOver: { path: string; why: string }[] = [];
  const provider = createLocalProvider({ type: 'local', name: 'workspace', root });
  const found = await provider.list([], signal, (path, why) => passedOver.push({ path: relative(root, path), why }));
  const places = await Promise.all(
    found.map(async ({ cloneUrl }) => {
      const path = relative(root, cloneUrl).split(sep).join('/');
      const layout = path === '' ? null : await findLayout(cloneUrl);
      // a bare repository has no files
      return layout === null || layout.gitDir === cloneUrl ? null : path;
    }),
  );
  const paths = places.filter((path) => path !== null).sort();
  return { manifest: manifestOf(namesOfPaths(paths)), file: null, passedOver };
}

const LARGEST_BYTES = 1_000_000;

/** The text of a file; null when there is none. */
async function textAt(path: string): Promise<string | null> {
  try {
    const { size } = await stat(path);
    if (size > LARGEST_BYTES) {
      throw new LonghaulError('InvalidConfiguration', `${path} is larger than ${LARGEST_BYTES} bytes.`);
    }
    return await readFile(path, 'utf8');
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return null;
    throw error;
  }
}
