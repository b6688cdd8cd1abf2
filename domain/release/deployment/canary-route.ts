import type { KubernetesObject } from '../../kubernetes/object.ts';

/** Where a rule of an HTTPRoute sends requests (Gateway API, `HTTPBackendRef`). */
interface BackendRef {
  readonly group?: string;
  readonly kind?: string;
  readonly name: string;
  readonly namespace?: string;
  /** Its share, relative to the others of the rule; 1 where it is absent. */
  readonly weight?: number;
}

interface Rule {
  readonly backendRefs?: readonly BackendRef[];
}

/** A share of the requests to a Service. */
export interface CanaryShare {
  /** Name of the Service. */
  readonly service: string;
  /** Percent of its requests. */
  readonly percent: number;
}

/** The group of the Gateway API. */
const GATEWAY_GROUP = 'gateway.networking.k8s.io';

/** True for an HTTPRoute of the Gateway API. */
export function isHttpRoute({ apiVersion, kind }: Pick<KubernetesObject, 'apiVersion' | 'kind'>): boolean {
  return kind === 'HTTPRoute' && apiVersion.startsWith(`${GATEWAY_GROUP}/`);
}

/** The name of the Service of a canary, for that of its workload. */
export function canaryBackendOf(service: string): string {
  return `${service}-canary`;
}

/** The names of the Services in its own namespace that a route sends requests to, each once. */
export function backendsOf(route: KubernetesObject): readonly string[] {
  const names = rulesOf(route).flatMap(({ backendRefs = [] }) =>
    backendRefs.filter((ref) => isServiceOf(route, ref)).map(({ name }) => name),
  );
  return [...new Set(names)];
}

/** True where a rule of a route shares the requests to a Service with another backend than its canary. */
export function sharesRequests(route: KubernetesObject, service: string): boolean {
  const names = [service, canaryBackendOf(service)];
  return rulesOf(route).some(
    ({ backendRefs = [] }) =>
      backendRefs.some((ref) => isServiceOf(route, ref) && ref.name === service) &&
      backendRefs.some((ref) => !isServiceOf(route, ref) || !names.includes(ref.name)),
  );
}

/**
 * The route with a share of the requests to a Service given to its canary, in each rule that sends to it. What a canary
 * had before is replaced. Everything else of a rule and of its backend, such as filters, holds for both.
 */
export function withShare(route: KubernetesObject, { service, percent }: CanaryShare): KubernetesObject {
  const canary = canaryBackendOf(service);
  const rules = rulesOf(route).map((rule) => {
    const { backendRefs = [] } = rule;
    if (!backendRefs.some((ref) => isServiceOf(route, ref) && ref.name === service)) return rule;
    return {
      ...rule,
      backendRefs: backendRefs.flatMap((ref) => {
        if (isServiceOf(route, ref) && ref.name === canary) return [];
        return [
          { ...ref, weight: 100 - percent },
          { ...ref, name: canary, weight: percent },
        ];
      }),
    };
  });
  return { ...route, spec: { ...(route['spec'] as object), rules } };
}

function rulesOf(route: KubernetesObject): readonly Rule[] {
  return ((route['spec'] ?? {}) as { readonly rules?: readonly Rule[] }).rules ?? [];
}

/** True for a Service next to the route that gets requests. */
function isServiceOf(
  { metadata }: KubernetesObject,
  { group = '', kind = 'Service', namespace, weight }: BackendRef,
): boolean {
  return group === '' && kind === 'Service' && (namespace ?? metadata.namespace) === metadata.namespace && weight !== 0;
}
