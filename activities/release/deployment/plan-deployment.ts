import { gt, valid } from 'semver';
import canonicalize from 'canonicalize';
import { irreversible } from '../../../domain/kubernetes/irreversible.ts';
import { isSamePlaced, placedName } from '../../../domain/kubernetes/placed.ts';
import type { Environment } from '../../../domain/release/contracts/environments.schema.ts';
import type { PlanDeployment, PlannedDeployment } from '../../../domain/release/deployment/deployment.ts';
import { changesBegin } from '../../../domain/release/deployment/changes-begin.ts';
import { serviceOfObjects } from '../../../domain/release/deployment/canary.ts';
import { removedFrom } from '../../../domain/release/deployment/inventory.ts';
import { placeOfService } from '../../../domain/release/deployment/service-place.ts';
import type { SharedSource } from '../../../domain/release/deployment/shared-file.ts';
import { releaseBefore, standing } from '../../../domain/release/deployment/standing.ts';
import { openUntil } from '../../../domain/release/promotion/freeze.ts';
import { storeText } from '../pipelines/stored-plan.ts';
import { strangeCanaries, wantedCanaries } from './plan-canaries.ts';
import { differenceOf, withoutMarks } from './compare-objects.ts';
import { type PlannedObject, readInventory, recordPlan } from './deployment-objects.ts';
import { objectsOfOthers } from './object-owners.ts';
import { routedCanaries, withRouteSteps } from './plan-canary-routes.ts';
import { type PreviewObjects, withSelectorChanges } from './plan-selectors.ts';
import { imagesByTag } from './manifests.ts';
import { problemsOfAccounts } from './permissions.ts';
import { promotedReleases } from './released.ts';
import { stayedIn } from './stayed.ts';
import type { PlanTools } from './plan-tools.ts';
import { wantedObjects, placedKeyOf } from './wanted-objects.ts';
import { plannedChanges, sameByTwoContexts } from './planned-changes.ts';
import { plannedDeletions } from './planned-deletions.ts';
import { problemsOfClusters } from './reached-clusters.ts';

/** Limits of what a plan says: a result is a part of a history. */
const MOST_SENTENCES = 50;
const LONGEST_SENTENCE = 500;

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
  const wantedKeys = wanted.map(placedKeyOf);
  for (const item of foreign) {
    if (!wantedKeys.some((key) => isSamePlaced(key, item))) continue;
    problems.push(`${placedName(item, home)} is of the service ${item.service}, which is not deployed now.`);
  }
  const owner = { repository, environment: environment.name };
  const marks = { ...owner, version, deployment };
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
  problems.push(
    ...(await objectsOfOthers(tools, { owner, contracts: asked.contracts, home }, [...changes, ...canaries])),
  );
  const removed = removedFrom(
    own.filter((item) => tools.contexts.problemOf(item.context) === null),
    [...wantedKeys, ...canaries.map(({ key }) => key)],
  );
  const { deletions, lost } = await plannedDeletions(clusters, removed, {
    inventory: items,
    applied: changes,
    owner,
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

/** The release that an environment has, where that is later than this one; commits that are not released are not compared. */
function laterThan(version: string, present: string | null): string | null {
  return present !== null && valid(version) !== null && valid(present) !== null && gt(present, version)
    ? present
    : null;
}
