import canonicalize from 'canonicalize';
import type { KubernetesObject } from '../../../domain/kubernetes/object.ts';
import { selectorOf } from '../../../domain/kubernetes/selector.ts';
import { selectorChange, type WorkloadChange } from '../../../domain/kubernetes/selector-change.ts';
import type { InterimObject, PlannedObject } from './deployment-objects.ts';

/** An object of a release, and its change. */
interface OfRelease<Planned extends PlannedObject> {
  readonly planned: Planned;
  /** As the release wants it, also where nothing changes. */
  readonly object: KubernetesObject;
}

/** Asks the server what objects would become, and adds what it refuses to the problems of the plan. */
export type PreviewObjects = (
  objects: readonly { readonly service: string; readonly context: string; readonly object: KubernetesObject }[],
) => Promise<readonly PlannedObject[]>;

/**
 * The changes, with those of Services whose new selector no present pod matches put off until the workloads of their
 * service are ready. `wanted`: the object of each change.
 */
export async function withSelectorChanges<Planned extends PlannedObject>(
  applied: readonly Planned[],
  wanted: readonly KubernetesObject[],
  preview: PreviewObjects,
): Promise<readonly Planned[]> {
  const all = applied.flatMap((planned, at): OfRelease<Planned>[] => {
    const object = wanted[at];
    return object === undefined ? [] : [{ planned, object }];
  });
  return Promise.all(
    all.map(async ({ planned, object }) => {
      const { service, key, action, before } = planned;
      if (key.kind !== 'Service' || key.group !== '' || action !== 'update' || before === null) return planned;
      if (canonicalize(selectorOf(before)) === canonicalize(selectorOf(object))) return planned;
      const neighbours = all.filter((each) => each.planned.service === service && isIn(each, key.namespace));
      const change = selectorChange({ before, after: object }, neighbours.map(workloadChange));
      if (change === 'at once') return planned;
      if (change === 'when ready') return { ...planned, interim: [] };
      const spec = { ...(object['spec'] as object), selector: change };
      const interim = await preview([{ service, context: key.context, object: { ...object, spec } }]);
      return { ...planned, interim: interim.flatMap(interimOf) };
    }),
  );
}

/** An object as it is for a while. Nothing where the server refuses it, which is a problem of the plan. */
export function interimOf({ wanted, written }: PlannedObject): readonly InterimObject[] {
  return wanted === null || written === null ? [] : [{ wanted, written }];
}

function isIn({ planned }: OfRelease<PlannedObject>, namespace: string): boolean {
  return planned.key.namespace === namespace;
}

/** Objects without a template of pods match no selector. */
function workloadChange({ planned: { action, before }, object }: OfRelease<PlannedObject>): WorkloadChange {
  return { before: action === 'none' ? object : before, after: object };
}
