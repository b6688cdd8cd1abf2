import { isDeepStrictEqual } from 'node:util';
import { setTimeout as delay } from 'node:timers/promises';
import canonicalize from 'canonicalize';
import { kubernetesKeyOf, type KubernetesObject, objectName } from '../../domain/kubernetes/object.ts';
import { comparedFields, type KeptField, ownFields, restoreFrom } from '../../domain/kubernetes/restore.ts';
import { LonghaulError } from '../../domain/shared/failures.ts';
import { type Cluster, FIELD_MANAGER } from './cluster.ts';
import { keepOlderClaims } from './keep-claims.ts';
import { isOfWebhook } from './kubectl.ts';

/** A change of a deployment to one object, to be undone. */
export interface ObjectChange {
  /** The object before the first change; null for one that the deployment created. */
  readonly before: KubernetesObject | null;
  /** What the deployment made of it; null for one that it deleted. */
  readonly written: KubernetesObject | null;
  /** What the deployment made of it before that. @default nothing else */
  readonly interim?: readonly KubernetesObject[];
}

/** What an undo found, and left. */
export interface UndoneObject {
  /** `unchanged`: there was nothing to undo. `taken`: another has deleted or created the object since, and it stays so. */
  readonly end: 'restored' | 'created again' | 'deleted' | 'unchanged' | 'taken';
  /** Fields that others changed since. */
  readonly kept: readonly KeptField[];
}

/** Controllers write the status of an object all the time; each write makes a new version of it. */
const MOST_TRIES = 20;

/** A webhook may be out of order because of the very deployment that is undone: its pods need a moment. */
const WEBHOOK_TRIES = 10;
const WEBHOOK_PAUSE_MS = 2_000;

/**
 * Puts an object back as it was before a deployment, whatever of the deployment has happened: the fields that others
 * changed meanwhile stay theirs. Can be repeated: the second call finds nothing to do. An object that the deployment
 * created is deleted only if it carries the deployment's mark, and without the claims that were there before it. Throws `ObjectChanged` when others change it faster than
 * it can be written, and `KubectlFailed` for a webhook of the cluster that does not answer for a while.
 */
export async function undoObject(
  cluster: Cluster,
  { before, written, interim = [] }: ObjectChange,
  isOfDeployment: (object: KubernetesObject) => boolean,
): Promise<UndoneObject> {
  const subject = before ?? written;
  if (subject === null) return { end: 'unchanged', kept: [] };
  // what an attempt has written before it lost a race
  let end: UndoneObject['end'] = 'unchanged';
  const onWrite = (how: UndoneObject['end']): void => void (end = how);
  for (let tries = 1; ; tries++) {
    try {
      const [now = null] = await cluster.read([subject]);
      if (before === null) return await undoCreation(cluster, now, isOfDeployment);
      if (written === null) return await undoDeletion(cluster, before, now, onWrite);
      const kept = await undoUpdate(cluster, before, [written, ...interim], now, onWrite);
      return kept === null ? { end: 'taken', kept: [] } : { end, kept };
    } catch (error) {
      if (!(error instanceof LonghaulError)) throw error;
      if (isOfWebhook(error) && tries < WEBHOOK_TRIES) await delay(WEBHOOK_PAUSE_MS);
      else if (error.type !== 'ObjectChanged' || tries >= MOST_TRIES) throw error;
    }
  }
}

async function undoCreation(
  cluster: Cluster,
  now: KubernetesObject | null,
  isOfDeployment: (object: KubernetesObject) => boolean,
): Promise<UndoneObject> {
  if (now === null) return { end: 'unchanged', kept: [] };
  if (!isOfDeployment(now)) return { end: 'taken', kept: [] };
  await keepOlderClaims(cluster, now);
  await cluster.remove(now);
  return { end: 'deleted', kept: [] };
}

async function undoDeletion(
  cluster: Cluster,
  before: KubernetesObject,
  now: KubernetesObject | null,
  onWrite: (end: UndoneObject['end']) => void,
): Promise<UndoneObject> {
  // not deleted yet, or created again by an earlier attempt or another
  if (now !== null && now.metadata.uid === before.metadata.uid) {
    if (now.metadata['deletionTimestamp'] === undefined) return { end: 'unchanged', kept: [] };
    throw new LonghaulError('ObjectChanged', `${objectName(kubernetesKeyOf(before))} is still being deleted.`);
  }
  if (now !== null && !isAsBefore(now, before)) return { end: 'taken', kept: [] };
  const created = now ?? (await cluster.create(ownFields(before)));
  onWrite('created again');
  await giveBack(cluster, created, before);
  return { end: 'created again', kept: [] };
}

/** The fields that others changed; null for an object that another has deleted. */
async function undoUpdate(
  cluster: Cluster,
  before: KubernetesObject,
  versions: readonly KubernetesObject[],
  now: KubernetesObject | null,
  onWrite: (end: UndoneObject['end']) => void,
): Promise<readonly KeptField[] | null> {
  // what it was is in the record of the deployment
  if (now === null) return null;
  const { value, kept } = restoreFrom(ownFields(before), versions.map(ownFields), ownFields(now));
  const restored = value as KubernetesObject;
  const { resourceVersion = '' } = now.metadata;
  if (isAsBefore(now, restored)) {
    await giveBack(cluster, now, before);
    return kept;
  }
  const replaced = await cluster.replace({ ...restored, metadata: { ...restored.metadata, resourceVersion } });
  onWrite('restored');
  await giveBack(cluster, replaced, before);
  return kept;
}

function isAsBefore(now: KubernetesObject, before: KubernetesObject): boolean {
  return canonicalize(comparedFields(now)) === canonicalize(comparedFields(before));
}

interface OwnerEntry {
  readonly manager: string;
  readonly operation: string;
}

/**
 * Lets us own the fields that we owned before, as if the deployment had not been: else the next one would find its own
 * undo in its way. What others own stays theirs.
 */
async function giveBack(cluster: Cluster, now: KubernetesObject, before: KubernetesObject): Promise<void> {
  const entries = ownersOf(now);
  const owners = [...entries.filter((entry) => !isOfUs(entry)), ...ownersOf(before).filter(isOfUs)];
  if (isDeepStrictEqual(owners, entries)) return;
  await cluster.setOwners(now, owners);
}

function isOfUs({ manager }: OwnerEntry): boolean {
  return manager === FIELD_MANAGER;
}

function ownersOf({ metadata }: KubernetesObject): readonly OwnerEntry[] {
  return (metadata['managedFields'] ?? []) as readonly OwnerEntry[];
}
