import { compareTexts, inKeyOrder } from './canonical-snapshot.ts';
import { LINK_FILES } from './links/file-link.ts';
import { versionFits } from './version-fits.ts';
import { linkKey, type RepoState } from './workspace-delta.ts';
import { type PlanPrecondition, PRECONDITION_TYPES } from './workspace-plan.ts';
import type { WorkspaceLink, WorkspaceRepo, WorkspaceSnapshot, WorkspaceTopology } from './workspace-snapshot.ts';

/** The repository must be there. `why` says for what. */
export function mustExist({ name, path }: RepoState, why: string): PlanPrecondition {
  return { type: 'repo_exists', target: name, expected: { path }, message: `${path} must be a repository: ${why}.` };
}

/** Nothing in the repository may be lost. */
export function mustBeClean({ name, path }: RepoState): PlanPrecondition {
  const message = `${path} must have no changes that are not committed, and no operation of git in progress.`;
  return { type: 'repo_clean', target: name, expected: { path }, message };
}

/** Nothing may be in the way of a clone. */
export function pathFree({ name, path }: RepoState): PlanPrecondition {
  return { type: 'path_free', target: name, expected: { path }, message: `There must be nothing at ${path}.` };
}

/** Git allows a branch in one worktree only. */
export function branchFree({ name, path }: RepoState, branch: string): PlanPrecondition {
  const message = `No other worktree of ${path} may have the branch ${branch}.`;
  return { type: 'branch_free', target: name, expected: { path, branch }, message };
}

/** The manifests of a repository that is there must have the bytes that the plan was made with. */
export function unchangedManifests(repo: WorkspaceRepo | undefined): PlanPrecondition[] {
  if (repo === undefined || !repo['exists?']) return [];
  return repo.packages.flatMap(({ manifest, sha256 }) => {
    if (sha256 === null) return [];
    const path = repo.path === '.' ? manifest : `${repo.path}/${manifest}`;
    const message = `${path} must be as it was when this was planned.`;
    return [{ type: 'file_unchanged', target: `${repo.name}/${manifest}`, expected: { path, sha256 }, message }];
  });
}

/** One precondition for each dependency that a link answers and whose version can be compared. */
export function fittingVersions(
  { repos, deps }: WorkspaceSnapshot,
  links: readonly WorkspaceLink[],
): readonly PlanPrecondition[] {
  const packages = new Map(
    repos.flatMap((repo) => repo.packages.map((one) => [`${repo.name} ${one.ecosystem} ${one.name}`, one] as const)),
  );
  const providers = new Map<string, string[]>();
  for (const { repo, dep } of links) providers.set(repo, [...(providers.get(repo) ?? []), dep]);
  const preconditions: PlanPrecondition[] = [];
  for (const { repo, app, ecosystem, requirement } of deps) {
    for (const dep of requirement === null ? [] : (providers.get(repo) ?? [])) {
      const version = packages.get(`${dep} ${ecosystem} ${app}`)?.version ?? null;
      if (requirement === null || version === null || versionFits(ecosystem, requirement, version) === null) continue;
      const message = `${repo} needs ${app} ${requirement}, and ${dep} has ${version}.`;
      const expected = { app, ecosystem, requirement, version };
      preconditions.push({ type: 'version_fits', target: linkKey({ repo, dep }), expected, message });
    }
  }
  return preconditions;
}

/** No file of a person may be where the links are written, as far as it is known which tools they are for. */
export function linkFilesFree(
  { repos, deps }: WorkspaceSnapshot,
  links: readonly WorkspaceLink[],
): readonly PlanPrecondition[] {
  const packages = new Set(
    repos.flatMap((repo) => repo.packages.map(({ ecosystem, name }) => `${repo.name} ${ecosystem} ${name}`)),
  );
  const needed = links.flatMap(({ repo, dep }) =>
    deps.flatMap(({ repo: consumer, app, ecosystem }) =>
      consumer === repo && ecosystem !== 'hex' && packages.has(`${dep} ${ecosystem} ${app}`) ? [ecosystem] : [],
    ),
  );
  return [...new Set(needed)].map((ecosystem) => {
    const path = LINK_FILES[ecosystem];
    const message = `There must be nothing at ${path} that Longhaul has not written.`;
    return { type: 'path_free', target: path, expected: { path, links: ecosystem }, message };
  });
}

/** The workspace must not be changed by another program. */
export const LOCK_AVAILABLE: PlanPrecondition = {
  type: 'lock_available',
  target: '.graft/lock',
  expected: true,
  message: 'No other program may change this workspace.',
};

/** The programs must be installed. */
export function programsAvailable(programs: readonly string[]): PlanPrecondition[] {
  return [...new Set(programs)].sort(compareTexts).map((program) => {
    const message = `The program ${program} must be installed.`;
    return { type: 'capability_available', target: program, expected: true, message };
  });
}

/** The disk must have room. Null when nothing is known about what is needed. */
export function spaceFree(bytes: number): PlanPrecondition | null {
  if (bytes === 0) return null;
  const message = `The disk must have ${bytes} bytes for the clones whose size is known.`;
  return { type: 'space_free', target: '.', expected: { bytes }, message };
}

/** Links must not make repositories need each other. `expected` has the cycles that they would make. */
export function noCycle(before: WorkspaceTopology, after: WorkspaceTopology): PlanPrecondition {
  const known = new Set(before.cycles.map((cycle) => cycle.join(' ')));
  const cycles = after.cycles.filter((cycle) => !known.has(cycle.join(' ')));
  const message =
    cycles.length === 0
      ? 'No repositories may need each other because of the links.'
      : `These repositories would need each other: ${cycles.map((cycle) => cycle.join(', ')).join('; ')}.`;
  return { type: 'no_cycle', target: '.', expected: { cycles }, message };
}

/** Each once, in the order of type, target and message. */
export function distinctPreconditions(preconditions: readonly PlanPrecondition[]): readonly PlanPrecondition[] {
  const byText = new Map(preconditions.map((each) => [`${each.type} ${each.target} ${each.message}`, each]));
  return inKeyOrder([...byText.values()], ({ type, target, message }) => [
    String(PRECONDITION_TYPES.indexOf(type)).padStart(2, '0'),
    target,
    message,
  ]);
}
