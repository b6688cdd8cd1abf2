import { isPlainSegment } from '../git/repository.ts';
import type { RepoRole } from './workspace-snapshot.ts';

/** A program with its arguments. No shell is involved. */
export type Argv = readonly string[];

/** A repository that a manifest asks for. */
export interface DesiredRepo {
  readonly name: string;
  /** Its folder, relative to the root, with slashes. */
  readonly path: string;
  /** Where to clone it from; null for one that is already there. */
  readonly origin: string | null;
  /** Null for any. */
  readonly branch: string | null;
  readonly role: RepoRole;
  /** The programs that prepare it, in this order. */
  readonly setup: readonly Argv[];
  /** The programs that check it, by name. */
  readonly commands: Readonly<Record<string, Argv>>;
}

/** A link that a manifest asks for: `from` takes its dependency from the folder of `to`. */
export interface DesiredLink {
  readonly from: string;
  readonly to: string;
  readonly type: 'path';
}

/** What a workspace shall consist of (docs/workspaces.md). */
export interface WorkspaceManifest {
  readonly repositories: readonly DesiredRepo[];
  /** Null: those in files of the root stay as they are. */
  readonly links: readonly DesiredLink[] | null;
  /** Variables for the programs of `setup` and `commands`. */
  readonly environment: Readonly<Record<string, string>>;
  /** How long the workspace shall live, such as `2h`; null for as long as it is needed. */
  readonly ttl: string | null;
}

/** True for a folder below the root that a repository may have, with slashes: no way out, and nothing of git or Graft. */
export function isRepoPath(path: string): boolean {
  return path.split('/').every((part) => isPlainSegment(part) && !part.startsWith('.git') && part !== '.graft');
}

/** A manifest of repositories that are there already: it asks for nothing. */
export function manifestOf(repositories: readonly Pick<DesiredRepo, 'name' | 'path'>[]): WorkspaceManifest {
  return {
    repositories: repositories.map(({ name, path }) => ({
      name,
      path,
      origin: null,
      branch: null,
      role: 'write',
      setup: [],
      commands: {},
    })),
    links: null,
    environment: {},
    ttl: null,
  };
}

/** Names for repositories by their paths: the last part, or all parts where others end alike. */
export function namesOfPaths(paths: readonly string[]): readonly { readonly name: string; readonly path: string }[] {
  const count = new Map<string, number>();
  for (const path of paths) count.set(lastPart(path), (count.get(lastPart(path)) ?? 0) + 1);
  return paths.map((path) => ({
    name: count.get(lastPart(path)) === 1 ? lastPart(path) : path.replaceAll('/', '.'),
    path,
  }));
}

function lastPart(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}
