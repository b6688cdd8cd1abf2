import { groupOf, type KubernetesObject } from './object.ts';

/** What becomes of the claims that a StatefulSet makes. */
export interface ClaimRetention {
  /** `Delete`: they are deleted with it, also those that were there before it. */
  readonly whenDeleted: string;
  /** `Delete`: they are deleted with their pods when it is scaled down. */
  readonly whenScaled: string;
  readonly replicas: number;
}

interface SetSpec {
  readonly replicas?: number;
  readonly volumeClaimTemplates?: readonly { readonly metadata: { readonly name: string } }[];
  readonly persistentVolumeClaimRetentionPolicy?: { readonly whenDeleted?: string; readonly whenScaled?: string };
}

/** See {@link ClaimRetention}; `Retain` for an object that makes none. */
export function claimRetention(object: KubernetesObject): ClaimRetention {
  const { replicas = 1, persistentVolumeClaimRetentionPolicy: policy = {} } = specOf(object);
  const { whenDeleted = 'Retain', whenScaled = 'Retain' } = makesClaims(object) ? policy : {};
  return { whenDeleted, whenScaled, replicas };
}

/** True for a StatefulSet whose pods have claims of their own. */
export function makesClaims(object: KubernetesObject): boolean {
  const isSet = groupOf(object.apiVersion) === 'apps' && object.kind === 'StatefulSet';
  return isSet && (specOf(object).volumeClaimTemplates ?? []).length > 0;
}

/**
 * Of the claims of a namespace, those that a StatefulSet uses, by the names that it gives them: those that were there
 * before it, and those that it has made itself.
 */
export function claimsOfSet(
  set: KubernetesObject,
  claims: readonly KubernetesObject[],
): { readonly older: readonly KubernetesObject[]; readonly own: readonly KubernetesObject[] } {
  const prefixes = (specOf(set).volumeClaimTemplates ?? []).map(
    ({ metadata }) => `${metadata.name}-${set.metadata.name}-`,
  );
  const used = claims.filter(({ metadata: { name } }) =>
    prefixes.some((prefix) => name.startsWith(prefix) && /^\d+$/u.test(name.slice(prefix.length))),
  );
  // both are times of the server
  const isOlder = (claim: KubernetesObject): boolean => createdAt(claim) < createdAt(set);
  return { older: used.filter(isOlder), own: used.filter((claim) => !isOlder(claim)) };
}

function createdAt({ metadata }: KubernetesObject): number {
  return Date.parse(String(metadata['creationTimestamp']));
}

function specOf(object: KubernetesObject): SetSpec {
  const { spec = {} } = object as { readonly spec?: SetSpec };
  return spec;
}
