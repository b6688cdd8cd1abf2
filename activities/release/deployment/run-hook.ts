import type { EnvironmentService } from '../../../domain/release/contracts/environments.schema.ts';
import { deploymentVariables, type HookOfService, type HookResult } from '../../../domain/release/deployment/hook.ts';
import type { PackedCommit } from '../../../domain/release/pipelines/job.ts';
import { LonghaulError } from '../../../domain/shared/failures.ts';
import { inCheckout } from '../pipelines/in-checkout.ts';
import { createJobLog, followTail } from '../pipelines/job-log.ts';
import type { JobTools } from '../pipelines/job-runner.ts';
import { programOf } from '../pipelines/job-services.ts';

/** A hook to run. */
export interface HookTask extends HookOfService {
  readonly repository: string;
  readonly packed: PackedCommit;
  /** Name of the environment. */
  readonly environment: string;
  /** Id of the deployment. */
  readonly deployment: string;
  readonly hooks: EnvironmentService['hooks'];
  readonly signal: AbortSignal;
  /** Receives the last lines of its output while it runs. */
  readonly onTail: (tail: { readonly written: number; readonly tail: string }) => void;
}

/** Characters of {@link HookResult.said}. */
const SAID = 1_000;

/**
 * Runs a hook, or the program that takes it back, in a clean checkout of the commit, in the sandbox. Its failure is a
 * result. Throws `InvalidInput` for one that the service does not have, `SecretNotAllowed`, `NetworkNotAllowed`, and the
 * reason of the signal when it was cancelled.
 */
export async function runHook(
  { blobs, sources, sandbox, secrets }: Omit<JobTools, 'artifactBytes'>,
  task: HookTask,
): Promise<HookResult> {
  const { repository, packed, service, signal } = task;
  const { program, network, timeout, secrets: names } = hookOf(task);
  const values = secrets.valuesFor(repository, names);
  const log = await createJobLog(blobs);
  const stop = followTail(log, task.onTail);
  try {
    return await inCheckout(
      { sources, sandbox },
      { packed, about: repository, name: 'hook', signal },
      async (folder) => {
        await sandbox.give(folder);
        const {
          exitCode,
          signal: by,
          ended,
          durationMs,
        } = await sandbox.run({
          argv: programOf(program),
          folder,
          env: { ...values, ...deploymentVariables({ ...task, commit: packed.commit, service }) },
          network,
          timeoutSeconds: timeout,
          signal,
          onOutput: (piece) => log.write(piece),
        });
        signal.throwIfAborted();
        const said = log.tail().tail.trim().slice(-SAID);
        const { digest } = await log.commit();
        const how = ended === 'exit' || ended === 'signal' ? by : ended;
        return { ok: exitCode === 0, exitCode, ended: how, log: digest, seconds: durationMs / 1_000, said };
      },
    );
  } catch (error) {
    await log.discard();
    throw error;
  } finally {
    stop();
  }
}

type Hook = EnvironmentService['hooks']['before'][number];

function hookOf({ environment, service, when, hook: name, direction, hooks }: HookTask): Omit<Hook, 'down'> & {
  readonly program: NonNullable<Hook['down']>;
} {
  const hook = hooks[when].find((each) => each.name === name);
  if (hook === undefined) {
    throw new LonghaulError('InvalidInput', `${service} in ${environment} has no hook ${name} in hooks.${when}.`);
  }
  const program = direction === 'up' ? hook : hook.down;
  if (program !== undefined) return { ...hook, program };
  throw new LonghaulError('InvalidInput', `The hook ${name} of ${service} in ${environment} has no down step.`);
}
