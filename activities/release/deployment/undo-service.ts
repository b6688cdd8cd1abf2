import canonicalize from 'canonicalize';
import pLimit from 'p-limit';
import { APPLY_STEPS, applyStepOf } from '../../../domain/kubernetes/apply-order.ts';
import { type KubernetesKey, objectName } from '../../../domain/kubernetes/object.ts';
import { ownFields, restore } from '../../../domain/kubernetes/restore.ts';
import { FAILURES, LonghaulError } from '../../../domain/shared/failures.ts';
import type { KubernetesObject } from '../../../domain/kubernetes/object.ts';
import { undoObject } from '../../kubernetes/undo-object.ts';
import { type DeploymentTools, isOfDeployment } from './apply-service.ts';
import { type DeploymentObject, markUndone, readObjects } from './deployment-objects.ts';

/** What to undo of a deployment. */
export interface UndoTask {
  readonly deployment: string;
  /** The context of its cluster, for commands. */
  readonly context: string;
  /** Its objects of this service that were applied; undefined for everything that was deleted. */
  readonly service?: string;
}

/** Objects that are undone at once. */
const AT_ONCE = 4;

/**
 * Puts the objects of a service back as they were, in the reverse order of kinds. Fields that others changed stay theirs,
 * and are recorded. Can be repeated. All objects are tried; throws `UndoFailed`, which names each object that could not
 * be put back and a command, and the failure of a cluster that does not answer.
 */
export async function undoService(tools: DeploymentTools, { deployment, context, service }: UndoTask): Promise<void> {
  const { ledger, cluster, seal } = tools;
  const objects = await readObjects(ledger, seal, {
    deployment,
    ...(service === undefined ? { actions: ['delete'] } : { service, actions: ['create', 'update'] }),
  });
  const limit = pLimit(AT_ONCE);
  const failed: string[] = [];
  for (const step of APPLY_STEPS.toReversed()) {
    const ofStep = objects.filter((object) => applyStepOf(subjectOf(object)) === step).toReversed();
    const undo = async (object: DeploymentObject): Promise<void> => {
      try {
        const change = { before: object.before, written: object.written ?? object.wanted };
        const { end, kept } = await undoObject(cluster, change, (now) => isOfDeployment(now, deployment));
        await markUndone(ledger, deployment, { position: object.position, isLeft: end === 'taken', kept });
      } catch (error) {
        if (!isOfObject(error)) throw error;
        failed.push(
          `${objectName(object.key)}: ${error.message.replace(/\.$/u, '')}; ${byHand(object, context, deployment)}`,
        );
      }
    };
    await Promise.all(ofStep.map((object) => limit(() => undo(object))));
  }
  if (failed.length > 0) throw new LonghaulError('UndoFailed', `Not put back: ${failed.join('; ')}.`);
}

/** True for a failure of the object, which a repetition does not change, or which is repeated by itself. */
function isOfObject(error: unknown): error is LonghaulError {
  return error instanceof LonghaulError && (FAILURES[error.type].tries === 1 || error.type === 'KubectlFailed');
}

function subjectOf({ wanted, before, key }: DeploymentObject): KubernetesObject {
  const subject = wanted ?? before;
  if (subject === null) throw new TypeError(`${objectName(key)} has no content`);
  return subject;
}

/** What a person runs. */
function byHand({ action, key, position }: DeploymentObject, context: string, deployment: string): string {
  return action === 'create'
    ? `\`kubectl --context=${context} delete ${typeOf(key)} ${key.name}${where(key)}\``
    : `\`longhaul deployments before ${deployment} ${position}\` prints what it was`;
}

function typeOf({ kind, group }: KubernetesKey): string {
  return `${kind.toLowerCase()}${group === '' ? '' : `.${group}`}`;
}

function where({ namespace }: KubernetesKey): string {
  return namespace === '' ? '' : ` --namespace=${namespace}`;
}

/**
 * Reads everything back after an undo, and compares it with what it was: differences must be fields that others changed.
 * Returns a sentence for each object that differs otherwise.
 */
export async function compareUndone(
  { ledger, cluster, seal }: DeploymentTools,
  deployment: string,
): Promise<readonly string[]> {
  const objects = await readObjects(ledger, seal, { deployment });
  const found = await cluster.read(objects.map(subjectOf));
  return objects.flatMap((object, at) => {
    const now = found[at] ?? null;
    const name = objectName(object.key);
    if (object.before === null) {
      return now !== null && isOfDeployment(now, deployment) ? [`${name} is still there.`] : [];
    }
    // another has deleted it since
    if (now === null) return [];
    if (object.written === null && object.action === 'update') return [];
    const { before, written } = object;
    const expected =
      written === null ? ownFields(before) : restore(ownFields(before), ownFields(written), ownFields(now)).value;
    return canonicalize(expected) === canonicalize(ownFields(now)) ? [] : [`${name} is not as it was.`];
  });
}
