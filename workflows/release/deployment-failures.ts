import { ApplicationFailure } from '@temporalio/workflow';
import type { RefusalFacts } from '../../domain/shared/acts.ts';
import type { EnvironmentChange } from '../../domain/release/flows/deploy-flows.ts';
import type { Replaced } from '../shared/turns.ts';

/** The failure of a deployment that did not stay. `why`: the rest of a sentence, without a full stop. */
export function unhealthy({ version, environment }: EnvironmentChange, why: string): ApplicationFailure {
  return ApplicationFailure.nonRetryable(`${version} did not stay in ${environment}: ${why}.`, 'DeploymentUnhealthy');
}

/** The failure of a deployment to an environment whose place a newer one takes. */
export function replacedIn(environment: string): Replaced {
  return {
    type: 'DeploymentReplaced',
    message: `A newer deployment to ${environment} has taken the place of this one.`,
  };
}

/** The failure of a deployment that is refused before its first change. */
export function refusal(message: string, reasons: readonly string[] = [message]): ApplicationFailure {
  const facts: RefusalFacts = { reasons: reasons.slice(0, 100) };
  return ApplicationFailure.create({
    type: 'DeploymentRefused',
    message: message.slice(0, 2_000),
    nonRetryable: true,
    details: [null, facts],
  });
}
