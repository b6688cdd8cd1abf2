import { lstat, readdir, readFile, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { LINK_KINDS } from '../../domain/workspace/links/file-link.ts';
import type { Ecosystem } from '../../domain/workspace/package-manifest.ts';
import { versionFits } from '../../domain/workspace/version-fits.ts';
import type { PlanPrecondition } from '../../domain/workspace/workspace-plan.ts';
import type { AnyJson } from '../../domain/workspace/any-json.ts';
import { workspacePath, unknownState } from '../../domain/workspace/desired-snapshot.ts';
import { hasCode } from '../../platform/error-code.ts';
import { findHolder } from '../../platform/file-lock.ts';
import { findOnPath } from '../../platform/program.ts';
import { sha256 } from '../../platform/sha256.ts';
import { findLayout } from '../mgit/layout.ts';
import { problemOfLinkFile } from './links/link-files.ts';
import { excludesFile, type ReadWorkspaceOptions } from './read-workspace.ts';
import { readWorkTrees } from './repo-git-state.ts';
import { nameOfHolder } from './workspace-lock.ts';

/** A precondition, and what this machine says about it. */
export interface CheckedPrecondition {
  readonly precondition: PlanPrecondition;
  /** Why it does not hold; null when it does. */
  readonly problem: string | null;
}

/** What preconditions are checked with. */
interface PreconditionOptions extends ReadWorkspaceOptions {
  /**
   * True for a repository that need not be clean, because it leaves, and everything that would be lost with it is in
   * quarantine. @default none
   */
  readonly isKept?: (repository: string, folder: string) => Promise<boolean>;
}

/** Compares the preconditions of a plan with the disk below `root`, all of them, in their order. Nothing is written. */
export async function checkPreconditions(
  root: string,
  preconditions: readonly PlanPrecondition[],
  options: PreconditionOptions,
): Promise<readonly CheckedPrecondition[]> {
  const checked: CheckedPrecondition[] = [];
  for (const precondition of preconditions) {
    checked.push({ precondition, problem: await problemOf(root, precondition, options) });
  }
  return checked;
}

async function problemOf(
  root: string,
  { type, target, expected }: PlanPrecondition,
  { git, env, signal, isKept }: PreconditionOptions,
): Promise<string | null> {
  const path = workspacePath(root, text(expected, 'path') || '.');
  switch (type) {
    case 'repo_exists':
      return (await findLayout(path)) === null ? `there is no repository at ${path}` : null;
    case 'repo_clean': {
      const [tree] = await readWorkTrees(git, [{ name: target, folder: path }], {
        excludes: await excludesFile(root, env),
        signal,
      });
      const state = tree?.state ?? unknownState(target, path);
      if (state.error !== null) return `git cannot say: ${state.error}`;
      if (state.in_progress !== 'none') return `git waits for the end of: ${state.in_progress.replace('_', '-')}`;
      if (state['dirty?'] && (await isKept?.(target, path))) return null;
      return state['dirty?'] ? 'it has changes that are not committed' : null;
    }
    case 'file_unchanged': {
      const content = await readFile(path).catch(absent);
      if (content === null) return `there is no file ${path}`;
      return sha256(content) === text(expected, 'sha256') ? null : `${path} has changed`;
    }
    case 'lock_available': {
      const file = workspacePath(root, target);
      const holder = await findHolder(file);
      return holder === null ? null : `${nameOfHolder(holder)} holds ${file}`;
    }
    case 'path_free': {
      const there = await lstat(path).catch(absent);
      const kind = LINK_KINDS.find((each) => each === text(expected, 'links'));
      if (there !== null && kind !== undefined) return problemOfLinkFile(root, kind);
      return there === null ? null : `there is ${there.isDirectory() ? 'a folder' : 'a file'} at ${path}`;
    }
    case 'branch_free': {
      const place = await worktreeWith(path, text(expected, 'branch'));
      return place === null ? null : `it is checked out in the worktree ${place}`;
    }
    case 'version_fits': {
      const [ecosystem, requirement, version] = ['ecosystem', 'requirement', 'version'].map((key) =>
        text(expected, key),
      );
      const fits = versionFits(ecosystem as Ecosystem, requirement ?? '', version ?? '');
      return fits === true ? null : `${version} does not fit ${requirement}`;
    }
    case 'capability_available':
      return (await findOnPath(target, env)) === null ? `there is no program ${target} on the PATH` : null;
    case 'space_free': {
      const { bavail, bsize } = await statfs(root);
      const needed = Number(field(expected, 'bytes'));
      return bavail * bsize >= needed ? null : `${bavail * bsize} bytes are free, and ${needed} are needed`;
    }
    case 'no_cycle': {
      const cycles = field(expected, 'cycles');
      return Array.isArray(cycles) && cycles.length === 0 ? null : 'there would be a cycle';
    }
  }
}

/** The name of another worktree of the same repository that has the branch; null when none has. */
async function worktreeWith(path: string, branch: string): Promise<string | null> {
  const layout = await findLayout(path);
  if (layout === null) return null;
  const { gitDir, commonDir } = layout;
  const folder = join(commonDir, 'worktrees');
  const names = (await readdir(folder).catch(absent)) ?? [];
  const places = [commonDir, ...names.map((name) => join(folder, name))].filter((place) => place !== gitDir);
  for (const place of places) {
    const head = await readFile(join(place, 'HEAD'), 'utf8').catch(absent);
    if (head?.trim() === `ref: refs/heads/${branch}`) return place;
  }
  return null;
}

function field(expected: AnyJson, name: string): AnyJson {
  if (typeof expected !== 'object' || expected === null || Array.isArray(expected)) return null;
  return (expected as Readonly<Record<string, AnyJson>>)[name] ?? null;
}

function text(expected: AnyJson, name: string): string {
  const value = field(expected, name);
  return typeof value === 'string' ? value : '';
}

function absent(error: unknown): null {
  if (hasCode(error, 'ENOENT', 'ENOTDIR')) return null;
  throw error;
}
