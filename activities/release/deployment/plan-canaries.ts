import canonicalize from 'canonicalize';
import { kubernetesKeyOf, type KubernetesObject } from '../../../domain/kubernetes/object.ts';
import { isSamePlaced, placedName } from '../../../domain/kubernetes/placed.ts';
import type { Environment } from '../../../domain/release/contracts/environments.schema.ts';
import { canaryOf, canaryServiceOf } from '../../../domain/release/deployment/canary.ts';
import type { InventoryItem } from '../../../domain/release/deployment/inventory.ts';
import { withoutMarks } from './compare-objects.ts';
import type { PlannedObject } from './deployment-objects.ts';

/** A canary to plan, as a part of a service of its own. */
export interface WantedCanary {
  readonly service: string;
  readonly context: string;
  readonly object: KubernetesObject;
}

/**
 * The canaries of a deployment: of each Deployment of a service with `canary` whose pods change and may be there in two
 * versions at once. None of one that goes back: most pods would have the bad release meanwhile. Adds to `problems` those
 * whose names the release has itself.
 */
export function wantedCanaries(
  { services, context: home }: Pick<Environment, 'services' | 'context'>,
  applied: readonly PlannedObject[],
  { goBack, problems }: { readonly goBack: boolean; readonly problems: string[] },
): readonly WantedCanary[] {
  if (goBack) return [];
  return applied.flatMap((planned): WantedCanary[] => {
    const { service, action, key, before, written, wanted } = planned;
    if (services[service]?.canary === undefined || action !== 'update' || wanted === null) return [];
    if (key.kind !== 'Deployment' || key.group !== 'apps' || hasSamePods(before, written)) return [];
    if ([before, wanted].some((object) => object !== null && !mayHaveCanary(object))) return [];
    const object = canaryOf(withoutMarks(wanted));
    const { context } = key;
    const twin = applied.find((each) => isSamePlaced(each.key, { context, ...kubernetesKeyOf(object) }));
    if (twin !== undefined) {
      problems.push(
        `${placedName(twin.key, home)} has the name of the canary of ${placedName(key, home)}: give it another one.`,
      );
    }
    return [{ service: canaryServiceOf(service), context, object }];
  });
}

/** False where two versions must not run at once, and where no pod is wanted. */
function mayHaveCanary(object: KubernetesObject): boolean {
  const { replicas, strategy } = (object['spec'] ?? {}) as {
    readonly replicas?: number;
    readonly strategy?: { readonly type?: string };
  };
  return strategy?.type !== 'Recreate' && replicas !== 0;
}

/** What keeps canaries from being made: objects with their names that no deployment has left there, a sentence each. A route is not theirs. */
export function strangeCanaries(
  canaries: readonly PlannedObject[],
  inventory: readonly InventoryItem[],
  home: string,
): readonly string[] {
  return canaries
    .filter(({ interim }) => interim === undefined)
    .filter(({ before, key }) => before !== null && !inventory.some((item) => isSamePlaced(item, key)))
    .map(({ key }) => `${placedName(key, home)} is there, and no deployment has made it: a canary needs its name.`);
}

/** False when the server cannot say what becomes of it. */
function hasSamePods(before: KubernetesObject | null, written: KubernetesObject | null): boolean {
  if (before === null || written === null) return false;
  return canonicalize(templateOf(before)) === canonicalize(templateOf(written));
}

function templateOf(object: KubernetesObject): unknown {
  return (object['spec'] as { readonly template?: unknown } | undefined)?.template ?? null;
}
