import type { KubernetesObject } from '../../kubernetes/object.ts';
import { type Labels, labelsNamed, selectorOf, selects } from '../../kubernetes/selector.ts';

/** How a service gets a new release step by step. */
export interface CanarySteps {
  /** Pods with the new release at each step, in percent of those that the workload has. */
  readonly steps: readonly number[];
  /** Seconds for which each step is watched. */
  readonly every: number;
  /** The HTTPRoute that sends the canary its share of the requests; absent where that is its share of the pods. */
  readonly route?: string | undefined;
}

/** What people tell a canary. `skip` ends the present step, `abort` puts everything back. */
export const CANARY_ACTIONS = ['pause', 'resume', 'skip', 'abort'] as const;
/** One of {@link CANARY_ACTIONS}. */
export type CanaryAction = (typeof CANARY_ACTIONS)[number];

/** The argument of the update `canary`. */
export interface CanaryOrder {
  readonly action: CanaryAction;
  /** Who gives it, for the record: a name that proves nothing. @default 'unknown' */
  readonly by?: string;
  /** Why, for the record. @default none */
  readonly why?: string;
}

/** Where a canary is, the answer to the update. */
export interface CanaryState {
  /** Name of the service. */
  readonly service: string;
  /** Percent of the present step. */
  readonly percent: number;
  readonly isPaused: boolean;
}

/** The label by which pods of a canary differ from those of their workload. */
const TRACK_LABEL = 'longhaul/track';
const SUFFIX = '-canary';
const OF_CANARY = '/canary';

/** The service under which the objects of a canary are recorded: no service of a contract has a slash in its name. */
export function canaryServiceOf(service: string): string {
  return `${service}${OF_CANARY}`;
}

/** The service that objects belong to, also those of its canary. */
export function serviceOfObjects(service: string): string {
  return service.endsWith(OF_CANARY) ? service.slice(0, -OF_CANARY.length) : service;
}

/** The name of the Deployment that a canary stands for. */
export function nameOfStable(canary: string): string {
  return canary.slice(0, -SUFFIX.length);
}

/** Of a label's value. */
const LONGEST_LABEL = 63;

interface ServiceSpec {
  readonly ports?: readonly { readonly nodePort?: number; readonly [field: string]: unknown }[];
  readonly clusterIP?: string;
}

interface DeploymentSpec {
  readonly selector?: { readonly matchLabels?: Readonly<Record<string, string>> };
  readonly template?: { readonly metadata?: { readonly labels?: Readonly<Record<string, string>> } };
}

/**
 * The canary of a Deployment: another one with its pods, and so behind its Services, but for a label, by which neither
 * takes pods of the other for its own. It has one pod; {@link canaryReplicas} says how many at a step.
 */
export function canaryOf(deployment: KubernetesObject): KubernetesObject {
  const { metadata } = deployment;
  const { selector = {}, template = {}, ...spec } = (deployment['spec'] ?? {}) as DeploymentSpec;
  const track = { [TRACK_LABEL]: 'canary' };
  const labels = { ...template.metadata?.labels, ...track };
  return {
    ...deployment,
    metadata: { ...metadata, name: `${metadata.name}${SUFFIX}` },
    spec: {
      ...spec,
      replicas: 1,
      selector: { ...selector, matchLabels: { ...selector.matchLabels, ...track } },
      template: { ...template, metadata: { ...template.metadata, labels } },
    },
  };
}

/**
 * The canary whose pods none of these selectors selects, so that only its own Service sends them requests. Of each
 * selector that would, one label of the pods is changed: the first by name.
 */
export function awayFrom(canary: KubernetesObject, selectors: readonly Labels[]): KubernetesObject {
  const { selector = {}, template = {}, ...spec } = (canary['spec'] ?? {}) as DeploymentSpec;
  let labels: Labels = template.metadata?.labels ?? {};
  for (const each of selectors.filter((one) => selects(one, labels))) {
    const [name = ''] = Object.keys(each).toSorted();
    labels = { ...labels, [name]: `${(labels[name] ?? '').slice(0, LONGEST_LABEL - SUFFIX.length)}${SUFFIX}` };
  }
  return {
    ...canary,
    spec: {
      ...spec,
      selector: { ...selector, matchLabels: labelsNamed(Object.keys(selector.matchLabels ?? {}), labels) },
      template: { ...template, metadata: { ...template.metadata, labels } },
    },
  };
}

/** The Service of a canary: with the ports of that of its workload, in front of pods with these labels. */
export function canaryService(
  service: KubernetesObject,
  { name, labels }: { readonly name: string; readonly labels: Labels },
): KubernetesObject {
  const { ports = [], clusterIP } = (service['spec'] ?? {}) as ServiceSpec;
  const { namespace, labels: found } = service.metadata;
  return {
    apiVersion: service.apiVersion,
    kind: service.kind,
    metadata: {
      name,
      ...(namespace === undefined ? {} : { namespace }),
      ...(found === undefined ? {} : { labels: found }),
    },
    spec: {
      ...(clusterIP === 'None' ? { clusterIP } : {}),
      selector: labelsNamed([...Object.keys(selectorOf(service)), TRACK_LABEL], labels),
      ports: ports.map(({ nodePort: _nodePort, ...port }) => port),
    },
  };
}

/** The pods of a canary at a step: at least one, so that there is something to watch. */
export function canaryReplicas(stable: number, percent: number): number {
  return Math.max(1, Math.ceil((stable * percent) / 100));
}
