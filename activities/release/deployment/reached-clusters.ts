import { setTimeout as delay } from 'node:timers/promises';
import type { InventoryItem } from '../../../domain/release/deployment/inventory.ts';
import type { PlaceOfService } from '../../../domain/release/deployment/service-place.ts';
import { problemOfVersions } from '../../../domain/release/deployment/environment-check.ts';
import { LonghaulError } from '../../../domain/shared/failures.ts';
import type { Cluster } from '../../kubernetes/cluster.ts';
import type { PlanTools } from './plan-tools.ts';

/** How long one of several clusters is waited for before anything is planned. */
const REACHED_MS = 30_000;
const REACHED_POLL_MS = 2_000;

/**
 * What keeps a deployment from clusters, a sentence each: where services are in several, or earlier deployments have made
 * their objects in others. Throws `DeploymentRefused` when one of them does not answer.
 */
export async function problemsOfClusters(
  { clusters, contexts }: PlanTools,
  places: readonly PlaceOfService[],
  items: readonly InventoryItem[],
): Promise<readonly string[]> {
  const own = [...new Set(places.map(({ context }) => context))];
  const earlier = [...new Set(items.map(({ context }) => context))].filter((context) => !own.includes(context));
  const problems: string[] = [];
  const all: string[] = [...own];
  for (const context of earlier) {
    const problem = contexts.problemOf(context);
    if (problem === null) all.push(context);
    else problems.push(`Earlier deployments have made objects in the context ${context}. ${problem}`);
  }
  // a single cluster is waited for: nothing else is held up by it
  if (all.length === 1) return problems;
  for (const context of all) {
    const { kubectl, cluster } = await versionsInTime(clusters.of(context), context);
    const skew = problemOfVersions(kubectl, cluster);
    if (skew !== null) problems.push(`${skew} (context ${context}).`);
  }
  return problems;
}

async function versionsInTime(
  cluster: Cluster,
  context: string,
): Promise<{ readonly kubectl: string; readonly cluster: string }> {
  const until = Date.now() + REACHED_MS;
  for (;;) {
    try {
      return await cluster.versions();
    } catch (error) {
      if (!(error instanceof LonghaulError) || error.type !== 'ClusterUnavailable') throw error;
      if (Date.now() > until) {
        const hint = `If it no longer exists: deploy.contexts.${context}.retired in longhaul.yaml of the worker.`;
        throw new LonghaulError('DeploymentRefused', `${error.message} ${hint}`, { cause: error });
      }
      await delay(REACHED_POLL_MS);
    }
  }
}
