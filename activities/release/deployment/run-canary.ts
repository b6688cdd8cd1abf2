import { canaryReplicas, canaryServiceOf, nameOfStable } from '../../../domain/release/deployment/canary.ts';
import type { KubernetesObject } from '../../../domain/kubernetes/object.ts';
import { applyPlanned, type DeploymentTools, isOfDeployment, type ServiceOfDeployment } from './apply-service.ts';
import { markUndone, readObjects } from './deployment-objects.ts';

/** A step of a canary. */
export interface CanaryStep extends ServiceOfDeployment {
  /** Percent of the pods of each workload. */
  readonly percent: number;
}

/**
 * Gives each canary of a service as many pods as the step says, of those that its workload has now. Can be repeated.
 * Throws `DriftDetected` for one that another has created since the plan.
 */
export async function applyCanary(
  tools: DeploymentTools,
  { deployment, service, percent }: CanaryStep,
): Promise<number> {
  const canaries = await canariesOf(tools, { deployment, service });
  const stable = await tools.clusters.read(
    canaries.map(({ apiVersion, key: { context, kind, name, namespace } }) => ({
      context,
      apiVersion,
      kind,
      metadata: { name: nameOfStable(name), namespace },
    })),
  );
  const scaled = canaries.map((canary, at) => {
    const { replicas: pods = 1 } = (stable[at]?.['spec'] ?? {}) as { readonly replicas?: number };
    return { ...canary, wanted: canary.wanted && withReplicas(canary.wanted, canaryReplicas(pods, percent)) };
  });
  await applyPlanned(tools, deployment, scaled);
  return scaled.length;
}

/** Deletes the canaries of a service, when its workloads have the new release. Can be repeated. */
export async function removeCanary(tools: DeploymentTools, asked: ServiceOfDeployment): Promise<number> {
  const { ledger, clusters } = tools;
  const canaries = await canariesOf(tools, asked);
  const found = await clusters.read(
    canaries.map(({ apiVersion, key: { context, kind, name, namespace } }) => ({
      context,
      apiVersion,
      kind,
      metadata: { name, namespace },
    })),
  );
  for (const [at, { position, key }] of canaries.entries()) {
    const object = found[at] ?? null;
    if (object !== null && isOfDeployment(object, asked.deployment)) await clusters.of(key.context).remove(object);
    // not a part of what the environment consists of
    await markUndone(ledger, asked.deployment, { position, isLeft: false, kept: [] });
  }
  return canaries.length;
}

function canariesOf({ ledger, seal }: DeploymentTools, { deployment, service }: ServiceOfDeployment) {
  return readObjects(ledger, seal, { deployment, service: canaryServiceOf(service), actions: ['create', 'update'] });
}

function withReplicas(object: KubernetesObject, replicas: number): KubernetesObject {
  return { ...object, spec: { ...(object['spec'] as object), replicas } };
}
