import { definedKind, kindOf } from '../../../domain/kubernetes/definitions.ts';
import { placedName } from '../../../domain/kubernetes/placed.ts';
import { DEPLOYMENT_ANNOTATION, RELEASE_ANNOTATION } from '../../../domain/release/deployment/deployment.ts';
import type { Cluster, Preview } from '../../kubernetes/cluster.ts';
import { byContext, type Clusters } from '../../kubernetes/clusters.ts';
import { type ObjectMarks, wouldStay, withMarks } from './compare-objects.ts';
import type { PlannedObject } from './deployment-objects.ts';
import { isOfAnother } from './object-owners.ts';
import { type ObjectOfService, definedKinds, placedKeyOf } from './wanted-objects.ts';

/** An object of a plan that was read. */
export interface FoundObject extends PlannedObject {
  /** Of the object that is there; null where there is none. */
  readonly uid: string | null;
}

interface ChangeOptions {
  readonly marks: ObjectMarks;
  readonly problems: string[];
  /** The context of the environment. */
  readonly home: string;
  /** For what is written in any case: what a terminated deployment has left, what an object is for a while. */
  readonly isAlwaysWritten?: boolean;
}

/** What applying would change. */
export function plannedChanges(
  clusters: Clusters,
  wanted: readonly ObjectOfService[],
  options: ChangeOptions,
): Promise<readonly FoundObject[]> {
  return byContext(wanted, (context, own) => changesInCluster(clusters.of(context), own, options));
}

async function changesInCluster(
  cluster: Cluster,
  wanted: readonly ObjectOfService[],
  { marks, problems, home, isAlwaysWritten = false }: ChangeOptions,
): Promise<readonly FoundObject[]> {
  const before = await cluster.read(wanted.map(({ object }) => object));
  const defined = definedKinds(wanted);
  const newNamespaces = new Set(
    wanted.flatMap(({ object }, at) => (object.kind === 'Namespace' && !before[at] ? [object.metadata.name] : [])),
  );
  const isAskable = await Promise.all(
    wanted.map(async ({ context, object }) => {
      const { apiVersion, kind, metadata } = object;
      const isServed = (await cluster.kinds(apiVersion)).some((each) => each.kind === kind);
      if (!isServed && !defined.has(kindOf(object))) {
        const where = context === home ? '' : ` of the context ${context}`;
        problems.push(`The cluster${where} has no kind ${kind} of ${apiVersion}: ${metadata.name} cannot be there.`);
      }
      // the server cannot say what becomes of an object whose namespace or definition comes with it
      return isServed && !newNamespaces.has(metadata.namespace ?? '');
    }),
  );
  // an object keeps the marks of the release that changed it last
  const marked = wanted.map(({ object }, at) => {
    const known = before[at]?.metadata.annotations;
    const [version, deployment] = [known?.[RELEASE_ANNOTATION], known?.[DEPLOYMENT_ANNOTATION]];
    return withMarks(
      object,
      version === undefined || deployment === undefined ? marks : { ...marks, version, deployment },
    );
  });
  const asked = marked.flatMap((object, at) => (isAskable[at] ? [{ object, at }] : []));
  const answers = new Map<number, Preview>();
  for (const [index, preview] of (await Promise.all(asked.map(({ object }) => cluster.preview(object)))).entries()) {
    answers.set(asked[index]?.at ?? -1, preview);
  }
  // what the server says of an object follows the definition that its kind has now
  const redefined = new Set(
    wanted.flatMap(({ object }, at) => {
      const [is, answer] = [before[at], answers.get(at)];
      const isChanged = is && answer !== undefined && 'object' in answer && !wouldStay(is, answer.object);
      return isChanged ? (definedKind(object)?.kind ?? []) : [];
    }),
  );
  return wanted.map(({ service, context, object }, at): FoundObject => {
    const key = placedKeyOf({ context, object });
    const is = before[at] ?? null;
    const answer = answers.get(at);
    const uid = is?.metadata.uid ?? null;
    const all = { service, key, uid, apiVersion: object.apiVersion, wanted: withMarks(object, marks) };
    if (answer !== undefined && 'refused' in answer && !redefined.has(kindOf(object)))
      problems.push(`${placedName(key, home)}: ${answer.refused}`);
    if (answer !== undefined && 'conflicts' in answer) {
      const fields = answer.conflicts.map(({ field, manager }) => `${field} (${manager})`).join(', ');
      problems.push(
        `${placedName(key, home)} has fields that another owns: ${fields}. Leave them out of the manifest, or let the other give them up.`,
      );
    }
    if (is === null) return { ...all, action: 'create', before: null, written: null };
    const after = answer !== undefined && 'object' in answer ? answer.object : null;
    // what is taken over says so, also where nothing else changes
    if (!isAlwaysWritten && !isOfAnother(is, marks) && after !== null && wouldStay(is, after)) {
      return { ...all, action: 'none', before: null, wanted: null, written: null };
    }
    return { ...all, action: 'update', before: is, written: after === null ? null : withMarks(after, marks) };
  });
}

/** Objects that two services reach through two contexts of one cluster, a sentence each. */
export function sameByTwoContexts(applied: readonly FoundObject[], home: string): readonly string[] {
  return applied.flatMap((one, at) => {
    const isTwin = ({ uid, key }: FoundObject): boolean => uid === one.uid && key.context !== one.key.context;
    const twin = one.uid === null ? undefined : applied.slice(0, at).find(isTwin);
    return twin === undefined
      ? []
      : [
          `${placedName(one.key, home)} is in the manifests of ${twin.service} and of ${one.service}: their contexts lead to the same cluster.`,
        ];
  });
}
