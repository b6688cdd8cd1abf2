import { setTimeout as delay } from 'node:timers/promises';
import { gt, valid } from 'semver';
import canonicalize from 'canonicalize';
import { objectReadiness } from '../../../domain/kubernetes/readiness.ts';
import { inApplyOrder } from '../../../domain/kubernetes/apply-order.ts';
import { definedKind, kindOf } from '../../../domain/kubernetes/definitions.ts';
import { irreversible } from '../../../domain/kubernetes/irreversible.ts';
import { isSameObject, kubernetesKeyOf, type KubernetesObject, objectName } from '../../../domain/kubernetes/object.ts';
import { isSamePlaced, placedName, type PlacedKey } from '../../../domain/kubernetes/placed.ts';
import type { Environment } from '../../../domain/release/contracts/environments.schema.ts';
import {
  DEPLOYMENT_ANNOTATION,
  type PlanDeployment,
  type PlannedDeployment,
  RELEASE_ANNOTATION,
  REPOSITORY_ANNOTATION,
} from '../../../domain/release/deployment/deployment.ts';
import { changesBegin } from '../../../domain/release/deployment/changes-begin.ts';
import { serviceOfObjects } from '../../../domain/release/deployment/canary.ts';
import { type InventoryItem, removedFrom } from '../../../domain/release/deployment/inventory.ts';
import { placeOfService, type PlaceOfService } from '../../../domain/release/deployment/service-place.ts';
import { problemOfVersions } from '../../../domain/release/deployment/environment-check.ts';
import { LonghaulError } from '../../../domain/shared/failures.ts';
import type { SharedSource } from '../../../domain/release/deployment/shared-file.ts';
import { releaseBefore, standing } from '../../../domain/release/deployment/standing.ts';
import { openUntil } from '../../../domain/release/promotion/freeze.ts';
import type { LedgerDatabase } from '../../ledger/open-ledger.ts';
import type { BlobStore } from '../../blobs/blob-store.ts';
import type { Cluster, Preview } from '../../kubernetes/cluster.ts';
import { byContext, type Clusters, type PlacedReference } from '../../kubernetes/clusters.ts';
import { storeText } from '../pipelines/stored-plan.ts';
import { strangeCanaries, wantedCanaries } from './plan-canaries.ts';
import { differenceOf, type ObjectMarks, wouldStay, withMarks, withoutMarks } from './compare-objects.ts';
import { type PlannedObject, readInventory, recordPlan } from './deployment-objects.ts';
import { routedCanaries, withRouteSteps } from './plan-canary-routes.ts';
import { ENDPOINT_SLICES } from './run-canary.ts';
import { type PreviewObjects, withSelectorChanges } from './plan-selectors.ts';
import { withManifestsReader } from './manifests-reader.ts';
import { imagesByTag, withImages } from './manifests.ts';
import { missingPermissions, neededPermissions } from './permissions.ts';
import { promotedReleases, stayedIn } from './record-deployment.ts';
import type { Seal } from './sealed.ts';
import { readSealedManifests } from './sealed-manifests.ts';

/** What a plan is made with. */
export interface PlanTools {
  readonly ledger: LedgerDatabase;
  readonly blobs: BlobStore;
  readonly clusters: Clusters;
  readonly seal: Seal;
  readonly signal: AbortSignal;
  /** Why the repository may not use a context, and whether its cluster no longer exists. */
  readonly contexts: {
    problemOf(context: string): string | null;
    isRetired(context: string): boolean;
  };
}

/** Limits of what a plan says: a result is a part of a history. */
const MOST_SENTENCES = 50;
const LONGEST_SENTENCE = 500;

/** An object with its service. */
interface OfService {
  readonly service: string;
  readonly context: string;
  readonly object: KubernetesObject;
}

/**
 * Plans a deployment: what the release wants, what the cluster has, what the server would make of it, and what of the
 * release before is to go. Records it with every object as it is. Changes nothing in the clusters. Throws
 * `DeploymentRefused` when one of several clusters does not answer.
 */
export async function planDeployment(
  tools: PlanTools,
  asked: PlanDeployment,
  {
    deployment,
    workflowId,
    environment,
    shared,
  }: {
    readonly deployment: string;
    readonly workflowId: string;
    readonly environment: Environment;
    /** Where the environment comes from, if another repository has it. */
    readonly shared: SharedSource | null;
  },
  now = new Date(),
): Promise<PlannedDeployment> {
  const { ledger, clusters, seal } = tools;
  const { repository, version, commit, isPartial } = asked;
  const home = environment.context;
  const place = { repository, environment: environment.name, except: deployment };
  const [{ last, items: recorded }, stayed] = await Promise.all([
    readInventory(ledger, place),
    stayedIn(ledger, place),
  ]);
  // what was in a cluster that no longer exists is gone
  const items = recorded.filter(({ context }) => !tools.contexts.isRetired(context));
  const deployed = new Set(asked.services.map(({ service }) => service));
  const foreign = isPartial ? items.filter(({ service }) => !deployed.has(serviceOfObjects(service))) : [];
  const own = items.filter((item) => !foreign.includes(item));
  const strange = await problemsOfClusters(
    tools,
    [...deployed].map((each) => placeOfService(environment, each)),
    own,
  );
  const { wanted, problems } = await wantedObjects(tools, asked, environment);
  problems.push(...strange);
  const later = asked.goBack || asked.isCandidate ? null : laterThan(version, last?.version ?? null);
  if (later !== null) {
    problems.push(
      `${environment.name} has ${later}, which is later than ${version}: \`longhaul rollback --env ${environment.name} --to ${version}\` goes back.`,
    );
  }
  const wantedKeys = wanted.map(keyOf);
  for (const item of foreign) {
    if (!wantedKeys.some((key) => isSamePlaced(key, item))) continue;
    problems.push(`${placedName(item, home)} is of the service ${item.service}, which is not deployed now.`);
  }
  const marks = { repository, version, deployment };
  const preview: PreviewObjects = (objects) =>
    plannedChanges(clusters, objects, { marks, problems, home, isAlwaysWritten: true });
  const changes = await withSelectorChanges(
    await plannedChanges(clusters, wanted, { marks, problems, home }),
    wanted.map(({ object }) => object),
    preview,
  );
  const routed = await routedCanaries(clusters, environment, {
    canaries: wantedCanaries(environment, changes, { goBack: asked.goBack, problems }),
    wanted,
    problems,
  });
  const canaries = await withRouteSteps(await preview(routed.objects), routed.routes, preview);
  // the route of a canary is changed and undone with it
  const applied = changes.filter(({ key }) => !canaries.some((each) => isSamePlaced(each.key, key)));
  problems.push(...strangeCanaries(canaries, items, home), ...sameByTwoContexts(changes, home));
  const removed = removedFrom(
    own.filter((item) => tools.contexts.problemOf(item.context) === null),
    [...wantedKeys, ...canaries.map(({ key }) => key)],
  );
  const { deletions, lost } = await plannedDeletions(clusters, removed, {
    inventory: items,
    applied: changes,
    repository,
    home,
  });
  const others = [...applied, ...deletions];
  problems.push(...(await problemsOfAccounts(clusters, { canaries, others }, environment)));
  const lasting: string[] = [...lost];
  for (const { action, key, before, written } of applied) {
    const why = action === 'update' ? irreversible({ change: action, before, after: written }) : null;
    if (why !== null) lasting.push(`${placedName(key, home)} cannot be put back: ${why}.`);
  }
  const objects = [
    ...applied,
    ...canaries,
    ...deletions,
    ...foreign.map(({ service, apiVersion, ...key }): PlannedObject => ({
      service,
      apiVersion,
      key,
      action: 'none',
      before: null,
      wanted: null,
      written: null,
    })),
  ];
  const changed = objects.filter(({ action }) => action !== 'none');
  const difference = changed
    .map(({ key, before, written, wanted: after }) =>
      differenceOf(placedName(key, home), before, written ?? after, seal.digestOf),
    )
    .join('\n');
  const movable = shortened(imagesByTag(changed.flatMap(({ wanted: object }) => object ?? [])));
  const diff = await storeText(tools.blobs, difference);
  const digest = seal.digestOf(
    canonicalize({
      repository,
      environment,
      shared,
      version,
      commit,
      services: [...deployed].toSorted(),
      // not what they were: an autoscaler changes that all the time
      objects: objects.map(({ service, action, key, wanted: object }) => ({
        service,
        action,
        key,
        object: object && withoutMarks(object),
      })),
      lasting,
    }) ?? '',
  );
  if (!asked.isDryRun) {
    await ledger.transaction().execute(async (trx) => {
      const row = {
        repository,
        environment: environment.name,
        version,
        commit,
        packed: JSON.stringify(asked.packed),
        contracts: asked.contracts,
        services: JSON.stringify([...deployed]),
        goes_back: asked.goBack,
        context: environment.context,
        namespace: environment.namespace,
        plan_digest: digest,
        diff_blob: diff,
        workflow_id: workflowId,
        created_by: asked.by,
        shared: shared === null ? null : JSON.stringify(shared),
        images_by_tag: JSON.stringify(movable),
      };
      await recordPlan(trx, tools.seal, { deployment_id: deployment, ...row }, objects);
    });
  }
  const count = (action: PlannedObject['action']): number => objects.filter((each) => each.action === action).length;
  return {
    deployment,
    digest,
    shared,
    diff,
    counts: { create: count('create'), update: count('update'), delete: count('delete'), none: count('none') },
    changes: [...deployed].flatMap((service) => {
      const { length } = applied.filter((each) => each.service === service && each.action !== 'none');
      return length === 0 ? [] : [{ service, objects: length }];
    }),
    canaries: [...new Set(canaries.map(({ service }) => serviceOfObjects(service)))],
    settled: [
      ...new Set(
        objects.filter(({ interim }) => interim !== undefined).map(({ service }) => serviceOfObjects(service)),
      ),
    ],
    problems: clipped([...new Set(problems)]),
    irreversible: clipped(lasting),
    imagesByTag: movable,
    previous: last && { ...last, services: [...new Set(items.map(({ service }) => serviceOfObjects(service)))] },
    back: releaseBefore(standing([...stayed, { version, goesBack: asked.goBack, services: [...deployed] }])),
    freezes: environment.freeze.flatMap((window) => {
      const until = openUntil(window, now);
      return until === null ? [] : [`The freeze "${window.name}" is on until ${until.toISOString().slice(0, 16)}Z.`];
    }),
    approvals: approvalsOf(environment),
    ...(environment.approvals?.exclude_authors
      ? {
          authorsSince: changesBegin(standing(stayed), await promotedReleases(ledger, repository), {
            version,
            services: [...deployed],
          }),
        }
      : {}),
    deletes: deletions.length > 0,
  };
}

/** Sentences for a flow, whose history is limited: the first ones, and how many more there are. */
function clipped(sentences: readonly string[]): readonly string[] {
  const shown = sentences.slice(0, MOST_SENTENCES).map((each) => each.slice(0, LONGEST_SENTENCE));
  const more = sentences.length - shown.length;
  return more === 0 ? shown : [...shown, `There are ${more} more such sentences.`];
}

/** The first names of a list, and how many more there are. */
function shortened(names: readonly string[]): readonly string[] {
  const shown = names.slice(0, MOST_SENTENCES).map((each) => each.slice(0, LONGEST_SENTENCE));
  return names.length === shown.length ? shown : [...shown, `${names.length - shown.length} more`];
}

function approvalsOf({ approvals }: Environment): PlannedDeployment['approvals'] {
  if (approvals === undefined) return null;
  const { needed, from, deadline, at_deadline: atDeadline, reminder, escalation } = approvals;
  return {
    needed,
    from,
    // the flow adds them: they are in git
    excludeAuthors: [],
    deadline:
      deadline === undefined
        ? null
        : { seconds: deadline, outcome: atDeadline === 'approve' ? 'approved' : 'rejected' },
    reminderSeconds: reminder ?? null,
    escalation: escalation === undefined ? null : { afterSeconds: escalation.after, to: escalation.to },
  };
}

/** How long one of several clusters is waited for before anything is planned. */
const REACHED_MS = 30_000;
const REACHED_POLL_MS = 2_000;

/**
 * What keeps a deployment from clusters, a sentence each: where services are in several, or earlier deployments have made
 * their objects in others. Throws `DeploymentRefused` when one of them does not answer.
 */
async function problemsOfClusters(
  { clusters, contexts }: PlanTools,
  places: readonly PlaceOfService[],
  items: readonly InventoryItem[],
): Promise<readonly string[]> {
  const own = [...new Set(places.map(({ context }) => context))];
  const earlier = [...new Set(items.map(({ context }) => context))].filter((context) => !own.includes(context));
  const problems: string[] = [];
  const all: string[] = [...own];
  for (const context of earlier) {
    const problem = contexts.problemOf(context);
    if (problem === null) all.push(context);
    else problems.push(`Earlier deployments have made objects in the context ${context}. ${problem}`);
  }
  // a single cluster is waited for: nothing else is held up by it
  if (all.length === 1) return problems;
  for (const context of all) {
    const { kubectl, cluster } = await versionsInTime(clusters.of(context), context);
    const skew = problemOfVersions(kubectl, cluster);
    if (skew !== null) problems.push(`${skew} (context ${context}).`);
  }
  return problems;
}

async function versionsInTime(
  cluster: Cluster,
  context: string,
): Promise<{ readonly kubectl: string; readonly cluster: string }> {
  const until = Date.now() + REACHED_MS;
  for (;;) {
    try {
      return await cluster.versions();
    } catch (error) {
      if (!(error instanceof LonghaulError) || error.type !== 'ClusterUnavailable') throw error;
      if (Date.now() > until) {
        const hint = `If it no longer exists: deploy.contexts.${context}.retired in longhaul.yaml of the worker.`;
        throw new LonghaulError('DeploymentRefused', `${error.message} ${hint}`, { cause: error });
      }
      await delay(REACHED_POLL_MS);
    }
  }
}

/** The permissions that the accounts of the contexts lack, a sentence each. */
async function problemsOfAccounts(
  clusters: Clusters,
  { canaries, others }: { readonly canaries: readonly PlannedObject[]; readonly others: readonly PlannedObject[] },
  environment: Environment,
): Promise<readonly string[]> {
  const planned = [...others, ...canaries];
  const problems: string[] = [];
  const changed = planned.filter(({ action }) => action !== 'none');
  for (const context of new Set([environment.context, ...planned.map(({ key }) => key.context)])) {
    const objects = changed.flatMap(({ key, wanted, before }) =>
      key.context === context ? (wanted ?? before ?? []) : [],
    );
    const unchanged = planned.filter(({ action, key }) => action === 'none' && key.context === context);
    const cluster = clusters.of(context);
    const routed = canaries.filter(({ key, interim }) => interim !== undefined && key.context === context);
    const needed = [
      ...(await neededPermissions(cluster, objects, environment.namespace, unchanged)),
      ...routed.map(({ key: { namespace } }) => ({ verb: 'list', resource: ENDPOINT_SLICES, namespace })),
    ];
    problems.push(...(await missingPermissions(cluster, needed, context === environment.context ? null : context)));
  }
  return problems;
}

/** Objects that two services reach through two contexts of one cluster, a sentence each. */
function sameByTwoContexts(applied: readonly FoundObject[], home: string): readonly string[] {
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

/** An object of a plan that was read. */
interface FoundObject extends PlannedObject {
  /** Of the object that is there; null where there is none. */
  readonly uid: string | null;
}

/** What the release wants: the manifests with their images, in the order in which they are applied. */
async function wantedObjects(
  { blobs, clusters, seal, signal }: PlanTools,
  { services, images }: PlanDeployment,
  environment: Environment,
): Promise<{ readonly wanted: readonly OfService[]; readonly problems: string[] }> {
  const problems: string[] = [];
  const found: OfService[] = [];
  await withManifestsReader(signal, async (read) => {
    for (const { service, manifests: digest } of services) {
      const about = `manifests of ${service}`;
      const { context, namespace } = placeOfService(environment, service);
      const manifests = await readSealedManifests({ blobs, seal, read }, { digest, namespace, about });
      problems.push(...manifests.problems);
      const objects = withImages(manifests.objects, images[service] ?? {}, about);
      found.push(...objects.map((object) => ({ service, context, object })));
    }
  });
  const scoped = await byContext(found, (context, own) => inScope(clusters.of(context), own));
  for (const [at, one] of scoped.entries()) {
    const { service } = one;
    const key = keyOf(one);
    const twin = scoped.slice(0, at).find((each) => isSamePlaced(keyOf(each), key));
    if (twin !== undefined && twin.service !== service) {
      problems.push(
        `${placedName(key, environment.context)} is in the manifests of ${twin.service} and of ${service}.`,
      );
    }
  }
  const order = inApplyOrder(scoped.map(({ object }) => object));
  return { wanted: scoped.toSorted((one, other) => order.indexOf(one.object) - order.indexOf(other.object)), problems };
}

/** The objects with a namespace only where their kind has one. */
async function inScope(cluster: Cluster, objects: readonly OfService[]): Promise<readonly OfService[]> {
  const defined = definedKinds(objects);
  return Promise.all(
    objects.map(async (given) => {
      const { object } = given;
      const served = (await cluster.kinds(object.apiVersion)).find(({ kind }) => kind === object.kind);
      const scope = served?.isNamespaced ?? defined.get(kindOf(object)) ?? true;
      if (scope) return given;
      const { namespace: _namespace, ...metadata } = object.metadata;
      return { ...given, object: { ...object, metadata } };
    }),
  );
}

/** The kinds that definitions among the objects bring, and whether they have a namespace. */
function definedKinds(objects: readonly OfService[]): ReadonlyMap<string, boolean> {
  return new Map(
    objects.flatMap(({ object }): [string, boolean][] => {
      const defined = definedKind(object);
      return defined === null ? [] : [[defined.kind, defined.isNamespaced]];
    }),
  );
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
function plannedChanges(
  clusters: Clusters,
  wanted: readonly OfService[],
  options: ChangeOptions,
): Promise<readonly FoundObject[]> {
  return byContext(wanted, (context, own) => changesInCluster(clusters.of(context), own, options));
}

async function changesInCluster(
  cluster: Cluster,
  wanted: readonly OfService[],
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
  for (const [index, preview] of (await cluster.previewAll(asked.map(({ object }) => object))).entries()) {
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
    const key = keyOf({ context, object });
    const is = before[at] ?? null;
    const answer = answers.get(at);
    const uid = is?.metadata.uid ?? null;
    const all = { service, key, uid, apiVersion: object.apiVersion, wanted: withMarks(object, marks) };
    const owner = ownerOf(is);
    if (owner !== null && owner !== marks.repository) {
      problems.push(`${placedName(key, home)} is of a release of ${owner}: one of the two must leave it out.`);
    }
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
    if (!isAlwaysWritten && after !== null && wouldStay(is, after)) {
      return { ...all, action: 'none', before: null, wanted: null, written: null };
    }
    return { ...all, action: 'update', before: is, written: after === null ? null : withMarks(after, marks) };
  });
}

/** What of the release before is deleted, and what of that would be lost. */
async function plannedDeletions(
  clusters: Clusters,
  removed: readonly InventoryItem[],
  {
    inventory,
    applied,
    repository,
    home,
  }: {
    readonly inventory: readonly InventoryItem[];
    readonly applied: readonly FoundObject[];
    readonly repository: string;
    readonly home: string;
  },
): Promise<{ readonly deletions: readonly PlannedObject[]; readonly lost: readonly string[] }> {
  const found = await clusters.read(removed.map(referenceOf));
  const kept = new Set(applied.map(({ uid }) => uid));
  const deletions: PlannedObject[] = [];
  const lost: string[] = [];
  for (const [at, { service, apiVersion, ...key }] of removed.entries()) {
    const before = found[at] ?? null;
    // the cluster of another context is the same one: the object has not moved
    if (before === null || kept.has(before.metadata.uid ?? '')) continue;
    // another repository has taken it over
    if (![null, repository].includes(ownerOf(before))) continue;
    if (key.kind === 'Job' && key.group === 'batch') {
      // it does nothing any more, and would start again when it is created again
      if (objectReadiness(before).state !== 'waiting') continue;
      lost.push(`${placedName(key, home)} cannot be put back: it has not finished, and would start again.`);
    }
    const foreign =
      key.kind === 'CustomResourceDefinition'
        ? await foreignObjects(clusters, { definition: before, key }, inventory)
        : [];
    const why = irreversible({ change: 'delete', before, after: null, foreign });
    if (why !== null) lost.push(`${placedName(key, home)} cannot be put back: ${why}.`);
    deletions.push({ service, apiVersion, key, action: 'delete', before, wanted: null, written: null });
  }
  return { deletions, lost };
}

/** Objects of a definition's kind that are not of this environment. */
async function foreignObjects(
  clusters: Clusters,
  { definition, key: { context } }: { readonly definition: KubernetesObject; readonly key: PlacedKey },
  inventory: readonly InventoryItem[],
): Promise<readonly string[]> {
  const { group, names } = definition['spec'] as {
    readonly group: string;
    readonly names: { readonly plural: string };
  };
  const objects = await clusters.of(context).list(`${names.plural}.${group}`, null, '');
  return objects
    .map(kubernetesKeyOf)
    .filter((key) => !inventory.some((item) => item.context === context && isSameObject(item, key)))
    .map(objectName);
}

/** The repository whose deployment wrote an object last; null where none says so. */
function ownerOf(object: KubernetesObject | null): string | null {
  return object?.metadata.annotations?.[REPOSITORY_ANNOTATION] ?? null;
}

function keyOf({ context, object }: Pick<OfService, 'context' | 'object'>): PlacedKey {
  return { context, ...kubernetesKeyOf(object) };
}

function referenceOf({ context, apiVersion, kind, namespace, name }: InventoryItem): PlacedReference {
  return { context, apiVersion, kind, metadata: { name, ...(namespace === '' ? {} : { namespace }) } };
}

/** The release that an environment has, where that is later than this one; commits that are not released are not compared. */
function laterThan(version: string, present: string | null): string | null {
  return present !== null && valid(version) !== null && valid(present) !== null && gt(present, version)
    ? present
    : null;
}
