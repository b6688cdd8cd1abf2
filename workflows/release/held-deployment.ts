import {
  CancellationScope,
  condition,
  defineSignal,
  getExternalWorkflowHandle,
  setHandler,
  workflowInfo,
} from '@temporalio/workflow';
import type { DeployedCandidate, DeployReleaseResult } from '../../domain/release/flows/deploy-flows.ts';
import { changeEnvironmentFlow, deployReleaseFlow } from '../../domain/release/flows/deploy-flows.ts';
import type { PackedCommit } from '../../domain/release/pipelines/job.ts';
import { writtenId } from '../../domain/shared/flow.ts';
import { runChild } from '../shared/child.ts';

/** Tells a run of a pipeline that its deployment was watched: the job, and the id of the deployment. */
const heldSignal = defineSignal<[string, string]>('held');
/** Tells a deployment that its run has passed. */
const keepSignal = defineSignal<[string]>('keep');

/** Listens for the word of a run that its deployment stays. */
export interface Keeping {
  /** Tells the run that the environment was watched, and waits until it says that its later jobs have passed. */
  untilKept(candidate: DeployedCandidate, deployment: string): Promise<void>;
}

/** Called before the first step of a flow. */
export function listenForKeep(): Keeping {
  let isKept = false;
  setHandler(keepSignal, () => void (isKept = true), {
    description: 'The run of the pipeline has passed: the deployment stays',
  });
  return {
    async untilKept({ run, job }, deployment) {
      await getExternalWorkflowHandle(run).signal(heldSignal, job, deployment);
      await condition(() => isKept);
    },
  };
}

/** A run of a pipeline that deploys its commit. */
export interface DeployingRun {
  readonly repository: string;
  readonly packed: PackedCommit;
  readonly by: string;
  readonly requestId: string | undefined;
}

/** The deployments of a run, which are held until it ends. */
export interface HeldDeployments {
  /** Deploys the commit of the run for a job. Resolves to the id of the deployment when it was watched; rejects when it did not stay. */
  deploy(
    running: DeployingRun,
    asked: { readonly job: string; readonly environment: string; readonly outputs: DeployedCandidate['outputs'] },
  ): Promise<string>;
  /**
   * Ends all of them: they stay, or are put back, and the environments are free again. Returns the jobs whose deployment
   * did not stay although it should, each with the reason.
   */
  settle(stay: boolean): Promise<readonly { readonly job: string; readonly error: unknown }[]>;
}

/** Deploys the commit of a run to environments, and holds their locks. Called before the first step of the flow. */
export function heldDeployments(): HeldDeployments {
  const held = new Map<string, string>();
  const started = new Map<
    string,
    { readonly scope: CancellationScope; readonly lock: string; readonly ended: Promise<unknown> }
  >();
  setHandler(heldSignal, (job, deployment) => void held.set(job, deployment), {
    description: 'A deployment of a job was watched, and is held',
  });
  const run = workflowInfo().workflowId;
  return {
    async deploy({ repository, packed, by, requestId }, { job, environment, outputs }) {
      const version = packed.commit.slice(0, 12);
      const input = {
        repository,
        version,
        environment,
        by,
        dryRun: false,
        goBack: false,
        overrideFreeze: '',
        reason: '',
        candidate: { packed, outputs, run, job },
        ...(requestId === undefined ? {} : { requestId }),
      };
      const scope = new CancellationScope();
      const whole: Promise<DeployReleaseResult> = scope.run(() => runChild(deployReleaseFlow, input));
      const ended = whole.then(
        () => null,
        (error: unknown) => error ?? new Error('it failed'),
      );
      const lock = writtenId(changeEnvironmentFlow, { ...input, waiting: [], packed });
      started.set(job, { scope, lock, ended });
      const isHeld = condition(() => held.has(job)).then(() => null);
      const error = await Promise.race([ended, isHeld]);
      if (error === null) return held.get(job) ?? '';
      started.delete(job);
      throw error;
    },
    async settle(stay) {
      const lost = await Promise.all(
        [...started].map(async ([job, { scope, lock, ended }]) => {
          if (stay) {
            // it may have ended: then its failure says why
            await getExternalWorkflowHandle(lock)
              .signal(keepSignal, run)
              .catch(() => undefined);
          } else scope.cancel();
          const error = await ended;
          return stay && error !== null ? [{ job, error }] : [];
        }),
      );
      return lost.flat();
    },
  };
}
