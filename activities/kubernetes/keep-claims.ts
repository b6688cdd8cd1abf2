import { setTimeout as delay } from 'node:timers/promises';
import { claimRetention, claimsOfSet, makesClaims } from '../../domain/kubernetes/claims.ts';
import { kubernetesKeyOf, type KubernetesObject, objectName } from '../../domain/kubernetes/object.ts';
import { LonghaulError } from '../../domain/shared/failures.ts';
import type { Cluster } from './cluster.ts';

/** How kubectl and permissions name claims. */
export const CLAIMS = 'persistentvolumeclaims';

/** The controller of StatefulSets has seen a change after a moment. */
const UNSEEN_MS = 1_000;

/**
 * Prepares the deletion of a StatefulSet that a deployment created: claims that were there before it, which it has taken
 * over, stay, whatever its `persistentVolumeClaimRetentionPolicy` says. Those that it has made itself are deleted, as its
 * policy would. Does nothing for other objects. Can be repeated; throws `ObjectChanged` until its controller has seen that
 * it no longer owns claims.
 */
export async function keepOlderClaims(cluster: Cluster, set: KubernetesObject): Promise<void> {
  if (!makesClaims(set)) return;
  const deletesClaims = claimRetention(set).whenDeleted === 'Delete';
  const { older, own } = claimsOfSet(set, await claimsNear(cluster, set, deletesClaims));
  if (older.length === 0) return;
  if (deletesClaims) {
    // while it has the policy: a repetition would not know that they were to be deleted
    for (const claim of own) await cluster.remove(claim);
    await cluster.replace(withRetention(set));
  }
  // before that it may take them over again
  const [now] = await cluster.read([set]);
  if (!now) return;
  const { generation = 0 } = now.metadata;
  if (((now['status'] ?? {}) as { readonly observedGeneration?: number }).observedGeneration !== generation) {
    await delay(UNSEEN_MS);
    throw new LonghaulError(
      'ObjectChanged',
      `The controller of ${objectName(kubernetesKeyOf(set))} has not seen yet that its claims are to stay.`,
    );
  }
  const claims = await cluster.read(older);
  await Promise.all(claims.flatMap((claim) => (claim === null ? [] : [disown(cluster, claim, set)])));
}

/** The claims in the namespace of a StatefulSet. An account that may not list them has never let it give up any. */
async function claimsNear(
  cluster: Cluster,
  { metadata: { namespace = 'default' } }: KubernetesObject,
  isNeeded: boolean,
): Promise<readonly KubernetesObject[]> {
  try {
    return await cluster.list(CLAIMS, namespace, '');
  } catch (error) {
    if (isNeeded || !(error instanceof LonghaulError && error.type === 'ClusterForbids')) throw error;
    return [];
  }
}

function withRetention(set: KubernetesObject): KubernetesObject {
  const spec = set['spec'] as { readonly persistentVolumeClaimRetentionPolicy?: object };
  const policy = { ...spec.persistentVolumeClaimRetentionPolicy, whenDeleted: 'Retain' };
  return { ...set, spec: { ...spec, persistentVolumeClaimRetentionPolicy: policy } };
}

/** Ends the ownership of a claim, which is deleted with its owners. */
async function disown(cluster: Cluster, claim: KubernetesObject, owner: KubernetesObject): Promise<void> {
  const owners = (claim.metadata['ownerReferences'] ?? []) as readonly { readonly uid: string }[];
  const ownerReferences = owners.filter(({ uid }) => uid !== owner.metadata.uid);
  if (ownerReferences.length === owners.length) return;
  await cluster.replace({ ...claim, metadata: { ...claim.metadata, ownerReferences } });
}
