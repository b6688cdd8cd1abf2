import { groupOf, type KubernetesObject } from './object.ts';

/** A kind that a definition brings. */
export interface DefinedKind {
  /** See {@link kindOf}. */
  readonly kind: string;
  readonly isNamespaced: boolean;
}

/** The kind that an object defines; null for one that is no `CustomResourceDefinition`. */
export function definedKind(object: KubernetesObject): DefinedKind | null {
  if (object.kind !== 'CustomResourceDefinition') return null;
  const { group, names, scope } = (object['spec'] ?? {}) as {
    readonly group?: string;
    readonly names?: { readonly kind?: string };
    readonly scope?: string;
  };
  return { kind: `${names?.kind}.${group}`, isNamespaced: scope !== 'Cluster' };
}

/** The kind of an object with its group: `Cart.shop.example`. */
export function kindOf({ apiVersion, kind }: Pick<KubernetesObject, 'apiVersion' | 'kind'>): string {
  return `${kind}.${groupOf(apiVersion)}`;
}
