import type { KubernetesObject } from './object.ts';
import { type Labels, ownPodsOf, podLabelsOf, selectorOf, selects, sharedLabels } from './selector.ts';

/** A workload around its change. */
export interface WorkloadChange {
  /** Null for a new one. */
  readonly before: KubernetesObject | null;
  readonly after: KubernetesObject;
}

/**
 * How a Service gets a new selector without a time in which it selects no pod. `at once`: pods that are there match it.
 * `when ready`: it comes when the workloads are ready, and the present one selects their pods until then. A selector: this
 * one selects the pods before and after, until the workloads are ready.
 */
export type SelectorChange = 'at once' | 'when ready' | Labels;

/** See {@link SelectorChange}. `workloads`: those of the release in the namespace of the Service, also unchanged ones. */
export function selectorChange(
  { before, after }: { readonly before: KubernetesObject; readonly after: KubernetesObject },
  workloads: readonly WorkloadChange[],
): SelectorChange {
  const [present, next] = [selectorOf(before), selectorOf(after)];
  if (Object.keys(present).length === 0 || findsStartingPods(after)) return 'at once';
  const labelsBefore = (workload: WorkloadChange): Labels | null => workload.before && podLabelsOf(workload.before);
  const joining = workloads.filter((each) => selects(next, podLabelsOf(each.after)));
  // pods of other objects, which a release does not know, or pods that stay
  if (joining.length === 0 || joining.some((each) => selects(next, labelsBefore(each)))) return 'at once';
  const behind = joining.filter((each) => selects(present, labelsBefore(each)));
  if (behind.every((each) => selects(present, podLabelsOf(each.after)))) return 'when ready';
  const shared = {
    ...sharedLabels([present, next]),
    // no pods of other workloads
    ...sharedLabels(behind.map((each) => ownPodsOf(each.after))),
  };
  return Object.keys(shared).length === 0 ? 'when ready' : shared;
}

/** True for a Service by which pods find each other before they are ready: they may need it to become ready. */
function findsStartingPods(service: KubernetesObject): boolean {
  const { publishNotReadyAddresses } = (service['spec'] ?? {}) as { readonly publishNotReadyAddresses?: boolean };
  return publishNotReadyAddresses === true;
}
