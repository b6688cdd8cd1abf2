import { claimRetention } from '../../../domain/kubernetes/claims.ts';
import { groupOf, type KubernetesKey, type KubernetesObject } from '../../../domain/kubernetes/object.ts';
import { listedForPods } from '../../../domain/kubernetes/pods.ts';
import type { Environment } from '../../../domain/release/contracts/environments.schema.ts';
import type { Cluster, Permission } from '../../kubernetes/cluster.ts';
import type { Clusters } from '../../kubernetes/clusters.ts';
import type { PlannedObject } from './deployment-objects.ts';
import { ENDPOINT_SLICES } from './run-canary.ts';
import { CLAIMS } from '../../kubernetes/keep-claims.ts';

/** What a deployment does with objects: it reads, applies, and on its way back replaces, creates and deletes them. */
const VERBS = ['get', 'create', 'patch', 'update', 'delete'] as const;

/**
 * The permissions that a deployment of these objects needs in a cluster, each once. `namespace`: of objects that name none. Pods are
 * listed in the namespaces of their workloads, also of those that stay as they are (`unchanged`). Kinds that the cluster
 * does not serve are left out.
 */
export async function neededPermissions(
  cluster: Cluster,
  objects: readonly KubernetesObject[],
  namespace: string,
  unchanged: readonly { readonly apiVersion: string; readonly key: KubernetesKey }[] = [],
): Promise<readonly Permission[]> {
  const kinds = new Map<string, Omit<Permission, 'verb'>>();
  for (const { apiVersion, kind, metadata } of objects) {
    const served = (await cluster.kinds(apiVersion)).find((each) => each.kind === kind);
    if (served === undefined) continue;
    const group = groupOf(apiVersion);
    const resource = group === '' ? served.plural : `${served.plural}.${group}`;
    const place = served.isNamespaced ? (metadata.namespace ?? namespace) : null;
    kinds.set(`${resource} ${place}`, { resource, namespace: place });
  }
  const stay = unchanged.map(({ apiVersion, key: { kind, name, namespace: place } }) => ({
    apiVersion,
    kind,
    metadata: { name, namespace: place },
  }));
  // why a workload does not become ready
  const lists = new Map(
    [...objects, ...stay].flatMap((workload) => {
      const place = workload.metadata.namespace ?? namespace;
      return listedForPods(workload).map((resource): [string, Permission] => [
        `${resource} ${place}`,
        { verb: 'list', resource, namespace: place },
      ]);
    }),
  );
  return [...[...kinds.values()].flatMap((each) => VERBS.map((verb) => ({ verb, ...each }))), ...lists.values()];
}

/**
 * What an undo needs that deletes StatefulSets which this deployment creates (see `keepOlderClaims`), where they delete
 * their claims. `namespace`: of objects that name none.
 */
export function permissionsForClaims(created: readonly KubernetesObject[], namespace: string): readonly Permission[] {
  const sets = created.filter((object) => claimRetention(object).whenDeleted === 'Delete');
  return [...new Set(sets.map(({ metadata }) => metadata.namespace ?? namespace))].flatMap((place) =>
    CLAIM_VERBS.map((verb) => ({ verb, resource: CLAIMS, namespace: place })),
  );
}

const CLAIM_VERBS = ['get', 'list', 'update', 'delete'] as const;

/**
 * The permissions that the account of a context lacks, a sentence each; `context` is its name, null for that of the
 * environment.
 */
export async function missingPermissions(
  cluster: Cluster,
  needed: readonly Permission[],
  context: string | null = null,
): Promise<readonly string[]> {
  const account = `The account of the context${context === null ? '' : ` ${context}`}`;
  const answers = await cluster.may(needed);
  return needed
    .filter((_permission, at) => answers[at] !== true)
    .map(
      ({ verb, resource, namespace }) =>
        `${account} may not ${verb} ${resource}${namespace === null ? '' : ` in ${namespace}`}.`,
    );
}

/** The permissions that the accounts of the contexts lack, a sentence each. */
export async function problemsOfAccounts(
  clusters: Clusters,
  { canaries, others }: { readonly canaries: readonly PlannedObject[]; readonly others: readonly PlannedObject[] },
  environment: Environment,
): Promise<readonly string[]> {
  const planned = [...others, ...canaries];
  const problems: string[] = [];
  const changed = planned.filter(({ action }) => action !== 'none');
  for (const context of new Set([environment.context, ...planned.map(({ key }) => key.context)])) {
    const objects = changed.flatMap(({ key, wanted, before }) =>
      key.context === context ? (wanted ?? before ?? []) : [],
    );
    const created = changed.flatMap(({ key, action, wanted }) =>
      action === 'create' && key.context === context ? (wanted ?? []) : [],
    );
    const unchanged = planned.filter(({ action, key }) => action === 'none' && key.context === context);
    const cluster = clusters.of(context);
    const routed = canaries.filter(({ key, interim }) => interim !== undefined && key.context === context);
    const needed = [
      ...(await neededPermissions(cluster, objects, environment.namespace, unchanged)),
      ...permissionsForClaims(created, environment.namespace),
      ...routed.map(({ key: { namespace } }) => ({ verb: 'list', resource: ENDPOINT_SLICES, namespace })),
    ];
    problems.push(...(await missingPermissions(cluster, needed, context === environment.context ? null : context)));
  }
  return problems;
}
