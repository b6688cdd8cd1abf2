import { claimRetention } from './claims.ts';
import type { KubernetesObject } from './object.ts';

/** A change to one object that a deployment plans. */
export interface PlannedChange {
  readonly change: 'create' | 'update' | 'delete';
  /** The object before; null for a new one. */
  readonly before: KubernetesObject | null;
  /** The object after, as the server says it would be; null for a deleted one. */
  readonly after: KubernetesObject | null;
  /** Names of objects of a definition's kind that are not of this environment. Only for definitions that are deleted. */
  readonly foreign?: readonly string[];
}

/**
 * Why a change could not be undone, the rest of a sentence about the object; null when it can. What a deployment deletes
 * is created again from the ledger, but data that an object held outside the API is lost with it.
 */
export function irreversible({ change, before, after, foreign = [] }: PlannedChange): string | null {
  if (change === 'delete') {
    switch (before?.kind) {
      case 'PersistentVolumeClaim':
      case 'PersistentVolume':
        return 'its data would be lost';
      case 'Namespace':
        return 'everything in it would be deleted, also what is not of this release';
      case 'CustomResourceDefinition':
        return foreign.length === 0
          ? null
          : `objects of its kind that are not of this environment would be deleted: ${foreign.slice(0, 5).join(', ')}`;
      case 'StatefulSet':
        return claimRetention(before).whenDeleted === 'Delete'
          ? 'its claims would be deleted with it, and their data'
          : null;
      default:
        return null;
    }
  }
  if (change === 'update' && before?.kind === 'CustomResourceDefinition' && after !== null) {
    const lost = storedVersions(before).filter((version) => !servedVersions(after).includes(version));
    if (lost.length > 0) return `objects are stored as ${lost.join(', ')}, which it would no longer have`;
  }
  if (change === 'update' && before?.kind === 'StatefulSet' && after !== null) {
    const { whenScaled, replicas } = claimRetention(after);
    const lost = claimRetention(before).replicas - replicas;
    if (whenScaled === 'Delete' && lost > 0) {
      return `the claims of ${lost} ${lost === 1 ? 'pod' : 'pods'} would be deleted, and their data`;
    }
  }
  return null;
}

function storedVersions(definition: KubernetesObject): readonly string[] {
  const { storedVersions: stored } = (definition['status'] ?? {}) as { readonly storedVersions?: readonly string[] };
  return stored ?? [];
}

function servedVersions(definition: KubernetesObject): readonly string[] {
  const { versions } = (definition['spec'] ?? {}) as { readonly versions?: readonly { readonly name: string }[] };
  return (versions ?? []).map(({ name }) => name);
}
