import { inKeyOrder } from './canonical-snapshot.ts';
import {
  branchFree,
  distinctPreconditions,
  fittingVersions,
  linkFilesFree,
  LOCK_AVAILABLE,
  mustBeClean,
  mustExist,
  noCycle,
  pathFree,
  programsAvailable,
  spaceFree,
  unchangedManifests,
} from './plan-preconditions.ts';
import {
  cloneStep,
  detachStep,
  inverseOf,
  linkStep,
  placeSteps,
  type PlanStep,
  setupSteps,
  switchStep,
} from './plan-steps.ts';
import { diffWorkspaces, linksByKey, repoStates } from './workspace-delta.ts';
import type { PlanContent, PlanPrecondition } from './workspace-plan.ts';
import type { WorkspaceLink, WorkspaceSnapshot } from './workspace-snapshot.ts';

/** What is known in addition to the two states. */
export interface PlanningFacts {
  /** Variables for the programs of `setup`. @default none */
  readonly environment?: Readonly<Record<string, string>>;
  /** Bytes that the clone of a repository takes at least, by name; unknown ones are left out. @default none */
  readonly cloneBytes?: ReadonlyMap<string, number>;
}

/**
 * The plan that takes a workspace from its current state to the desired one: what must hold, what is done and in which
 * order, and what takes it back. Equal arguments have equal plans; equal states have a plan without operations. It looks
 * at nothing but its arguments.
 */
export function planWorkspace(
  current: WorkspaceSnapshot,
  desired: WorkspaceSnapshot,
  { environment = {}, cloneBytes = new Map() }: PlanningFacts = {},
): PlanContent {
  const delta = diffWorkspaces(current, desired);
  const [before, after] = [repoStates(current), repoStates(desired)];
  const [linksBefore, linksAfter] = [linksByKey(current), linksByKey(desired)];
  const [reposBefore, reposAfter] = [byName(current), byName(desired)];
  const named = <Value>(
    changes: typeof delta.added,
    wanted: 'repos' | 'links',
    values: ReadonlyMap<string, Value>,
  ): Value[] =>
    changes.flatMap(({ path: [part, key] }) => {
      const value = part === wanted ? values.get(key) : undefined;
      return value === undefined ? [] : [value];
    });
  const isThere = (name: string): boolean => before.get(name)?.path === after.get(name)?.path;

  const moved = delta.changed.filter(({ path: [, name] }) => !isThere(name));
  const isMoved = new Set(moved.map(({ path: [, name] }) => name));
  // a link leads to a folder: it does not survive the move of one
  const broken = [...linksBefore].flatMap(([key, link]) =>
    isInRoot(link) && linksAfter.has(key) && (isMoved.has(link.repo) || isMoved.has(link.dep)) ? [link] : [],
  );
  const oldLinks = linksInOrder([...named(delta.removed, 'links', linksBefore).filter(isInRoot), ...broken]);
  const newLinks = linksInOrder([...named(delta.added, 'links', linksAfter), ...broken]);
  const leaving = inKeyOrder(named([...delta.removed, ...moved], 'repos', before), ({ name }) => [name]);
  const arriving = inKeyOrder(named([...delta.added, ...moved], 'repos', after), ({ name }) => [name]);
  const switching = named(delta.changed, 'repos', after).filter(({ name }) => isThere(name));

  const isNew = new Set([...arriving.map(({ name }) => name), ...newLinks.map(({ repo }) => repo)]);
  const prepared = desired.topology.topological_order.flatMap((name) =>
    isNew.has(name) ? (reposAfter.get(name) ?? []) : [],
  );
  const steps: PlanStep[] = [
    ...oldLinks.map((link) => linkStep('remove_link', link, before)),
    ...leaving.map(detachStep),
    ...arriving.map(cloneStep),
    ...switching.flatMap((state) => {
      const there = before.get(state.name);
      return there === undefined ? [] : [switchStep(there, state)];
    }),
    ...newLinks.map((link) => linkStep('create_link', link, after)),
    ...prepared.flatMap((repo) => setupSteps(repo, environment)),
  ];

  const freed = new Set(leaving.map(({ path }) => path));
  const usesGit = leaving.length + arriving.length + switching.length > 0;
  const programs = [
    ...(usesGit ? ['git'] : []),
    ...prepared.flatMap(({ setup }) => setup.flatMap(([program]) => program ?? [])),
  ];
  const room = spaceFree(arriving.reduce((sum, { name }) => sum + (cloneBytes.get(name) ?? 0), 0));
  const preconditions: PlanPrecondition[] = [
    ...[...oldLinks, ...newLinks].flatMap(({ repo }) => unchangedManifests(reposBefore.get(repo))),
    ...leaving.flatMap((state) => [mustExist(state, 'it leaves the workspace'), mustBeClean(state)]),
    ...arriving.flatMap((state) => [
      ...(freed.has(state.path) ? [] : [pathFree(state)]),
      ...(state.origin === null ? [mustExist(state, 'no origin says where to clone it from')] : []),
    ]),
    ...switching.flatMap((state) => [
      mustExist(state, 'another branch or commit is checked out in it'),
      mustBeClean(state),
      ...(state.branch === null ? [] : [branchFree(state, state.branch)]),
    ]),
    ...linkFilesFree(desired, newLinks),
    ...fittingVersions(desired, newLinks),
    ...(steps.length === 0 ? [] : [LOCK_AVAILABLE]),
    ...programsAvailable(programs),
    ...(room === null ? [] : [room]),
    ...(newLinks.length === 0 ? [] : [noCycle(current.topology, desired.topology)]),
  ];
  const operations = placeSteps(steps, desired.topology);
  const onlyRemoves = steps.length > 0 && steps.length === oldLinks.length + leaving.length;
  return {
    action: onlyRemoves ? 'detach' : 'attach',
    current,
    desired,
    preconditions: distinctPreconditions(preconditions),
    operations,
    rollback: inverseOf(steps, operations),
  };
}

/** A link that a manifest declares is changed by no plan: it comes and goes with its repository. */
function isInRoot({ files }: WorkspaceLink): boolean {
  return files.length > 0;
}

function linksInOrder(links: readonly WorkspaceLink[]): readonly WorkspaceLink[] {
  return inKeyOrder(links, ({ repo, dep }) => [repo, dep]);
}

function byName({ repos }: WorkspaceSnapshot): ReadonlyMap<string, WorkspaceSnapshot['repos'][number]> {
  return new Map(repos.map((repo) => [repo.name, repo]));
}
