import { inApplyOrder } from '../../../domain/kubernetes/apply-order.ts';
import { definedKind, kindOf } from '../../../domain/kubernetes/definitions.ts';
import { kubernetesKeyOf, type KubernetesObject } from '../../../domain/kubernetes/object.ts';
import { isSamePlaced, placedName, type PlacedKey } from '../../../domain/kubernetes/placed.ts';
import type { Environment } from '../../../domain/release/contracts/environments.schema.ts';
import type { PlanDeployment } from '../../../domain/release/deployment/deployment.ts';
import { placeOfService } from '../../../domain/release/deployment/service-place.ts';
import type { Cluster } from '../../kubernetes/cluster.ts';
import { byContext } from '../../kubernetes/clusters.ts';
import { withManifestsReader } from './manifests-reader.ts';
import { withImages } from './manifests.ts';
import { readSealedManifests } from './sealed-manifests.ts';
import type { PlanTools } from './plan-tools.ts';

/** An object with its service. */
export interface ObjectOfService {
  readonly service: string;
  readonly context: string;
  readonly object: KubernetesObject;
}

/** What the release wants: the manifests with their images, in the order in which they are applied. */
export async function wantedObjects(
  { blobs, clusters, seal, signal }: PlanTools,
  { services, images }: PlanDeployment,
  environment: Environment,
): Promise<{ readonly wanted: readonly ObjectOfService[]; readonly problems: string[] }> {
  const problems: string[] = [];
  const found: ObjectOfService[] = [];
  await withManifestsReader(signal, async (read) => {
    for (const { service, manifests: digest } of services) {
      const about = `manifests of ${service}`;
      const { context, namespace } = placeOfService(environment, service);
      const manifests = await readSealedManifests({ blobs, seal, read }, { digest, namespace, about });
      problems.push(...manifests.problems);
      const objects = withImages(manifests.objects, images[service] ?? {}, about);
      found.push(...objects.map((object) => ({ service, context, object })));
    }
  });
  const scoped = await byContext(found, (context, own) => inScope(clusters.of(context), own));
  for (const [at, one] of scoped.entries()) {
    const { service } = one;
    const key = placedKeyOf(one);
    const twin = scoped.slice(0, at).find((each) => isSamePlaced(placedKeyOf(each), key));
    if (twin !== undefined && twin.service !== service) {
      problems.push(
        `${placedName(key, environment.context)} is in the manifests of ${twin.service} and of ${service}.`,
      );
    }
  }
  const order = inApplyOrder(scoped.map(({ object }) => object));
  return { wanted: scoped.toSorted((one, other) => order.indexOf(one.object) - order.indexOf(other.object)), problems };
}

/** The objects with a namespace only where their kind has one. */
async function inScope(cluster: Cluster, objects: readonly ObjectOfService[]): Promise<readonly ObjectOfService[]> {
  const defined = definedKinds(objects);
  return Promise.all(
    objects.map(async (given) => {
      const { object } = given;
      const served = (await cluster.kinds(object.apiVersion)).find(({ kind }) => kind === object.kind);
      const scope = served?.isNamespaced ?? defined.get(kindOf(object)) ?? true;
      if (scope) return given;
      const { namespace: _namespace, ...metadata } = object.metadata;
      return { ...given, object: { ...object, metadata } };
    }),
  );
}

/** The kinds that definitions among the objects bring, and whether they have a namespace. */
export function definedKinds(objects: readonly ObjectOfService[]): ReadonlyMap<string, boolean> {
  return new Map(
    objects.flatMap(({ object }): [string, boolean][] => {
      const defined = definedKind(object);
      return defined === null ? [] : [[defined.kind, defined.isNamespaced]];
    }),
  );
}

/** What names an object of a service. */
export function placedKeyOf({ context, object }: Pick<ObjectOfService, 'context' | 'object'>): PlacedKey {
  return { context, ...kubernetesKeyOf(object) };
}
