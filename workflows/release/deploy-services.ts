import { ApplicationFailure } from '@temporalio/workflow';
import type { DeployPlace, DeployService, PlannedDeployment } from '../../domain/release/deployment/deployment.ts';
import { startable } from '../../domain/release/deployment/service-order.ts';
import type { DeploymentInput } from '../../activities/release/environment-changes.ts';
import type { Rollback } from '../shared/rollback.ts';
import { changeActivities, lastingChangeActivities } from './activities.ts';
import type { EnvironmentChange } from './change-environment.ts';

/** A deployment that is carried out. */
interface Carried {
  readonly place: DeployPlace;
  readonly plan: PlannedDeployment;
  readonly target: DeploymentInput;
  readonly rollback: Rollback;
  readonly show: (...lines: readonly string[]) => void;
}

/** Services that are deployed at once. */
const AT_ONCE = 16;

/**
 * Deploys services, each when those that it needs are ready. When one fails, waits for those at work, and fails with the
 * failure of the first.
 */
export async function deployServices(given: EnvironmentChange, carried: Carried): Promise<void> {
  const { place, show } = carried;
  const done = new Set<string>();
  const running = new Map<string, Promise<void>>();
  const failures: unknown[] = [];
  for (;;) {
    if (failures.length === 0) {
      for (const service of startable(place.services, done, new Set(running.keys())).slice(0, AT_ONCE - running.size)) {
        const work = deployService(given, carried, service).then(
          () => void done.add(service.name),
          (error: unknown) => void failures.push(error),
        );
        running.set(
          service.name,
          work.finally(() => running.delete(service.name)),
        );
      }
    }
    if (running.size === 0) break;
    show(`${done.size} of ${place.services.length} services are ready; at work: ${[...running.keys()].join(', ')}`);
    await Promise.race(running.values());
  }
  if (failures.length > 0) throw failures[0];
}

async function deployService(
  _given: EnvironmentChange,
  { plan, target, rollback }: Carried,
  { name: service, ready }: DeployService,
): Promise<void> {
  if (!plan.changes.some((change) => change.service === service)) return;
  rollback.before(service, () =>
    changeActivities.undoObjects.executeWithOptions({ summary: `put ${service} back` }, [{ ...target, service }]),
  );
  await changeActivities.applyService.executeWithOptions({ summary: `apply ${service}` }, [{ ...target, service }]);
  const problems = await lastingChangeActivities(ready).awaitReady.executeWithOptions(
    { summary: `${service} becomes ready` },
    [{ ...target, service, until: Date.now() + ready * 1_000 }],
  );
  if (problems.length === 0) return;
  throw ApplicationFailure.nonRetryable(
    `${service} did not become ready: ${problems.join('; ')}.`.slice(0, 1_000),
    'DeploymentUnhealthy',
  );
}
