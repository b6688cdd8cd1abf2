import { appliedFields } from '../../../domain/kubernetes/applied-fields.ts';
import { kubernetesKeyOf, type KubernetesObject } from '../../../domain/kubernetes/object.ts';
import { isSamePlaced, placedName, type PlacedKey } from '../../../domain/kubernetes/placed.ts';
import { podLabelsOf, selectorOf, selects } from '../../../domain/kubernetes/selector.ts';
import type { Environment } from '../../../domain/release/contracts/environments.schema.ts';
import { awayFrom, canaryService, canaryServiceOf } from '../../../domain/release/deployment/canary.ts';
import {
  backendsOf,
  canaryBackendOf,
  isHttpRoute,
  sharesRequests,
  withShare,
} from '../../../domain/release/deployment/canary-route.ts';
import { placeOfService } from '../../../domain/release/deployment/service-place.ts';
import { type Cluster, FIELD_MANAGER } from '../../kubernetes/cluster.ts';
import type { Clusters } from '../../kubernetes/clusters.ts';
import type { PlannedObject } from './deployment-objects.ts';
import type { WantedCanary } from './plan-canaries.ts';
import { interimOf, type PreviewObjects } from './plan-selectors.ts';

/** An object of a release, as its manifests have it. */
interface OfService {
  readonly service: string;
  readonly context: string;
  readonly object: KubernetesObject;
}

/** A route that gives a canary its share of requests. */
interface Routed {
  readonly context: string;
  readonly route: KubernetesObject;
  /** The route at each step, as it is applied. */
  readonly steps: readonly KubernetesObject[];
}

/** The canaries of a plan, with those that get their requests by routes. */
export interface RoutedCanaries {
  /** Their Deployments and Services, and the routes as the release wants them. */
  readonly objects: readonly WantedCanary[];
  readonly routes: readonly Routed[];
}

/**
 * Gives the canaries of services with `canary.route` a Service of their own, which the route sends a share of the requests
 * to. Adds to `problems` why a route cannot do that.
 */
export async function routedCanaries(
  clusters: Clusters,
  environment: Pick<Environment, 'context' | 'namespace' | 'services'>,
  {
    canaries,
    wanted,
    problems,
  }: {
    readonly canaries: readonly WantedCanary[];
    readonly wanted: readonly OfService[];
    readonly problems: string[];
  },
): Promise<RoutedCanaries> {
  let objects = canaries;
  const routes: Routed[] = [];
  const home = environment.context;
  for (const [service, { canary }] of Object.entries(environment.services)) {
    const own = canaries.filter((each) => each.service === canaryServiceOf(service));
    if (canary?.route === undefined || own.length === 0) continue;
    const manifests = wanted.filter((each) => each.service === service).map(({ object }) => object);
    const { context } = placeOfService(environment, service);
    const place = {
      cluster: clusters.of(context),
      nameOf: (object: KubernetesObject) => placedName(keyIn(context, object), home),
    };
    const routed = await routedCanary(place, { ...canary, route: canary.route }, { own, manifests });
    if (typeof routed === 'string') {
      problems.push(`The canary of ${service}: ${routed}`);
      continue;
    }
    const added = [...routed.objects, routed.service, routed.route].map((object) => ({
      service: canaryServiceOf(service),
      context,
      object,
    }));
    const twin = wanted.find((each) => isSamePlaced(keyIn(each.context, each.object), keyIn(context, routed.service)));
    if (twin !== undefined) {
      problems.push(
        `${place.nameOf(twin.object)} has the name of the Service of the canary of ${service}: give it another one.`,
      );
    }
    objects = [...objects.filter((each) => !own.includes(each)), ...added];
    routes.push({ ...routed, context });
  }
  return { objects, routes };
}

interface RoutedCanary extends Omit<Routed, 'context'> {
  /** The Deployments. */
  readonly objects: readonly KubernetesObject[];
  readonly service: KubernetesObject;
}

/** A sentence, for a canary that cannot get its requests by the route. */
async function routedCanary(
  { cluster, nameOf }: { readonly cluster: Cluster; readonly nameOf: (object: KubernetesObject) => string },
  { route: name, steps }: { readonly route: string; readonly steps: readonly number[] },
  { own, manifests }: { readonly own: readonly WantedCanary[]; readonly manifests: readonly KubernetesObject[] },
): Promise<RoutedCanary | string> {
  const route = manifests.find((object) => isHttpRoute(object) && object.metadata.name === name);
  if (route === undefined) return `the manifests of the service have no HTTPRoute ${name}.`;
  const title = nameOf(route);
  const [present = null] = await cluster.read([route]);
  if (present === null) {
    return `${title} is not in the cluster, or its kind is not: deploy the route first, without \`route\` in the contract.`;
  }
  const backends = manifests.filter(
    (object) =>
      kubernetesKeyOf(object).group === '' &&
      object.kind === 'Service' &&
      object.metadata.namespace === route.metadata.namespace &&
      backendsOf(present).includes(object.metadata.name) &&
      own.some((each) => isBehind(each.object, object)),
  );
  const [service] = backends;
  if (service === undefined)
    return `${title} sends requests to no Service of the manifests that has pods of the canary.`;
  const backend = service.metadata.name;
  if (backends.length > 1 || sharesRequests(present, backend)) {
    return `${title} shares the requests of a rule, or of the canary, between several Services: one must get them all.`;
  }
  const [before = null] = await cluster.read([service]);
  const selectors = [service, ...(before === null ? [] : [before])].map(selectorOf);
  const objects = own.map(({ object }) => (isBehind(object, service) ? awayFrom(object, selectors) : object));
  const pods = own.findIndex(({ object }) => isBehind(object, service));
  const labels = podLabelsOf(objects[pods] ?? service) ?? {};
  const ours = appliedFields(present, FIELD_MANAGER);
  const spec = {
    ...(ours['spec'] as object | undefined),
    rules: (present['spec'] as { readonly rules?: unknown }).rules,
  };
  return {
    objects,
    service: canaryService(service, { name: canaryBackendOf(backend), labels }),
    route,
    steps: steps.map((percent) => withShare({ ...ours, spec }, { service: backend, percent })),
  };
}

/** Adds to the routes among planned canaries what they are at each step. */
export async function withRouteSteps(
  planned: readonly PlannedObject[],
  routes: readonly Routed[],
  preview: PreviewObjects,
): Promise<readonly PlannedObject[]> {
  return Promise.all(
    planned.map(async (each) => {
      const routed = routes.find(({ context, route }) => isSamePlaced(keyIn(context, route), each.key));
      const [first] = routed?.steps ?? [];
      if (routed === undefined || first === undefined) return each;
      // whether the server takes one of them says whether it takes all
      const [asked] = await preview([{ service: each.service, context: routed.context, object: first }]);
      const [interim] = asked === undefined ? [] : interimOf(asked);
      if (interim === undefined) return each;
      const { wanted, written } = interim;
      return {
        ...each,
        interim: routed.steps.map((step) => ({ wanted: withRules(wanted, step), written: withRules(written, step) })),
      };
    }),
  );
}

function withRules(object: KubernetesObject, step: KubernetesObject): KubernetesObject {
  const { rules } = step['spec'] as { readonly rules?: unknown };
  return { ...object, spec: { ...(object['spec'] as object), rules } };
}

/** True for a canary whose pods the Service would select: those of its workload. */
function isBehind(canary: KubernetesObject, service: KubernetesObject): boolean {
  return selects(selectorOf(service), podLabelsOf(canary));
}

function keyIn(context: string, object: KubernetesObject): PlacedKey {
  return { context, ...kubernetesKeyOf(object) };
}
