import type { Environment } from '../../../domain/release/contracts/environments.schema.ts';
import {
  type CheckedCluster,
  type CheckedEnvironment,
  problemOfVersions,
  type RenderedService,
} from '../../../domain/release/deployment/environment-check.ts';
import { contextsOf, placeOfService } from '../../../domain/release/deployment/service-place.ts';
import { groupOf, kubernetesKeyOf, type KubernetesObject } from '../../../domain/kubernetes/object.ts';
import { placedName } from '../../../domain/kubernetes/placed.ts';
import { LonghaulError } from '../../../domain/shared/failures.ts';
import type { BlobStore } from '../../blobs/blob-store.ts';
import { withManifestsReader } from './manifests-reader.ts';
import type { Clusters } from '../../kubernetes/clusters.ts';
import { missingPermissions, neededPermissions } from './permissions.ts';
import { askPrometheus } from './prometheus.ts';
import type { Seal } from './sealed.ts';
import { readSealedManifests } from './sealed-manifests.ts';

/** An environment to check, and what with. */
interface CheckTask {
  readonly clusters: Clusters;
  readonly blobs: BlobStore;
  readonly seal: Seal;
  readonly environment: Environment;
  readonly services: readonly RenderedService[];
  readonly signal: AbortSignal;
}

/** Asks the clusters of an environment, and its Prometheus, for everything that a deployment of its manifests needs. */
export async function checkEnvironment(task: CheckTask): Promise<CheckedEnvironment> {
  const { environment } = task;
  const asked = await Promise.all(contextsOf(environment).map((context) => checkCluster(task, context)));
  return {
    name: environment.name,
    kubectl: asked.find(({ kubectl }) => kubectl !== null)?.kubectl ?? null,
    clusters: asked.map(({ checked }) => checked),
    problems: [
      ...asked.flatMap(({ problems }) => problems),
      // without a cluster nothing else is asked
      ...(asked.some(({ kubectl }) => kubectl !== null) ? await silentQueries(task) : []),
    ],
  };
}

/** An environment whose clusters were not asked, because of this problem. */
export function unasked(environment: Environment, problem: string): CheckedEnvironment {
  const clusters = contextsOf(environment).map((context) => unaskedCluster(environment, context));
  return { name: environment.name, kubectl: null, clusters, problems: [problem] };
}

function unaskedCluster(environment: Environment, context: string): CheckedCluster {
  const places = Object.keys(environment.services).map((service) => placeOfService(environment, service));
  const namespaces = [...new Set(places.filter((each) => each.context === context).map(({ namespace }) => namespace))];
  return { context, namespaces, version: null, objects: 0 };
}

/** What one of the clusters of an environment lacks. */
async function checkCluster(
  task: CheckTask,
  context: string,
): Promise<{
  readonly kubectl: string | null;
  readonly checked: CheckedCluster;
  readonly problems: readonly string[];
}> {
  const { environment, clusters } = task;
  const cluster = clusters.of(context);
  const unknown = unaskedCluster(environment, context);
  let versions;
  try {
    versions = await cluster.versions();
  } catch (error) {
    return { kubectl: null, checked: unknown, problems: [sentence(error)] };
  }
  const { objects, problems } = await objectsOf(task, context);
  const skew = problemOfVersions(versions.kubectl, versions.cluster);
  const needed = await neededPermissions(cluster, objects, environment.namespace);
  return {
    kubectl: versions.kubectl,
    checked: { ...unknown, version: versions.cluster, objects: objects.length },
    problems: [
      ...(skew === null ? [] : [`${skew}.`]),
      ...problems,
      ...(await missingKinds(task, context, objects)),
      ...(await missingPermissions(cluster, needed, context === environment.context ? null : context)),
    ],
  };
}

async function objectsOf(
  { blobs, seal, environment, services, signal }: CheckTask,
  context: string,
): Promise<{ readonly objects: readonly KubernetesObject[]; readonly problems: readonly string[] }> {
  return withManifestsReader(signal, async (read) => {
    const objects: KubernetesObject[] = [];
    const problems: string[] = [];
    for (const { service, manifests: digest } of services) {
      const place = placeOfService(environment, service);
      if (place.context !== context) continue;
      const sealed = { digest, namespace: place.namespace, about: `manifests of ${service}` };
      const manifests = await readSealedManifests({ blobs, seal, read }, sealed);
      objects.push(...manifests.objects);
      problems.push(...manifests.problems);
    }
    return { objects, problems };
  });
}

/** A definition in the manifests brings its kind. */
async function missingKinds(
  { clusters, environment: { context: home } }: CheckTask,
  context: string,
  objects: readonly KubernetesObject[],
): Promise<readonly string[]> {
  const cluster = clusters.of(context);
  const defined = new Set(
    objects
      .filter(({ kind }) => kind === 'CustomResourceDefinition')
      .map(({ spec }) => {
        // the server says what is wrong with it
        const { group, names } = (spec ?? {}) as {
          readonly group?: string;
          readonly names?: { readonly kind?: string };
        };
        return `${names?.kind}.${group}`;
      }),
  );
  const problems: string[] = [];
  for (const object of objects) {
    const { apiVersion, kind } = object;
    if (defined.has(`${kind}.${groupOf(apiVersion)}`)) continue;
    const served = await cluster.kinds(apiVersion);
    if (served.some((each) => each.kind === kind)) continue;
    const name = placedName({ context, ...kubernetesKeyOf(object) }, home);
    problems.push(`The cluster has no kind ${kind} of ${apiVersion}, which ${name} is.`);
  }
  return problems;
}

async function silentQueries({ environment: { metrics }, signal }: CheckTask): Promise<readonly string[]> {
  if (metrics === undefined) return [];
  const queries = [
    ['requests', metrics.requests.query],
    ['errors', metrics.errors?.query],
    ['latency', metrics.latency?.query],
  ] as const;
  const problems: string[] = [];
  for (const [what, query] of queries) {
    if (query === undefined) continue;
    const answer = await askPrometheus(metrics.prometheus, query, signal);
    if (typeof answer !== 'number') problems.push(`The query for ${what} says nothing: ${answer.none}.`);
  }
  return problems;
}

function sentence(error: unknown): string {
  if (!(error instanceof LonghaulError)) throw error;
  return error.message;
}
