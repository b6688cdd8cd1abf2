import type { CanaryAction, CanaryOrder, CanaryState } from '../../../domain/release/deployment/canary.ts';
import { WorkflowUpdateFailedError } from '@temporalio/client';
import { WorkflowNotFoundError } from '@temporalio/common';
import { LonghaulError } from '../../../domain/shared/failures.ts';
import type { CliContext } from '../../core/context.ts';
import { shownError } from '../../core/errors.ts';
import { repositoryOfFolder } from '../../core/folder-repository.ts';
import { connectTemporal } from '../../core/servers.ts';
import { userName } from '../../core/user-name.ts';

/** Options of `longhaul canary`. */
export interface CanaryOptions {
  /** Name of the environment. */
  readonly env: string;
  /** Id of the repository. @default that of the working folder */
  readonly repo?: string;
  /** The reason, for the record. */
  readonly why?: string;
  /** Print exactly one JSON value. */
  readonly json?: boolean;
}

/** `longhaul canary`: steers the canary of the deployment that is at work in an environment. Returns the exit code. */
export async function canaryCommand(
  context: CliContext,
  action: CanaryAction,
  { env: environment, repo, why, json = false }: CanaryOptions,
): Promise<number> {
  const repository = repo ?? (await repositoryOfFolder(context));
  const session = await connectTemporal(context);
  try {
    const handle = session.client.workflow.getHandle(`${LOCK}/${repository}/${environment}`);
    const order: CanaryOrder = { action, by: userName(context.env), ...(why === undefined ? {} : { why }) };
    const { service, percent, isPaused } = await handle.executeUpdate<CanaryState, [CanaryOrder]>('canary', {
      args: [order],
    });
    const said = `${service} at ${percent}%: ${action === 'abort' ? 'everything is being put back' : isPaused ? 'paused' : DONE[action]}`;
    context.stdout.write(json ? `${JSON.stringify({ service, percent, isPaused })}\n` : `${said}\n`);
    return 0;
  } catch (error) {
    if (error instanceof WorkflowUpdateFailedError) throw new LonghaulError('InvalidInput', shownError(error).message);
    if (!(error instanceof WorkflowNotFoundError)) throw error;
    throw new LonghaulError('InvalidInput', `No deployment is at work in ${environment} of ${repository}.`);
  } finally {
    await session.close();
  }
}

/** The id of the flow that has the lock of an environment begins with it. */
const LOCK = 'deploy';

const DONE: Readonly<Record<Exclude<CanaryAction, 'abort'>, string>> = {
  pause: 'paused',
  resume: 'goes on',
  skip: 'the next step comes now',
};
