import { setCurrentDetails } from '@temporalio/workflow';
import type { VerifyInput, VerifyRepositoryInput } from '../../domain/catalog/flows/flows.ts';
import type { FleetResult } from '../../domain/catalog/flows/fleet.ts';
import { clipError } from '../../domain/fleet/failure.ts';
import { describeVerification } from '../../domain/catalog/flows/progress.ts';
import { repositoryName } from '../../domain/git/repository.ts';
import {
  addVerification,
  describeDifferences,
  NOTHING_DIFFERS,
  type RepositoryVerification,
} from '../../domain/catalog/index/verification.ts';
import { logEvent } from '../shared/events.ts';
import { verifyCatalogFlow } from '../../domain/catalog/flows/fleet-flows.ts';
import { verifyRepositoryFlow } from '../../domain/catalog/flows/repository-flows.ts';
import { checked } from '../shared/input.ts';
import { underLock } from '../shared/lock.ts';
import { planActivities, indexActivities } from './activities.ts';
import { fleetName, fleetStart, FleetTracker, PAGE_SIZE, workThroughFleet } from './fleet.ts';
import { lockOf } from './lock.ts';
import { loggingFailure } from './log-events.ts';

/**
 * Checks the index against git: one pass over Weaviate finds the receipts that differ from what it holds, and only
 * those (with `full` all) are compared object by object, with one child each. With `repair` differences are repaired. A
 * repository that still differs at the end is a failure `IndexDiffers`.
 */
export async function verifyCatalog(input: VerifyInput): Promise<FleetResult> {
  const { given, state } = fleetStart(input);
  const tracker = new FleetTracker(state.progress);
  tracker.update({ verification: state.progress.verification ?? NOTHING_DIFFERS });
  const { patterns, all, full, repair, parallel } = await checked(verifyCatalogFlow, given);
  const name = fleetName('verify', patterns);
  return workThroughFleet<RepositoryVerification>(state, tracker, {
    name,
    parallel,
    page: (after) =>
      planActivities.findDiffering.executeWithOptions(
        { summary: `receipts and objects of ${name.group}`.slice(0, 200) },
        [{ patterns: patterns ?? null, full, after, limit: PAGE_SIZE }],
      ),
    child: { type: verifyRepositoryFlow.type, input: ({ id }) => ({ repository: id, repair }) },
    record: (found) => record(tracker, found),
    nextInput: (next) => ({ ...(patterns ? { patterns } : { all }), full, repair, parallel, continued: next }),
  });
}

function record(tracker: FleetTracker, found: RepositoryVerification): void {
  const { progress } = tracker;
  const { repository, isTrue, differences, note } = found;
  tracker.finished(repository, {
    succeeded: progress.succeeded + (isTrue ? 1 : 0),
    objectsWritten: progress.objectsWritten + found.objectsWritten,
    objectsDeleted: progress.objectsDeleted + found.objectsDeleted,
    embedded: progress.embedded + found.embedded,
    embeddingsReused: progress.embeddingsReused + found.embeddingsReused,
    verification: addVerification(progress.verification ?? NOTHING_DIFFERS, found),
  });
  if (isTrue) return;
  const error = `${describeDifferences(differences)}${note === null ? '' : `; ${note}`}`;
  tracker.failed([{ repository, type: 'IndexDiffers', error: clipError(error) }]);
}

/** Compares the index of one repository with git, under its lock, and with `repair` repairs exactly what differs. */
export async function verifyRepository(input: VerifyRepositoryInput): Promise<RepositoryVerification> {
  const { repository, repair } = await checked(verifyRepositoryFlow, input);
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
      const mended = { objects_written: objectsWritten, objects_deleted: objectsDeleted };
      logEvent('verify_repo_success', { repo, ...mended, duration_ms: Date.now() - started });
    } else {
      logEvent('index_differs', { repo, differences: describeDifferences(found.differences) });
    }
    return found;
  };
  return underLock({ ...lockOf(repository), type: verifyRepositoryFlow.type, input: { repository, repair }, work });
}
