import type {
  CatalogCounters,
  CatalogFleetResult,
  PlannedRepository,
  RepositoryOutcome,
} from '../../domain/catalog/flows/fleet.ts';
import { NO_COUNTS } from '../../domain/catalog/flows/fleet.ts';
import type { SyncRepositoryInput } from '../../domain/catalog/flows/flows.ts';
import { CATALOG_VIEW } from '../../domain/catalog/flows/progress.ts';
import { removeRepositoryFlow } from '../../domain/catalog/flows/repository-flows.ts';
import type { RepositoryFailure } from '../../domain/fleet/failure.ts';
import { repositoryName } from '../../domain/git/repository.ts';
import type { Verb } from '../../domain/shared/events.ts';
import { hasLogged, isOwnCancellation, runChild } from '../shared/child.ts';
import { logEvent } from '../shared/events.ts';
import { failureOf } from '../shared/failure.ts';
import type { FleetLog } from '../shared/fleet.ts';
import { type FleetState, fleetStart } from '../shared/fleet-state.ts';
import { FleetTracker } from '../shared/fleet-tracker.ts';

/** The state that a run of the catalog carries to the next. */
export type CatalogState = FleetState<CatalogCounters>;

/** The start of a catalog fleet flow. */
export interface CatalogStart {
  /** The input as given, not yet checked. */
  readonly given: unknown;
  readonly state: CatalogState;
  readonly tracker: FleetTracker<CatalogCounters>;
}

/** Begins, or continues, a fleet flow of the catalog. Its query is answered from here on. */
export function startCatalogFleet(input: unknown, zero: CatalogCounters = NO_COUNTS): CatalogStart {
  const { given, state } = fleetStart(input, zero);
  return { given, state, tracker: new FleetTracker(state, CATALOG_VIEW) };
}

/** The name of a run's repositories in the log and the metrics. */
interface FleetName {
  readonly verb: Verb;
  /** The name of the sync group, or the patterns. */
  readonly group: string;
  /** True for a sync group. */
  readonly named: boolean;
}

/** The log of a run over the repositories that match patterns, or over all. */
export function patternsLog(verb: Verb, patterns: readonly string[] | undefined): FleetLog<CatalogCounters> {
  return fleetLog({ verb, group: patterns?.join(', ') ?? 'all', named: false });
}

/** The log of a run of a sync group. */
export function groupLog(group: string): FleetLog<CatalogCounters> {
  return fleetLog({ verb: 'sync', group, named: true });
}

/** Logs a run as docs/events.md says. */
function fleetLog({ verb, group, named }: FleetName): FleetLog<CatalogCounters> {
  return {
    started: (total) => logEvent(`${verb}_group_start`, { group, repo_count: total, named }),
    repositoryFailed: ({ repository, type, error }) =>
      logEvent(`${verb}_repo_failed`, { repo: repositoryName(repository), type, error, ...(named ? { group } : {}) }),
    done: (result, startedAt) => logDone({ verb, group, named }, result, startedAt),
    failed: ({ type, error }) => logEvent(`${verb}_group_failed`, { group, named, type, error }),
  };
}

function logDone({ verb, group, named }: FleetName, result: CatalogFleetResult, startedAt: number): void {
  const written = result.failures.flatMap(({ indexedAt }) => indexedAt ?? []);
  logEvent(`${verb}_group_done`, {
    group,
    named,
    repositories: result.matched,
    succeeded: result.succeeded,
    failed: result.failed,
    skipped: result.skipped,
    files_changed: result.filesChanged,
    duration_ms: result.durationMs,
    failing_runs: Math.max(0, ...result.failures.map(({ inARow = 1 }) => inARow)),
    // repositories that did not fail became, or were found, up to date after the run began
    true_since: [new Date(startedAt).toISOString(), ...written].reduce((a, b) => (a < b ? a : b)),
  });
}

/** The field of a child's input that names branches; missing when there are none. */
export function withBranches(branches: readonly string[] = []): Pick<SyncRepositoryInput, 'branches'> {
  return branches.length === 0 ? {} : { branches: [...new Set(branches)] };
}

/** A further field of a failure: when the repository was last indexed. */
export function lastIndexed({ indexedAt }: PlannedRepository): Partial<RepositoryFailure> {
  return indexedAt === undefined ? {} : { indexedAt };
}

/** Adds the outcome of one repository to the counts. */
export function addOutcome(tracker: FleetTracker<CatalogCounters>, outcome: RepositoryOutcome): void {
  const { counters } = tracker;
  tracker.count({
    filesChanged: counters.filesChanged + outcome.filesChanged,
    objectsWritten: counters.objectsWritten + outcome.objectsWritten,
    objectsDeleted: counters.objectsDeleted + outcome.objectsDeleted,
    embedded: counters.embedded + outcome.embedded,
    embeddingsReused: counters.embeddingsReused + outcome.embeddingsReused,
  });
}

/** Adds the outcome of a sync to the counts, and removes the repository from the index under its former names. */
export async function recordSynced(
  tracker: FleetTracker<CatalogCounters>,
  outcome: RepositoryOutcome,
  { id, uid, formerly = [] }: PlannedRepository,
): Promise<RepositoryFailure | null> {
  addOutcome(tracker, outcome);
  for (const former of formerly) {
    const failure = await removeFormer({ repository: former, ...(uid === undefined ? {} : { uid }) }, id, tracker);
    if (failure !== null) return failure;
  }
  if (formerly.length > 0) tracker.count({ moved: tracker.counters.moved + 1 });
  return null;
}

/**
 * Removes a repository from the index under a former name, after it is indexed under its present one. If the process
 * dies between the two, the next run finds both and continues here. `uid` says which repository is meant: another one may
 * have the former name by now. Returns the failure, which is logged.
 */
async function removeFormer(
  input: { readonly repository: string; readonly uid?: string },
  present: string,
  tracker: FleetTracker<CatalogCounters>,
): Promise<RepositoryFailure | null> {
  const former = input.repository;
  const summary = `${repositoryName(former)} is ${repositoryName(present)} now`;
  try {
    const { objectsDeleted } = await runChild(removeRepositoryFlow, input, { summary });
    tracker.count({ objectsDeleted: tracker.counters.objectsDeleted + objectsDeleted });
    logEvent('repo_moved', { from: repositoryName(former), to: repositoryName(present) });
    return null;
  } catch (error) {
    if (isOwnCancellation(error)) throw error;
    const failure = { repository: former, ...failureOf(error) };
    if (!hasLogged(error)) patternsLog('remove', []).repositoryFailed(failure);
    return failure;
  }
}
