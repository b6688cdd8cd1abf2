import { setTimeout as delay } from 'node:timers/promises';
import type { KubernetesObject } from '../../../domain/kubernetes/object.ts';
import { placedName } from '../../../domain/kubernetes/placed.ts';
import { canaryReplicas, canaryServiceOf, nameOfStable } from '../../../domain/release/deployment/canary.ts';
import { LonghaulError } from '../../../domain/shared/failures.ts';
import type { PlacedReference } from '../../kubernetes/clusters.ts';
import { applyPlanned, type DeploymentTools, isOfDeployment, type ServiceOfDeployment } from './apply-service.ts';
import { type DeploymentObject, markUndone, readObjects } from './deployment-objects.ts';

/** A step of a canary. */
export interface CanaryStep extends ServiceOfDeployment {
  /** Percent of the pods of each workload. */
  readonly percent: number;
}

/** A step at which a canary gets its share of the requests. */
export interface RoutedStep extends ServiceOfDeployment {
  /** Its number, from 0. */
  readonly step: number;
}

/** The kind in which a cluster says which pods a Service sends requests to. */
export const ENDPOINT_SLICES = 'endpointslices.discovery.k8s.io';

/** Longest time from pods that are ready to a Service that sends them requests. */
const ENDPOINTS_MS = 60_000;
const ENDPOINTS_POLL_MS = 500;

/**
 * Gives each canary of a service as many pods as the step says, of those that its workload has now. Can be repeated.
 * Throws `DriftDetected` for one that another has created since the plan.
 */
export async function applyCanary(
  tools: DeploymentTools,
  { deployment, service, percent }: CanaryStep,
): Promise<number> {
  const canaries = await canariesOf(tools, { deployment, service });
  const workloads = canaries.filter(isWorkload);
  const stable = await tools.clusters.read(workloads.map((each) => referenceOf(each, nameOfStable(each.key.name))));
  const scaled = workloads.map((canary, at) => {
    const { replicas: pods = 1 } = (stable[at]?.['spec'] ?? {}) as { readonly replicas?: number };
    return { ...canary, wanted: canary.wanted && withReplicas(canary.wanted, canaryReplicas(pods, percent)) };
  });
  await applyPlanned(tools, deployment, [...canaries.filter((each) => !isWorkload(each)), ...scaled]);
  return scaled.length;
}

/**
 * Lets the route of a service send its canary the share of a step, when its Service has pods that are ready. Can be
 * repeated. Throws `DriftDetected` when another has changed the rules of the route since the plan.
 */
export async function routeCanary(tools: DeploymentTools, { deployment, service, step }: RoutedStep): Promise<number> {
  const services = (await canariesOf(tools, { deployment, service })).filter(({ key }) => key.kind === 'Service');
  await Promise.all(services.map((each) => untilItHasPods(tools, each)));
  const routes = (await objectsOf(tools, { deployment, service })).flatMap((object) => {
    const interim = object.interim?.[step];
    return interim === undefined ? [] : [{ ...object, wanted: interim.wanted }];
  });
  await applyPlanned(tools, deployment, routes);
  return routes.length;
}

async function untilItHasPods({ clusters, home, signal }: DeploymentTools, { key }: DeploymentObject): Promise<void> {
  const { context, namespace, name } = key;
  const until = Date.now() + ENDPOINTS_MS;
  for (;;) {
    const slices = await clusters.of(context).list(ENDPOINT_SLICES, namespace, `kubernetes.io/service-name=${name}`);
    if (slices.some(hasReadyPods)) return;
    if (Date.now() > until) {
      throw new LonghaulError('ClusterUnavailable', `${placedName(key, home)} has no ready pods yet.`);
    }
    await delay(ENDPOINTS_POLL_MS, undefined, { signal });
  }
}

function hasReadyPods(slice: KubernetesObject): boolean {
  const endpoints = (slice['endpoints'] ?? []) as readonly { readonly conditions?: { readonly ready?: boolean } }[];
  return endpoints.some(({ conditions }) => conditions?.ready === true);
}

/** Deletes the canaries of a service, when its workloads have the new release. Can be repeated. */
export async function removeCanary(tools: DeploymentTools, asked: ServiceOfDeployment): Promise<number> {
  const { ledger, clusters } = tools;
  const canaries = await canariesOf(tools, asked);
  const found = await clusters.read(canaries.map((each) => referenceOf(each)));
  for (const [at, { position, key }] of canaries.entries()) {
    const object = found[at] ?? null;
    if (object !== null && isOfDeployment(object, asked.deployment)) await clusters.of(key.context).remove(object);
    // not a part of what the environment consists of
    await markUndone(ledger, asked.deployment, { position, isLeft: false, kept: [] });
  }
  return canaries.length;
}

/** The Deployments and Services of a canary, which it consists of; not the route. */
async function canariesOf(tools: DeploymentTools, asked: ServiceOfDeployment): Promise<readonly DeploymentObject[]> {
  return (await objectsOf(tools, asked)).filter(({ interim }) => interim === undefined);
}

function objectsOf(
  { ledger, seal }: DeploymentTools,
  { deployment, service }: ServiceOfDeployment,
): Promise<readonly DeploymentObject[]> {
  return readObjects(ledger, seal, { deployment, service: canaryServiceOf(service), actions: ['create', 'update'] });
}

function isWorkload({ key }: DeploymentObject): boolean {
  return key.kind === 'Deployment';
}

function referenceOf({ apiVersion, key }: DeploymentObject, name = key.name): PlacedReference {
  return { context: key.context, apiVersion, kind: key.kind, metadata: { name, namespace: key.namespace } };
}

function withReplicas(object: KubernetesObject, replicas: number): KubernetesObject {
  return { ...object, spec: { ...(object['spec'] as object), replicas } };
}
