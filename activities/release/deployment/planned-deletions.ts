import { objectReadiness } from '../../../domain/kubernetes/readiness.ts';
import { irreversible } from '../../../domain/kubernetes/irreversible.ts';
import { isSameObject, kubernetesKeyOf, type KubernetesObject, objectName } from '../../../domain/kubernetes/object.ts';
import { placedName, type PlacedKey } from '../../../domain/kubernetes/placed.ts';
import type { InventoryItem } from '../../../domain/release/deployment/inventory.ts';
import type { Clusters, PlacedReference } from '../../kubernetes/clusters.ts';
import type { PlannedObject } from './deployment-objects.ts';
import { isOfAnother, type ObjectOwner } from './object-owners.ts';
import type { FoundObject } from './planned-changes.ts';

/** What of the release before is deleted, and what of that would be lost. */
export async function plannedDeletions(
  clusters: Clusters,
  removed: readonly InventoryItem[],
  {
    inventory,
    applied,
    owner,
    home,
  }: {
    readonly inventory: readonly InventoryItem[];
    readonly applied: readonly FoundObject[];
    readonly owner: ObjectOwner;
    readonly home: string;
  },
): Promise<{ readonly deletions: readonly PlannedObject[]; readonly lost: readonly string[] }> {
  const found = await clusters.read(removed.map(referenceOf));
  const kept = new Set(applied.map(({ uid }) => uid));
  const deletions: PlannedObject[] = [];
  const lost: string[] = [];
  for (const [at, { service, apiVersion, ...key }] of removed.entries()) {
    const before = found[at] ?? null;
    // the cluster of another context is the same one: the object has not moved
    if (before === null || kept.has(before.metadata.uid ?? '')) continue;
    // another repository or environment has taken it over
    if (isOfAnother(before, owner)) continue;
    if (key.kind === 'Job' && key.group === 'batch') {
      // it does nothing any more, and would start again when it is created again
      if (objectReadiness(before).state !== 'waiting') continue;
      lost.push(`${placedName(key, home)} cannot be put back: it has not finished, and would start again.`);
    }
    const foreign =
      key.kind === 'CustomResourceDefinition'
        ? await foreignObjects(clusters, { definition: before, key }, inventory)
        : [];
    const why = irreversible({ change: 'delete', before, after: null, foreign });
    if (why !== null) lost.push(`${placedName(key, home)} cannot be put back: ${why}.`);
    deletions.push({ service, apiVersion, key, action: 'delete', before, wanted: null, written: null });
  }
  return { deletions, lost };
}

/** Objects of a definition's kind that are not of this environment. */
async function foreignObjects(
  clusters: Clusters,
  { definition, key: { context } }: { readonly definition: KubernetesObject; readonly key: PlacedKey },
  inventory: readonly InventoryItem[],
): Promise<readonly string[]> {
  const { group, names } = definition['spec'] as {
    readonly group: string;
    readonly names: { readonly plural: string };
  };
  const objects = await clusters.of(context).list(`${names.plural}.${group}`, null, '');
  return objects
    .map(kubernetesKeyOf)
    .filter((key) => !inventory.some((item) => item.context === context && isSameObject(item, key)))
    .map(objectName);
}

function referenceOf({ context, apiVersion, kind, namespace, name }: InventoryItem): PlacedReference {
  return { context, apiVersion, kind, metadata: { name, ...(namespace === '' ? {} : { namespace }) } };
}
