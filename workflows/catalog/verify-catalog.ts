import { setCurrentDetails } from '@temporalio/workflow';
import { type CatalogCounters, type CatalogFleetResult, NO_COUNTS } from '../../domain/catalog/flows/fleet.ts';
import { verifyCatalogFlow } from '../../domain/catalog/flows/fleet-flows.ts';
import type { VerifyInput, VerifyRepositoryInput } from '../../domain/catalog/flows/flows.ts';
import { describeVerification } from '../../domain/catalog/flows/progress.ts';
import { verifyRepositoryFlow } from '../../domain/catalog/flows/repository-flows.ts';
import {
  addVerification,
  describeDifferences,
  NOTHING_DIFFERS,
  type RepositoryVerification,
} from '../../domain/catalog/index/verification.ts';
import { clipError, type RepositoryFailure } from '../../domain/fleet/failure.ts';
import { repositoryName } from '../../domain/git/repository.ts';
import { underLock } from '../shared/child.ts';
import { logEvent } from '../shared/events.ts';
import { workThroughFleet } from '../shared/fleet.ts';
import type { FleetTracker } from '../shared/fleet-tracker.ts';
import { checked } from '../shared/input.ts';
import { indexActivities, planActivities } from './activities.ts';
import { patternsLog, startCatalogFleet } from './fleet.ts';
import { loggingFailure } from './log-events.ts';

/**
 * Checks the index against git: one pass over Weaviate finds the receipts that differ from their objects, and only
 * those repositories (with `full`, all) are compared object by object, with one child each. With `repair`, differences
 * are repaired. A repository that still differs at the end is a failure `IndexDiffers`.
 */
export async function verifyCatalog(input: VerifyInput): Promise<CatalogFleetResult> {
  const { given, state, tracker } = startCatalogFleet(input, { ...NO_COUNTS, verification: NOTHING_DIFFERS });
  const { patterns, all, full, repair, parallel } = await checked(verifyCatalogFlow, given);
  const summary = `receipts and objects of ${patterns?.join(', ') ?? 'all'}`.slice(0, 200);
  return workThroughFleet(state, tracker, {
    log: patternsLog('verify', patterns),
    parallel,
    page: (request) =>
      planActivities.findDiffering.executeWithOptions({ summary }, [{ patterns: patterns ?? null, full, ...request }]),
    child: verifyRepositoryFlow,
    input: ({ id }) => ({ repository: id, repair }),
    record: (found) => record(tracker, found),
    nextInput: (continued) => ({ ...(patterns ? { patterns } : { all }), full, repair, parallel, continued }),
  });
}

/** Adds what was found in one repository. Returns the failure when it still differs. */
function record(tracker: FleetTracker<CatalogCounters>, found: RepositoryVerification): RepositoryFailure | null {
  const { counters } = tracker;
  const { repository, isTrue, differences, note } = found;
  tracker.count({
    objectsWritten: counters.objectsWritten + found.objectsWritten,
    objectsDeleted: counters.objectsDeleted + found.objectsDeleted,
    embedded: counters.embedded + found.embedded,
    embeddingsReused: counters.embeddingsReused + found.embeddingsReused,
    verification: addVerification(counters.verification ?? NOTHING_DIFFERS, found),
  });
  if (isTrue) return null;
  const error = `${describeDifferences(differences)}${note === null ? '' : `; ${note}`}`;
  return { repository, type: 'IndexDiffers', error: clipError(error) };
}

/** Compares the index of one repository with git, under its lock, and with `repair` repairs only what differs. */
export async function verifyRepository(input: VerifyRepositoryInput): Promise<RepositoryVerification> {
  const question = await checked(verifyRepositoryFlow, input);
  const { repository, repair } = question;
  const work = async (): Promise<RepositoryVerification> => {
    const repo = repositoryName(repository);
    const started = Date.now();
    const found = await loggingFailure('verify', repository, {}, () =>
      indexActivities.verifyRepository.executeWithOptions({ summary: `${repo}: index and git` }, [
        { repository, repair },
      ]),
    );
    setCurrentDetails(describeVerification(found));
    if (found.isTrue) {
      const { objectsWritten, objectsDeleted } = found;
      const repaired = { objects_written: objectsWritten, objects_deleted: objectsDeleted };
      logEvent('verify_repo_success', { repo, ...repaired, duration_ms: Date.now() - started });
    } else {
      logEvent('index_differs', { repo, differences: describeDifferences(found.differences) });
    }
    return found;
  };
  return underLock(verifyRepositoryFlow, question, work);
}
