import { repositoryName } from '../../../domain/git/repository.ts';
import type { AlertChannelConfig } from '../../../domain/shared/channels.schema.ts';
import { LonghaulError } from '../../../domain/shared/failures.ts';
import { send } from '../../alerts/channels.ts';

/** What the channels of releases are told about a deployment. */
export interface AnnounceDeployment {
  readonly deployment: string;
  readonly event: 'deployment started' | 'deployment rolled back' | 'deployment not undone';
  readonly repository: string;
  readonly version: string;
  readonly environment: string;
  readonly by: string;
  /** One sentence. */
  readonly why: string;
}

/**
 * Tells all channels of `release.announce`. Receivers know a repetition by its id. Throws the failure of the last channel
 * that did not take it, when all were tried.
 */
export async function announceDeployment(
  {
    channels,
    announce,
    env,
  }: {
    readonly channels: readonly AlertChannelConfig[];
    /** Names of channels. */
    readonly announce: readonly string[];
    readonly env: NodeJS.ProcessEnv;
  },
  told: AnnounceDeployment,
  signal: AbortSignal,
): Promise<void> {
  const { event, repository, version, environment, why, deployment } = told;
  const id = `${event.replaceAll(' ', '-')}/${deployment}`;
  const text = [
    `Longhaul: ${version} of ${repositoryName(repository)} in ${environment}: ${event}`,
    why,
    `longhaul deployments show ${deployment}`,
  ].join('\n');
  let failure: unknown = null;
  for (const name of announce) {
    try {
      const channel = channels.find((one) => one.name === name);
      if (channel === undefined) {
        throw new LonghaulError('InvalidConfiguration', `The alert channel ${name} is not configured here.`);
      }
      await send(channel, { id, body: { id, ...told }, text }, env, signal);
    } catch (error) {
      failure = error;
    }
  }
  if (failure !== null) throw failure;
}
