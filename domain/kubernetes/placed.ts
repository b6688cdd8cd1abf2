import { isSameObject, type KubernetesKey, objectName } from './object.ts';

/** What names an object among those of several clusters. */
export interface PlacedKey extends KubernetesKey {
  /** The context of the kubeconfig that leads to its cluster. */
  readonly context: string;
}

/** True for the same object in the same cluster. */
export function isSamePlaced(one: PlacedKey, other: PlacedKey): boolean {
  return one.context === other.context && isSameObject(one, other);
}

/** An object as people name it: `deployment.apps/api in shop (context eu)`; without the context where that is `home`. */
export function placedName(key: PlacedKey, home: string): string {
  return key.context === home ? objectName(key) : `${objectName(key)} (context ${key.context})`;
}
