import { kubernetesKeyOf } from '../../kubernetes/object.ts';
import { placedName } from '../../kubernetes/placed.ts';
import { VERSION_FORM } from '../contracts/version.ts';
import type { ObjectAction, PlannedDeployment } from './deployment.ts';
import { describeShared, type SharedSource } from './shared-file.ts';
import { type DeploymentReasons, describeReasons } from './reasons.ts';
import type { Sample } from './watch.ts';

/** A deployment as the ledger has it. Times are ISO 8601. */
export interface DeploymentView extends DeploymentReasons {
  readonly id: string;
  readonly repository: string;
  readonly environment: string;
  /** The context of the environment; objects may be in others. */
  readonly context: string;
  readonly version: string;
  readonly commit: string;
  readonly services: readonly string[];
  /** True for one that went back to an earlier release. */
  readonly goesBack: boolean;
  readonly status: 'planned' | 'deploying' | 'deployed' | 'undone' | 'not undone' | 'refused' | 'cancelled';
  /** Digest of the plan. */
  readonly plan: string | null;
  /** Digest of the difference in the blob store. */
  readonly diff: string | null;
  /** Why it did not stay, or what it waits for; null for one that does. */
  readonly why: string | null;
  /** Images of what it changes that its manifests give by tag. */
  readonly imagesByTag: readonly string[];
  /** The people who approved it, with what they said. */
  readonly approvedBy: readonly string[];
  /** The file of another repository that has the environment; null for one of the repository itself. */
  readonly shared: SharedSource | null;
  readonly by: string;
  readonly workflowId: string;
  readonly plannedAt: string;
  /** When the first change came. */
  readonly startedAt: string | null;
  readonly endedAt: string | null;
  /** The objects that it changes. */
  readonly objects: readonly DeployedObject[];
  readonly samples: readonly {
    readonly at: string;
    readonly verdict: 'good' | 'bad' | 'no data';
    readonly why: string;
    readonly sample: Sample;
  }[];
}

/** A deployment that is started and has no plan yet: another one is at work, or its soak time is not over. */
export interface WaitingDeployment {
  readonly status: 'waiting';
  readonly repository: string;
  readonly environment: string;
  readonly version: string;
  readonly workflowId: string;
  /** ISO 8601. */
  readonly since: string;
}

/** Deployments that wait as people read them, a line each. */
export function describeWaiting(list: readonly WaitingDeployment[]): string {
  return list
    .map(({ environment, version, since, workflowId }) =>
      ['waiting ', environment, version, `since ${since.slice(0, 16)}Z`, `longhaul watch ${workflowId}`].join('  '),
    )
    .join('\n');
}

/** An object that a deployment changes. */
interface DeployedObject {
  readonly position: number;
  readonly service: string;
  readonly context: string;
  /** Its name for people. */
  readonly what: string;
  readonly action: ObjectAction;
  readonly state: 'planned' | 'applied' | 'undone' | 'left';
  /** Paths of fields that others changed since, which an undo left to them. */
  readonly kept: readonly string[];
}

/** The name of an object by the columns of the ledger; `home`: the context of its environment. */
export function describedKind(
  {
    apiVersion,
    kind,
    context,
    namespace,
    name,
  }: {
    readonly apiVersion: string;
    readonly kind: string;
    readonly context: string;
    readonly namespace: string;
    readonly name: string;
  },
  home: string,
): string {
  const key = kubernetesKeyOf({ apiVersion, kind, metadata: { name, ...(namespace === '' ? {} : { namespace }) } });
  return placedName({ context, ...key }, home);
}

/**
 * The first digits of an id, which people use: ids are UUIDs of version 7, whose first 12 digits are the time in
 * milliseconds. The first 8 would be the same for all deployments of a minute.
 */
export function shortId(id: string): string {
  return id.slice(0, 13);
}

/** That a deployment stayed, a sentence without its end. */
export function describeStayed({
  version,
  environment,
  samples,
}: {
  readonly version: string;
  readonly environment: string;
  /** How many. */
  readonly samples: number;
}): string {
  return `${version} is in ${environment}: healthy, ${countOfSamples(samples)}`;
}

function countOfSamples(count: number): string {
  return count === 1 ? '1 sample' : `${count} samples`;
}

/** A plan as people read it, and the command that goes back. */
export function describePlan(
  {
    version,
    environment,
    goBack,
  }: { readonly version: string; readonly environment: string; readonly goBack: boolean },
  plan: PlannedDeployment,
): string {
  const { counts, previous, problems, irreversible, freezes, approvals, changes, shared, imagesByTag = [] } = plan;
  return [
    `${version} to ${environment}, now ${previous === null ? 'nothing of this repository' : previous.version}`,
    ...(shared === null ? [] : [`  the environment is ${describeShared(shared)}`]),
    ...changes.map(({ service, objects }) => `  ${service}: ${objects} ${objects === 1 ? 'object' : 'objects'} change`),
    `  ${counts.create} are created, ${counts.update} changed, ${counts.delete} deleted, ${counts.none} stay as they are`,
    ...problems.map((problem) => `  ${problem}`),
    ...irreversible.map((each) => `  ${each}`),
    ...describeTags(imagesByTag).map((line) => `  ${line}`),
    ...freezes.map((each) => `  ${each}`),
    ...(approvals === null ? [] : [`  ${approvals.needed} must approve plan ${plan.digest.slice(0, 12)}`]),
    ...backOf(plan, { version, environment, goBack }).map((back) => `Back: ${back}`),
  ].join('\n');
}

/** The command that goes back from a deployment, if there is one. */
function backOf(
  { previous, back }: PlannedDeployment,
  {
    version,
    environment,
    goBack,
  }: { readonly version: string; readonly environment: string; readonly goBack: boolean },
): readonly string[] {
  if (previous === null || previous.version === version) return [];
  if (!goBack) return back === null ? [] : [`longhaul rollback --env ${environment} --to ${back}`];
  // a release from which people went back is deployed again, the commit of a pipeline is not
  return VERSION_FORM.test(previous.version) ? [`longhaul deploy ${previous.version} --env ${environment}`] : [];
}

/** That images can become others, a line; none where all are given by digest. */
function describeTags(images: readonly string[]): readonly string[] {
  return images.length === 0 ? [] : [`images by tag, which can be moved: ${images.join(', ')}`];
}

/** The comment on an issue for a deployment that is rolled back, in Markdown. */
export function describeUndone({
  version,
  environment,
  deployment,
  why,
}: {
  readonly version: string;
  readonly environment: string;
  readonly deployment: string;
  readonly why: string;
}): string {
  // texts of clusters and programs must not end the block
  const quoted = why.replaceAll('```', "'''").split('\n').slice(0, 20).join('\n').slice(0, 2_000);
  return [
    `${version} was rolled back in ${environment}.`,
    `\`\`\`text\n${quoted}\n\`\`\``,
    `\`longhaul deployments show ${shortId(deployment)}\` has its objects and samples.`,
  ].join('\n\n');
}

/** Deployments as a list, the latest first. */
export function describeDeployments(list: readonly DeploymentView[]): string {
  return list
    .map(({ id, version, environment, status, plannedAt, by }) =>
      [shortId(id), environment, version, status, `${plannedAt.slice(0, 16)}Z`, by].join('  '),
    )
    .join('\n');
}

/** A deployment with what it changed and what was measured. */
export function describeDeployment(view: DeploymentView): string {
  const {
    id,
    version,
    environment,
    status,
    why,
    objects,
    samples,
    startedAt,
    endedAt,
    by,
    commit,
    approvedBy,
    shared,
  } = view;
  const bad = samples.filter(({ verdict }) => verdict === 'bad');
  return [
    `${id}: ${version} (${commit.slice(0, 12)}) to ${environment}, by ${by}: ${status}`,
    ...(shared === null ? [] : [`the environment is ${describeShared(shared)}`]),
    ...(why === null ? [] : [why]),
    ...describeReasons(view),
    ...approvedBy.map((person) => `approved by ${person}`),
    ...describeTags(view.imagesByTag),
    ...(startedAt === null ? [] : [`from ${startedAt}${endedAt === null ? '' : ` to ${endedAt}`}`]),
    ...objects.map(({ action, what, state, kept, service, position }) =>
      [
        `  ${position}  ${action} ${what} (${service}): ${state}`,
        ...kept.map((path) => `     ${path} was changed by another, and was left`),
      ].join('\n'),
    ),
    ...(samples.length === 0
      ? []
      : [
          `${countOfSamples(samples.length)}, ${bad.length} bad, ${samples.filter(({ verdict }) => verdict === 'no data').length} without data`,
        ]),
    ...bad.slice(-5).map(({ at, why: said }) => `  ${at}  ${said}`),
  ].join('\n');
}
