import { deployReleaseFlow } from '../../domain/release/flows/deploy-flows.ts';
import { isLocked, runChild } from '../shared/child.ts';
import { failureOf } from '../shared/failure.ts';
import { ledgerActivities } from './activities.ts';
import { holding } from './hold-train.ts';
import { readTrainPlan, type TrainWork } from './plan-train.ts';

/**
 * Deploys what has left, as soon as the environment takes it. Returns why it did not, a sentence; null when the environment
 * has it. Fails when the deployment fails.
 */
export async function deployTrain(
  work: TrainWork,
  { version, environment }: { readonly version: string; readonly environment: string },
): Promise<string | null> {
  const { given, show } = work;
  const { repository, by } = given;
  const asked = { repository, version, environment, overrideFreeze: '', reason: '', goBack: false, by };
  return holding<string | null>(work, async () => {
    const key = { repository, version, environment };
    const { isThere, overtaken } = await ledgerActivities.readArrival.executeWithOptions(
      { summary: `what ${environment} has` },
      [key],
    );
    if (isThere || overtaken !== null) return { done: overtaken };
    try {
      const { plan } = await runChild(deployReleaseFlow, { ...asked, dryRun: true });
      const waitsFor = [...plan.problems, ...plan.freezes];
      if (waitsFor.length > 0) return { version, waitsFor };
      if (plan.approvals !== null && (await readTrainPlan(given, version)).hasPeople) {
        const ask = `longhaul deploy ${version} --env ${environment}`;
        return { version, waitsFor: [`a person to ask for the approvals: ${ask}`] };
      }
    } catch (error) {
      const { type, error: message } = failureOf(error);
      // no worker of the role, or another deployment
      if (type !== 'ServerUnavailable' && !isLocked(error)) throw error;
      return { version, waitsFor: [message] };
    }
    show(`deploys ${version}: longhaul watch deployment/${repository}/${environment}/${version}`);
    await runChild(deployReleaseFlow, { ...asked, dryRun: false });
    return { done: null };
  });
}
