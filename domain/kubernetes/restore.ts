import canonicalize from 'canonicalize';
import type { KubernetesObject } from './object.ts';

/** A field that an undo left as it is, because another changed it after the deployment. */
export interface KeptField {
  /** Its path: `spec.replicas`, `spec.template.spec.containers[name=app].image`. */
  readonly path: string;
  /** What it was before the deployment; undefined for none. */
  readonly before: unknown;
  /** What the deployment wrote. */
  readonly written: unknown;
  /** What it is, and stays. */
  readonly kept: unknown;
}

/** What an object is to be after the undo of a deployment. */
export interface Restored {
  readonly value: unknown;
  readonly kept: readonly KeptField[];
}

/**
 * What puts an object back: the fields that the deployment changed become what they were before; fields that others
 * changed since stay theirs. A field that both changed stays what the other made it, and is listed. Lists are compared
 * by the keys that Kubernetes merges them by, and as a whole where there are none.
 */
export function restore(before: unknown, written: unknown, now: unknown): Restored {
  const kept: KeptField[] = [];
  const value = merge([], before, written, now, kept);
  return { value, kept };
}

/**
 * {@link restore} where the deployment may have made several versions of the object, one after the other: of the one that
 * brings it back the most. That is the version which the object has now, but for changes of others.
 */
export function restoreFrom(before: unknown, versions: readonly unknown[], now: unknown): Restored {
  const [first, ...others] = versions.map((written) => {
    const restored = restore(before, written, now);
    return { restored, left: differences(before, restored.value) };
  });
  if (first === undefined) return { value: now, kept: [] };
  return others.reduce((best, each) => (each.left < best.left ? each : best), first).restored;
}

/** How many fields differ. */
function differences(one: unknown, other: unknown): number {
  if (!isObject(one) || !isObject(other)) return isEqual(one, other) ? 0 : 1;
  const names = new Set([...Object.keys(one), ...Object.keys(other)]);
  return [...names].reduce((sum, name) => sum + differences(one[name], other[name]), 0);
}

/** Fields of an object's metadata that the server sets. */
const OF_SERVER: ReadonlySet<string> = new Set([
  'uid',
  'resourceVersion',
  'generation',
  'creationTimestamp',
  'deletionTimestamp',
  'deletionGracePeriodSeconds',
  'managedFields',
  'selfLink',
]);

/** The server counts it up with each template of a DaemonSet, whatever a write says. */
export const TEMPLATE_GENERATION = 'deprecated.daemonset.template.generation';

/** An object without what only its server sets: its status, and fields of its metadata. This is what an undo restores. */
export function ownFields({ status: _status, metadata, ...rest }: KubernetesObject): KubernetesObject {
  const { annotations, ...others } = metadata;
  const kept = Object.entries(others).filter(([field]) => !OF_SERVER.has(field));
  return {
    ...rest,
    metadata: { name: metadata.name, ...Object.fromEntries(kept), ...without(annotations, TEMPLATE_GENERATION) },
  };
}

/** The annotations but one; none when nothing is left of them. */
function without(
  annotations: KubernetesObject['metadata']['annotations'],
  name: string,
): Pick<KubernetesObject['metadata'], 'annotations'> {
  if (annotations?.[name] === undefined) return annotations === undefined ? {} : { annotations };
  const { [name]: _counted, ...rest } = annotations;
  return Object.keys(rest).length === 0 ? {} : { annotations: rest };
}

/** Annotations that controllers count up by themselves: of an object that was created again, they begin again. */
const OF_CONTROLLERS: ReadonlySet<string> = new Set(['deployment.kubernetes.io/revision']);

/** {@link ownFields} for a comparison: without what only controllers set. */
export function comparedFields(object: KubernetesObject): KubernetesObject {
  const { metadata, ...rest } = ownFields(object);
  const { annotations = {}, ...others } = metadata;
  const kept = Object.entries(annotations).filter(([name]) => !OF_CONTROLLERS.has(name));
  const own = kept.length === 0 ? {} : { annotations: Object.fromEntries(kept) };
  return { ...rest, metadata: { ...others, ...own } };
}

/** A field that is not there. */
const NONE = undefined;

function merge(path: readonly string[], before: unknown, written: unknown, now: unknown, kept: KeptField[]): unknown {
  if (isEqual(before, written)) return now;
  if (isEqual(written, now)) return before;
  if (isEqual(before, now)) return now;
  if (isObject(written) && isObject(now) && (isObject(before) || before === NONE)) {
    return mergeObjects(path, before ?? {}, written, now, kept);
  }
  if (Array.isArray(written) && Array.isArray(now) && (Array.isArray(before) || before === NONE)) {
    const lists = [before ?? [], written, now] as readonly [Item[], Item[], Item[]];
    const key = keyOfList(path.at(-1), lists.flat());
    if (key !== null && !lists.some((items) => hasTwins(items, key))) return mergeLists(path, key, ...lists, kept);
  }
  kept.push({ path: path.join('').replace(/^\./, ''), before, written, kept: now });
  return now;
}

function mergeObjects(
  path: readonly string[],
  before: Item,
  written: Item,
  now: Item,
  kept: KeptField[],
): Item | undefined {
  const merged: Record<string, unknown> = {};
  // in the order of the object as it is; fields that come back are at the end
  for (const name of new Set([...Object.keys(now), ...Object.keys(before)])) {
    const value = merge([...path, `.${name}`], before[name], written[name], now[name], kept);
    if (value !== NONE) merged[name] = value;
  }
  return merged;
}

type Item = Readonly<Record<string, unknown>>;

function mergeLists(
  path: readonly string[],
  key: readonly string[],
  before: readonly Item[],
  written: readonly Item[],
  now: readonly Item[],
  kept: KeptField[],
): unknown[] {
  const [was, wrote, is] = [before, written, now].map((items) => new Map(items.map((item) => [idOf(item, key), item])));
  const ids = new Set([...before.map((item) => idOf(item, key)), ...now.map((item) => idOf(item, key))]);
  return [...ids].flatMap((id) => {
    const value = merge([...path, `[${id}]`], was?.get(id), wrote?.get(id), is?.get(id), kept);
    return value === NONE ? [] : [value];
  });
}

/**
 * Keys of lists that Kubernetes merges by item, by the name of the list, the first that all items have (the
 * `x-kubernetes-list-map-keys` of its API). Other lists are values.
 */
const LIST_KEYS: Readonly<Record<string, readonly (readonly string[])[]>> = {
  containers: [['name']],
  initContainers: [['name']],
  ephemeralContainers: [['name']],
  env: [['name']],
  ports: [['containerPort', 'protocol'], ['port', 'protocol'], ['containerPort'], ['port']],
  volumes: [['name']],
  volumeMounts: [['mountPath']],
  volumeDevices: [['devicePath']],
  imagePullSecrets: [['name']],
  hostAliases: [['ip']],
  topologySpreadConstraints: [['topologyKey', 'whenUnsatisfiable']],
  conditions: [['type']],
  ownerReferences: [['uid']],
  subjects: [
    ['kind', 'name', 'namespace'],
    ['kind', 'name'],
  ],
  versions: [['name']],
};

/** The key of a list's items; null when they have none. */
function keyOfList(name: string | undefined, items: readonly unknown[]): readonly string[] | null {
  const candidates = LIST_KEYS[name?.slice(1) ?? ''] ?? [];
  return candidates.find((key) => items.every((item) => isObject(item) && key.every((part) => part in item))) ?? null;
}

/** True for a list in which two items have the same key: it can only be compared as a whole. */
function hasTwins(items: readonly Item[], key: readonly string[]): boolean {
  return new Set(items.map((item) => idOf(item, key))).size < items.length;
}

function idOf(item: Item, key: readonly string[]): string {
  return key.map((part) => `${part}=${String(item[part])}`).join(',');
}

/** True for the same JSON, whatever the order of its fields. */
function isEqual(one: unknown, other: unknown): boolean {
  return canonicalize(one) === canonicalize(other);
}

function isObject(value: unknown): value is Item {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
