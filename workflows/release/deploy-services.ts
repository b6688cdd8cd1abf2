import { ApplicationFailure } from '@temporalio/workflow';
import type { DeployPlace, DeployService, PlannedDeployment } from '../../domain/release/deployment/deployment.ts';
import { canaryServiceOf } from '../../domain/release/deployment/canary.ts';
import type { DeploymentInput } from '../../activities/release/environment-changes.ts';
import type { Watched } from '../../activities/release/deployment/watch-deployment.ts';
import { inOrder } from '../shared/in-order.ts';
import type { Rollback } from '../shared/rollback.ts';
import { changeActivities, hookActivities, lastingChangeActivities } from './activities.ts';
import type { Canaries } from './canary.ts';
import type { HookStep, ServiceHooks } from './deployment-hooks.ts';

/** A deployment that is carried out. */
export interface Carried {
  readonly place: DeployPlace;
  readonly plan: PlannedDeployment;
  readonly target: DeploymentInput;
  /** The hooks by service. */
  readonly hooks: ReadonlyMap<string, ServiceHooks>;
  readonly rollback: Rollback;
  readonly canaries: Canaries;
  /** Watches a service and its canary for so many seconds. */
  readonly watchCanary: (service: DeployService, seconds: number) => Promise<Watched>;
  readonly show: (...lines: readonly string[]) => void;
}

/** Services that are deployed at once. */
const AT_ONCE = 16;

/**
 * Deploys services, each when those that it needs are ready. When one fails, those at work are cancelled. Fails with the
 * failure of the first when all have ended.
 */
export async function deployServices(carried: Carried): Promise<void> {
  const { services } = carried.place;
  await inOrder(services, {
    atOnce: AT_ONCE,
    work: (service) => deployService(carried, service),
    onChange: (done, atWork) =>
      carried.show(`${done} of ${services.length} services are ready; at work: ${atWork.join(', ')}`),
  });
}

async function deployService(carried: Carried, deployed: DeployService): Promise<void> {
  const { name: service, ready } = deployed;
  const { plan, target, rollback, hooks } = carried;
  const { before, after } = hooks.get(service) ?? NO_HOOKS;
  for (const step of before) await runHookStep(carried, step);
  if (plan.changes.some((change) => change.service === service)) {
    rollback.before(`the objects of ${service}`, () =>
      changeActivities.undoObjects.executeWithOptions({ summary: `put ${service} back` }, [{ ...target, service }]),
    );
    if (plan.canaries.includes(service)) await runCanary(carried, deployed);
    await changeActivities.applyService.executeWithOptions({ summary: `apply ${service}` }, [{ ...target, service }]);
    const problems = await lastingChangeActivities(ready).awaitReady.executeWithOptions(
      { summary: `${service} becomes ready` },
      [{ ...target, service, seconds: ready }],
    );
    if (problems.length > 0) throw unhealthy(`${service} did not become ready: ${problems.join('; ')}.`);
    if (plan.settled.includes(service)) {
      await changeActivities.applyService.executeWithOptions({ summary: `apply the rest of ${service}` }, [
        { ...target, service, part: 'settled' },
      ]);
    }
    if (plan.canaries.includes(service)) {
      await changeActivities.removeCanary.executeWithOptions({ summary: `remove the canary of ${service}` }, [
        { ...target, service },
      ]);
    }
  }
  for (const step of after) await runHookStep(carried, step);
}

/** Takes a service through the steps of its canary: what its pods need comes before, its own workloads after. */
async function runCanary(carried: Carried, deployed: DeployService): Promise<void> {
  const { target, rollback, canaries, watchCanary, show } = carried;
  const { name: service, ready, canary } = deployed;
  if (canary === null) return;
  await changeActivities.applyService.executeWithOptions({ summary: `apply what ${service} needs` }, [
    { ...target, service, part: 'needed' },
  ]);
  rollback.before(`the canary of ${service}`, () =>
    changeActivities.undoObjects.executeWithOptions({ summary: `remove the canary of ${service}` }, [
      { ...target, service: canaryServiceOf(service) },
    ]),
  );
  await canaries.run({ service, canary, ready, target, show, watch: (seconds) => watchCanary(deployed, seconds) });
}

const NO_HOOKS: ServiceHooks = { before: [], after: [] };

/** Runs a hook. A failed one is taken back, too: it may have done a part of its work. */
export async function runHookStep({ target, rollback }: Carried, step: HookStep): Promise<void> {
  const { canBeUndone, ...hook } = step;
  const { deployment, repository, environment } = target;
  const run = async (direction: HookStep['direction']): Promise<void> => {
    const { ok, exitCode, ended, said } = await hookActivities.runHook.executeWithOptions(
      { summary: `${hook.hook} of ${hook.service}: ${direction}` },
      [{ repository, environment, deployment, ...hook, direction }],
    );
    if (ok) return;
    const how = exitCode === null ? `it was ended: ${ended}` : `it exited with ${exitCode}`;
    throw unhealthy(`The hook ${hook.hook} of ${hook.service} failed (${direction}): ${how}. It said: ${said}`);
  };
  if (canBeUndone) {
    rollback.before(`the hook ${hook.hook} of ${hook.service}`, () => run(step.direction === 'up' ? 'down' : 'up'));
  }
  await run(step.direction);
}

function unhealthy(message: string): ApplicationFailure {
  return ApplicationFailure.nonRetryable(message.slice(0, 1_000), 'DeploymentUnhealthy');
}
