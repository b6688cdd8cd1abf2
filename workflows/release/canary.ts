import {
  allHandlersFinished,
  ApplicationFailure,
  CancellationScope,
  condition,
  defineUpdate,
  setHandler,
} from '@temporalio/workflow';
import type { Watched } from '../../activities/release/deployment/watch-deployment.ts';
import type { DeploymentInput } from '../../activities/release/environment-changes.ts';
import {
  CANARY_ACTIONS,
  type CanaryOrder,
  canaryServiceOf,
  type CanaryState,
  type CanarySteps,
} from '../../domain/release/deployment/canary.ts';
import { changeActivities, lastingChangeActivities, ledgerActivities } from './activities.ts';

const canaryUpdate = defineUpdate<CanaryState, [CanaryOrder]>('canary');

/** Seconds of a watch while a canary is paused: then it begins again. */
const PAUSED_SECONDS = 12 * 3_600;

/** A service that gets a release step by step. */
export interface CanaryTask {
  readonly service: string;
  readonly canary: CanarySteps;
  /** Seconds until its pods must be ready. */
  readonly ready: number;
  readonly target: DeploymentInput;
  /** Watches the service, with its canary, for so many seconds. */
  readonly watch: (seconds: number) => Promise<Watched>;
  readonly show: (line: string) => void;
}

/** Canaries of a deployment, one service at a time, and the people who steer them. */
export interface Canaries {
  /**
   * Takes a service through its steps: more and more pods of the canary, each step watched as a deployment is. Resolves
   * when its workloads may get the release. Throws `DeploymentUnhealthy`.
   */
  run(task: CanaryTask): Promise<void>;
}

/** Called before the first step of a flow. `deployment`: its id in the ledger, once there is one. */
export function listenForCanary(deployment: () => string | null): Canaries {
  let now: CanaryState | null = null;
  let orders = 0;
  let last: CanaryOrder | null = null;
  /** No later order takes it back. */
  let aborted: CanaryOrder | null = null;
  /** Orders that the present step has followed. */
  let followed = 0;
  let turn: Promise<unknown> = Promise.resolve();
  let hasFailed = false;
  setHandler(
    canaryUpdate,
    async (order: CanaryOrder) => {
      const { action } = order;
      if (now === null) throw noCanary();
      now = { ...now, isPaused: action === 'pause' || (now.isPaused && action === 'abort') };
      last = order;
      if (action === 'abort') aborted = order;
      orders++;
      const answer = now;
      const [number, { service, percent }] = [orders, now];
      await ledgerActivities.recordCanary.executeWithOptions({ summary: `record: ${action}` }, [
        {
          deployment: deployment() ?? '',
          number,
          service,
          percent,
          action,
          by: order.by ?? 'unknown',
          why: order.why ?? null,
        },
      ]);
      return answer;
    },
    {
      description:
        'Steer the canary: {"action": "pause"}, resume, skip (the present step), abort (put everything back)',
      validator: (order: CanaryOrder): void => {
        if (!CANARY_ACTIONS.includes(order?.action)) throw invalid(`action: give one of ${CANARY_ACTIONS.join(', ')}.`);
        if (now === null) throw noCanary();
        if (aborted !== null) throw invalid('The canary was aborted: everything is being put back.');
        if (order.action === 'resume' && !now.isPaused) throw invalid('The canary is not paused.');
      },
    },
  );

  /** Work that an abort cancels: waits until it has ended, so that nothing changes while everything is put back. */
  async function unlessAborted<T>(work: () => Promise<T>): Promise<T> {
    refuseAborted();
    const scope = new CancellationScope();
    const working = scope.run(work);
    const isAborted = await beforeItEnds(
      working,
      condition(() => aborted !== null),
    );
    if (isAborted) {
      scope.cancel();
      await working.catch(() => undefined);
    }
    refuseAborted();
    return working;
  }

  function refuseAborted(): void {
    if (aborted === null) return;
    const { by = 'unknown', why }: CanaryOrder = aborted;
    throw unhealthy(`${by} aborted the canary${why === undefined ? '' : `: ${why}`}`);
  }

  /** Watches the present step until its time is over, or people end it. */
  async function untilStepEnds({ canary, watch, service, show }: CanaryTask, percent: number): Promise<void> {
    let left = canary.every;
    while (left > 0) {
      const isPaused = now?.isPaused ?? false;
      show(`${service}: canary of ${percent}%${isPaused ? ', paused' : `, for ${Math.ceil(left)} s`}`);
      const began = Date.now();
      const scope = new CancellationScope();
      const watching = scope.run(() => watch(isPaused ? PAUSED_SECONDS : left));
      const isOrdered = await beforeItEnds(
        watching,
        condition(() => orders > followed),
      );
      if (isOrdered) {
        scope.cancel();
        // it may have found something meanwhile
        const found = await watching.catch(() => null);
        if (found !== null && found.breach !== null) throw unhealthy(found.breach);
      } else {
        const { breach } = await watching;
        if (breach !== null) throw unhealthy(breach);
      }
      if (!isPaused) left -= (Date.now() - began) / 1_000;
      if (orders === followed) {
        if (!isPaused) return;
        continue;
      }
      followed = orders;
      refuseAborted();
      if (last?.action === 'skip') return;
    }
  }

  async function runSteps(task: CanaryTask): Promise<void> {
    const { service, canary, ready, target } = task;
    if (hasFailed) throw unhealthy('another canary has failed');
    try {
      for (const [step, percent] of canary.steps.entries()) {
        now = { service, percent, isPaused: now?.isPaused ?? false };
        followed = orders;
        const found = await unlessAborted(async () => {
          await changeActivities.applyCanary.executeWithOptions({ summary: `canary of ${service}: ${percent}%` }, [
            { ...target, service, percent },
          ]);
          const problems = await lastingChangeActivities(ready).awaitReady.executeWithOptions(
            { summary: `the canary of ${service} becomes ready` },
            [{ ...target, service: canaryServiceOf(service), seconds: ready }],
          );
          if (problems.length === 0 && canary.route !== undefined) {
            await changeActivities.routeCanary.executeWithOptions(
              { summary: `${percent}% of ${canary.route} to the canary of ${service}` },
              [{ ...target, service, step }],
            );
          }
          return problems;
        });
        if (found.length > 0) throw unhealthy(`the canary of ${service} did not become ready: ${found.join('; ')}`);
        await untilStepEnds(task, percent);
      }
    } catch (error) {
      hasFailed = true;
      throw error;
    } finally {
      now = null;
    }
    await condition(allHandlersFinished);
  }

  return {
    // samples of a deployment have one order, and people steer one canary
    run(task) {
      const work = turn.then(() => runSteps(task));
      turn = work.catch(() => undefined);
      return work;
    },
  };
}

/** True when the event comes before work ends. Of work that is cancelled, waits for the end: what undoes it comes next. */
async function beforeItEnds(work: Promise<unknown>, event: Promise<void>): Promise<boolean> {
  try {
    return await Promise.race([work.then(() => false), event.then(() => true)]);
  } catch (error) {
    await work.catch(() => undefined);
    throw error;
  }
}

function noCanary(): ApplicationFailure {
  return invalid('No canary of this deployment is at work.');
}

function invalid(message: string): ApplicationFailure {
  return ApplicationFailure.nonRetryable(message, 'InvalidInput');
}

/** `why`: the rest of a sentence, without a full stop. */
function unhealthy(why: string): ApplicationFailure {
  return ApplicationFailure.nonRetryable(`The canary did not stay: ${why}.`.slice(0, 1_000), 'DeploymentUnhealthy');
}
