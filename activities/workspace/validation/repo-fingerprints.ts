import { lstat, readlink } from 'node:fs/promises';
import { join } from 'node:path';
import { canonicalText } from '../../../domain/workspace/canonical-snapshot.ts';
import type { ValidationPlan } from '../../../domain/workspace/validation-plan.ts';
import type { WorkspaceRepo, WorkspaceSnapshot } from '../../../domain/workspace/workspace-snapshot.ts';
import { hasCode } from '../../../platform/error-code.ts';
import { sha256, sha256OfFile } from '../../../platform/sha256.ts';
import type { Git } from '../../git/git.ts';
import { findLayout } from '../../mgit/layout.ts';
import { ALL_CHANGES, NO_PROGRAMS, withoutFilters } from '../repo-git-state.ts';

/** What a repository was when it was checked. */
export interface RepoFingerprint {
  /** The commit of HEAD; null before the first one, and for a folder that is no repository. */
  readonly commit: string | null;
  /** True with changes, or where nothing says that there are none. */
  readonly dirty: boolean;
  /** SHA-256 of its commit, of what is changed, of its commands, and of the fingerprints of those that it needs. */
  readonly fingerprint: string;
}

/** The fingerprints of the repositories of a plan, by name. Contents count, and never times. Nothing is written. */
export async function repoFingerprints(
  { steps }: ValidationPlan,
  { repos, git: states }: WorkspaceSnapshot,
  { git, signal }: { readonly git: Git; readonly signal?: AbortSignal | undefined },
): Promise<ReadonlyMap<string, RepoFingerprint>> {
  const byName = new Map(repos.map((repo) => [repo.name, repo]));
  const found = new Map<string, RepoFingerprint>();
  for (const { repo, repo_path, commands, needs } of steps) {
    const there = byName.get(repo);
    const state = states.find((one) => one.repo === repo);
    const isRepository = state?.['is_git_repo?'] === true && state.error === null;
    const changes = isRepository ? await changesIn(git, repo_path, signal) : manifestsOf(there ?? { packages: [] });
    const commit = isRepository ? state.head_sha : null;
    const before = needs.map((name) => found.get(name)?.fingerprint ?? null);
    const fingerprint = sha256(canonicalText({ commit, changes, commands, before }));
    found.set(repo, { commit, dirty: !isRepository || changes.length > 0, fingerprint });
  }
  return found;
}

/** What differs from HEAD, in the index and on the disk, each with what is there now. */
async function changesIn(git: Git, folder: string, signal: AbortSignal | undefined): Promise<readonly string[]> {
  const layout = await findLayout(folder);
  if (layout === null) return [];
  const about = { about: folder, gitDir: layout.gitDir, workTree: folder, signal };
  const config = [...NO_PROGRAMS, ...ALL_CHANGES, ...(await withoutFilters(git, about))];
  const args = ['--no-optional-locks', 'status', '--porcelain=v1', '-z', '--untracked-files=all', '--no-renames'];
  const printed = (await git.run(args, { ...about, config })).toString('utf8');
  const changes: string[] = [];
  for (const entry of printed.split('\0').filter(Boolean)) {
    changes.push(`${entry} ${await contentAt(join(folder, entry.slice(3)))}`);
  }
  return changes;
}

async function contentAt(path: string): Promise<string> {
  try {
    const info = await lstat(path);
    if (info.isSymbolicLink()) return `link ${await readlink(path)}`;
    return info.isFile() ? `${(info.mode & 0o111) === 0 ? 'file' : 'program'} ${await sha256OfFile(path)}` : 'other';
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'ENOTDIR')) return 'gone';
    throw error;
  }
}

function manifestsOf({ packages }: Pick<WorkspaceRepo, 'packages'>): readonly string[] {
  return packages.map(({ manifest, sha256: digest }) => `${manifest} ${digest}`);
}
