import type { Environment } from '../../../domain/release/contracts/environments.schema.ts';
import {
  type CheckedEnvironment,
  problemOfVersions,
  type RenderedService,
} from '../../../domain/release/deployment/environment-check.ts';
import { groupOf, kubernetesKeyOf, type KubernetesObject, objectName } from '../../../domain/kubernetes/object.ts';
import { LonghaulError } from '../../../domain/shared/failures.ts';
import type { BlobStore } from '../../blobs/blob-store.ts';
import type { Cluster } from '../../kubernetes/cluster.ts';
import { withManifestsReader } from './manifests-reader.ts';
import { missingPermissions, neededPermissions } from './permissions.ts';
import { askPrometheus } from './prometheus.ts';
import type { Seal } from './sealed.ts';
import { readSealedManifests } from './sealed-manifests.ts';

/** An environment to check, and what with. */
interface CheckTask {
  readonly cluster: Cluster;
  readonly blobs: BlobStore;
  readonly seal: Seal;
  readonly environment: Environment;
  readonly services: readonly RenderedService[];
  readonly signal: AbortSignal;
}

/** Asks the cluster of an environment, and its Prometheus, for everything that a deployment of its manifests needs. */
export async function checkEnvironment(task: CheckTask): Promise<CheckedEnvironment> {
  const { environment, cluster } = task;
  let versions;
  try {
    versions = await cluster.versions();
  } catch (error) {
    // without the cluster nothing else can be asked
    return unasked(environment, sentence(error));
  }
  const { objects, problems } = await objectsOf(task);
  const skew = problemOfVersions(versions.kubectl, versions.cluster);
  return {
    ...unasked(environment),
    ...versions,
    objects: objects.length,
    problems: [
      ...(skew === null ? [] : [`${skew}.`]),
      ...problems,
      ...(await missingKinds(task, objects)),
      ...(await missingPermissions(cluster, await neededPermissions(cluster, objects, environment.namespace))),
      ...(await silentQueries(task)),
    ],
  };
}

/** An environment whose cluster was not asked, because of this problem. */
export function unasked({ name, context, namespace }: Environment, ...problems: readonly string[]): CheckedEnvironment {
  return { name, context, namespace, kubectl: null, cluster: null, objects: 0, problems };
}

async function objectsOf({ blobs, seal, environment: { namespace }, services, signal }: CheckTask): Promise<{
  readonly objects: readonly KubernetesObject[];
  readonly problems: readonly string[];
}> {
  return withManifestsReader(signal, async (read) => {
    const objects: KubernetesObject[] = [];
    const problems: string[] = [];
    for (const { service, manifests: digest } of services) {
      const sealed = { digest, namespace, about: `manifests of ${service}` };
      const manifests = await readSealedManifests({ blobs, seal, read }, sealed);
      objects.push(...manifests.objects);
      problems.push(...manifests.problems);
    }
    return { objects, problems };
  });
}

/** A definition in the manifests brings its kind. */
async function missingKinds({ cluster }: CheckTask, objects: readonly KubernetesObject[]): Promise<readonly string[]> {
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
    problems.push(`The cluster has no kind ${kind} of ${apiVersion}, which ${objectName(kubernetesKeyOf(object))} is.`);
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
