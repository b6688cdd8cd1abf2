/** An object of Kubernetes, as `kubectl get -o json` prints it. */
export interface KubernetesObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: ObjectMetadata;
  readonly [field: string]: unknown;
}

/** The fields of an object's metadata that a deployment reads. */
export interface ObjectMetadata {
  readonly name: string;
  /** Absent for objects of the whole cluster. */
  readonly namespace?: string;
  /** Of exactly this object: one that is created again has another. */
  readonly uid?: string;
  /** Of exactly this content: every write changes it. */
  readonly resourceVersion?: string;
  /** Of its specification: 1, and one more with each change. */
  readonly generation?: number;
  /** Names and values by which objects are found. */
  readonly labels?: Readonly<Record<string, string>>;
  /** Names and values that programs keep there. */
  readonly annotations?: Readonly<Record<string, string>>;
  readonly [field: string]: unknown;
}

/** What names an object in its cluster. The version of its API is no part of it: it is the same object in all of them. */
export interface KubernetesKey {
  /** The group of its API; empty for the core. */
  readonly group: string;
  readonly kind: string;
  /** Empty for objects of the whole cluster. */
  readonly namespace: string;
  readonly name: string;
}

/** The key of an object. */
export function kubernetesKeyOf({ apiVersion, kind, metadata }: KubernetesObject): KubernetesKey {
  return { group: groupOf(apiVersion), kind, namespace: metadata.namespace ?? '', name: metadata.name };
}

/** The group in `apps/v1`; empty for `v1`. */
export function groupOf(apiVersion: string): string {
  return apiVersion.includes('/') ? apiVersion.slice(0, apiVersion.indexOf('/')) : '';
}

/** `deployment.apps/api in shop`: an object as people name it. */
export function objectName({ group, kind, namespace, name }: KubernetesKey): string {
  const type = `${kind.toLowerCase()}${group === '' ? '' : `.${group}`}`;
  return `${type}/${name}${namespace === '' ? '' : ` in ${namespace}`}`;
}

/** True for the same object. */
export function isSameObject(one: KubernetesKey, other: KubernetesKey): boolean {
  return (
    one.group === other.group && one.kind === other.kind && one.namespace === other.namespace && one.name === other.name
  );
}
