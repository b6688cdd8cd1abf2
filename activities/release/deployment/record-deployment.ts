import { Readable } from 'node:stream';
import type { DeploymentEnd, ReleasedCommit } from '../../../domain/release/deployment/deployment.ts';
import type { DeploymentReasons } from '../../../domain/release/deployment/reasons.ts';
import { standing } from '../../../domain/release/deployment/standing.ts';
import { arrivalOf } from '../../../domain/release/train/overtaken.ts';
import type { PackedCommit } from '../../../domain/release/pipelines/job.ts';
import { LonghaulError } from '../../../domain/shared/failures.ts';
import { recordEvent, storable } from '../../ledger/audit.ts';
import type { LedgerDatabase, LedgerTransaction } from '../../ledger/open-ledger.ts';
import type { RunningFlow } from '../../ledger/acting-flow.ts';
import type { LedgerTools } from '../ledger-tools.ts';
import { contextsOfDeployment } from './deployment-objects.ts';
import { readDeployment } from './read-deployments.ts';
import { readContracts } from '../contracts/stored-contracts.ts';

/** Names a release. */
export interface ReleaseKey {
  readonly repository: string;
  /** `v1.5.0` */
  readonly version: string;
}

/** The commit of a release. Throws `InvalidInput` for a version that is not promoted. */
export async function findReleased(
  ledger: LedgerDatabase,
  { repository, version }: ReleaseKey,
): Promise<ReleasedCommit> {
  const found = await ledger
    .selectFrom('generations')
    .select(['status', 'commit'])
    .where('repository', '=', repository)
    .where('version', '=', version)
    .executeTakeFirst();
  if (found?.status !== 'promoted' || found.commit === null) {
    const what = found === undefined ? `has no release ${version}` : `has not promoted ${version} yet`;
    throw new LonghaulError(
      'InvalidInput',
      `${repository} ${what}: only a promoted release can be deployed (\`longhaul generation promote ${version}\`).`,
    );
  }
  return { version, commit: found.commit };
}

/** Asks for the images of a release. */
export interface FindImages {
  readonly repository: string;
  /** Oid of the tree of the release. */
  readonly tree: string;
  /** Digest of the contracts. */
  readonly contracts: string;
  readonly environment: string;
  readonly services: readonly string[];
  /** Outputs of jobs of a run that goes on, by job. @default none: those in the ledger */
  readonly outputs?: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

/**
 * The images to deploy by service and name, as jobs handed them over in runs on this tree that passed. Throws
 * `InvalidInput` that names the job and the output which are missing.
 */
export async function findImages(
  { ledger, blobs }: Pick<LedgerTools, 'ledger' | 'blobs'>,
  { repository, tree, contracts, environment: name, services, outputs: given }: FindImages,
): Promise<Readonly<Record<string, Readonly<Record<string, string>>>>> {
  const { environments } = await readContracts(blobs, contracts, repository);
  const environment = environments.find((each) => each.name === name);
  const wanted = services.flatMap((service) =>
    Object.entries(environment?.services[service]?.images ?? {}).map(([image, { job, output }]) => ({
      service,
      image,
      job,
      output,
    })),
  );
  if (wanted.length === 0) return {};
  const jobs =
    given === undefined
      ? await passedJobs(ledger, { repository, tree, jobs: [...new Set(wanted.map(({ job }) => job))] })
      : Object.entries(given).map(([job, outputs]) => ({ job, outputs }));
  const found: Record<string, Record<string, string>> = {};
  for (const { service, image, job, output } of wanted) {
    const value = jobs
      .filter((each) => each.job === job)
      .map(({ outputs }) => outputs[output])
      .find((each) => typeof each === 'string');
    if (typeof value !== 'string') {
      throw new LonghaulError(
        'InvalidInput',
        `The image ${image} of ${service} is not known: no run on the released tree has a job ${job} that passed with the output ${output}.`,
      );
    }
    found[service] = { ...found[service], [image]: value };
  }
  return found;
}

/** Jobs with outputs that passed in runs on a tree that passed, the latest first. */
function passedJobs(
  ledger: LedgerDatabase,
  { repository, tree, jobs }: { readonly repository: string; readonly tree: string; readonly jobs: readonly string[] },
) {
  return ledger
    .selectFrom('pipeline_jobs as j')
    .innerJoin('pipeline_runs as r', 'r.pipeline_run_id', 'j.pipeline_run_id')
    .select(['j.job', 'j.outputs'])
    .where('r.repository', '=', repository)
    .where('r.tree', '=', tree)
    .where('r.status', '=', 'pass')
    .where('j.status', '=', 'pass')
    .where('j.job', 'in', jobs)
    .orderBy('r.completed_at', 'desc')
    .execute();
}

/** An environment of a repository. */
export interface EnvironmentKey {
  readonly repository: string;
  readonly environment: string;
}

/** Why earlier deployments of a release to an environment did not stay, the latest first, since it last stayed there. */
export async function failedDeployments(
  ledger: LedgerDatabase,
  { repository, environment, version }: EnvironmentKey & ReleaseKey,
): Promise<readonly string[]> {
  const rows = await ledger
    .selectFrom('deployments')
    .select(['status', 'why'])
    .where('repository', '=', repository)
    .where('environment', '=', environment)
    .where('version', '=', version)
    .where('status', 'in', ['deployed', 'undone', 'not undone'])
    .orderBy('sequence', 'desc')
    .limit(20)
    .execute();
  const since = rows.findIndex(({ status }) => status === 'deployed');
  return rows.slice(0, since === -1 ? rows.length : since).map(({ why }) => why ?? 'unknown');
}

/** A release that an environment had after another one. */
export interface LaterDeployment {
  readonly version: string;
  readonly packed: PackedCommit;
  readonly contracts: string;
  readonly services: readonly string[];
}

/**
 * The releases that an environment was given upon this one, the latest first: their hooks are taken back to go back to it.
 * Throws `InvalidInput` for a version that is not below its present one.
 */
export async function laterDeployments(
  ledger: LedgerDatabase,
  { repository, environment, version }: EnvironmentKey & ReleaseKey,
): Promise<readonly LaterDeployment[]> {
  const releases = standing(await stayedIn(ledger, { repository, environment }));
  const at = releases.findLastIndex((row) => row.version === version);
  if (at === -1) {
    throw new LonghaulError(
      'InvalidInput',
      `${environment} has no release of ${repository} upon ${version}: deploy it instead.`,
    );
  }
  return releases
    .slice(at + 1)
    .toReversed()
    .map(({ packed, contracts, services, version: later }) => ({
      version: later,
      packed: packed as unknown as PackedCommit,
      contracts,
      services,
    }));
}

/** Digest of the contracts that a release last stayed in an environment with; null when it never did. */
export async function contractsThen(
  ledger: LedgerDatabase,
  { repository, environment, version }: EnvironmentKey & ReleaseKey,
): Promise<string | null> {
  const stayed = await stayedIn(ledger, { repository, environment });
  return stayed.findLast((row) => row.version === version)?.contracts ?? null;
}

/** The deployments to an environment that stayed, with `withOpen` also those at work, the first one first. */
export async function stayedIn(
  ledger: LedgerDatabase,
  { repository, environment }: EnvironmentKey,
  { withOpen = false }: { readonly withOpen?: boolean } = {},
) {
  return ledger
    .selectFrom('deployments')
    .select(['deployment_id', 'version', 'commit', 'packed', 'contracts', 'services', 'goes_back as goesBack'])
    .where('repository', '=', repository)
    .where('environment', '=', environment)
    .where((where) => {
      const stayed = where('status', '=', 'deployed');
      const isOpen = where.and([where('started_at', 'is not', null), where('ended_at', 'is', null)]);
      return withOpen ? where.or([stayed, isOpen]) : stayed;
    })
    .orderBy('sequence')
    .execute();
}

/** The promoted releases of a repository. */
export async function promotedReleases(ledger: LedgerDatabase, repository: string): Promise<readonly ReleasedCommit[]> {
  const rows = await ledger
    .selectFrom('generations')
    .select(['version', 'commit'])
    .where('repository', '=', repository)
    .where('status', '=', 'promoted')
    .execute();
  return rows.flatMap(({ version, commit }) => (commit === null ? [] : [{ version, commit }]));
}

/** Asks about a deployed release that goes on to another environment. */
export interface Soaked {
  /** Id of the deployment that it comes from. */
  readonly deployment: string;
  /** The environment that it goes on to. */
  readonly to: string;
}

/**
 * Why a release that was deployed to an environment may not go on to the next one, the rest of a sentence; null when it
 * may. One that a later release has followed goes on, one from which people went back does not, nor one that people have
 * deployed there meanwhile.
 */
export async function problemOfSoaked(ledger: LedgerDatabase, { deployment, to }: Soaked): Promise<string | null> {
  const row = await ledger
    .selectFrom('deployments')
    .select(['status', 'repository', 'environment', 'version'])
    .where('deployment_id', '=', deployment)
    .executeTakeFirst();
  if (row?.status !== 'deployed') return `the deployment ${deployment} did not stay`;
  // also where people are going back just now
  const all = await stayedIn(ledger, row, { withOpen: true });
  if (standing(all).some(({ version }) => version === row.version)) {
    return problemThere(ledger, { ...row, environment: to });
  }
  const back = all.findLast(({ goesBack }) => goesBack);
  return `${row.environment} went back to ${back?.version} (${back?.deployment_id})`;
}

/** The same for the environment that it goes on to. */
async function problemThere(
  ledger: LedgerDatabase,
  { repository, environment, version }: EnvironmentKey & ReleaseKey,
): Promise<string | null> {
  const there = await stayedIn(ledger, { repository, environment }, { withOpen: true });
  const { isThere, overtaken } = arrivalOf(there, { version, environment });
  return isThere ? `${environment} has ${version} already` : (overtaken?.replace(/\.$/u, '') ?? null);
}

/** A deployment whose first change comes next. */
export interface StartDeployment {
  readonly deployment: string;
  /** Digest of the plan that is carried out. */
  readonly plan: string;
  /** The people who approved it, as text. */
  readonly approvedBy: readonly string[];
  /** Why it is urgent; null for no reason. */
  readonly reason: string | null;
  /** Why it is deployed during a freeze; null outside of one. */
  readonly overrideFreeze: string | null;
  /** The alert for which it goes back; null for one that people started. */
  readonly cause: string | null;
  /** The environments that should have had the release before; empty where that does not matter. */
  readonly earlier: readonly string[];
  readonly by: string;
}

/**
 * Records that a deployment begins to change the environment, and why. Does nothing when that is recorded. Throws
 * `DeploymentRefused` when the ledger has another plan than the one that is carried out.
 */
export async function startDeployment(
  { ledger }: Pick<LedgerTools, 'ledger'>,
  { deployment, plan, approvedBy, reason, overrideFreeze, cause, earlier }: StartDeployment,
  flow: RunningFlow,
): Promise<DeploymentReasons> {
  return ledger.transaction().execute(async (trx) => {
    const row = await lockDeployment(trx, deployment);
    if (row.status !== 'planned') return { reason, overrideFreeze, passedOver: row.passed_over };
    if (row.plan_digest !== plan) {
      throw new LonghaulError(
        'DeploymentRefused',
        `The plan of the deployment ${deployment} was made again: start it again.`,
      );
    }
    const passedOver = await withoutRelease(trx, row, earlier);
    await trx
      .updateTable('deployments')
      .set({
        status: 'deploying',
        started_at: new Date(),
        reason: storable(reason),
        passed_over: JSON.stringify(passedOver),
        override_freeze: storable(overrideFreeze),
        approved_by: JSON.stringify(storable(approvedBy)),
      })
      .where('deployment_id', '=', deployment)
      .execute();
    await recordEvent(trx, {
      ...eventOf(row, flow),
      event_type: 'deployment.started',
      action: 'deploy',
      status: 'success',
      why: overrideFreeze ?? reason,
      details: {
        ...factsOf(row, await contextsOfDeployment(trx, deployment)),
        approvedBy,
        passedOver,
        ...(reason === null ? {} : { reason }),
        ...(overrideFreeze === null ? {} : { overrideFreeze }),
        ...(cause === null ? {} : { cause }),
      },
    });
    return { reason, overrideFreeze, passedOver };
  });
}

/** Those of the environments in which a release has never stayed. */
async function withoutRelease(
  trx: LedgerTransaction,
  { repository, version }: ReleaseKey,
  environments: readonly string[],
): Promise<readonly string[]> {
  if (environments.length === 0) return [];
  const rows = await trx
    .selectFrom('deployments')
    .select('environment')
    .distinct()
    .where('repository', '=', repository)
    .where('version', '=', version)
    .where('status', '=', 'deployed')
    .where('environment', 'in', environments)
    .execute();
  const had = new Set(rows.map(({ environment }) => environment));
  return environments.filter((environment) => !had.has(environment));
}

/** How a deployment ended. */
export interface EndDeployment {
  readonly deployment: string;
  /** Null for one that stays. */
  readonly failed: {
    readonly isCancelled: boolean;
    /** True when a person gave up although not everything was put back. */
    readonly isIncomplete: boolean;
  } | null;
  /** Why it does not stay; null for one that does. */
  readonly why: string | null;
  readonly by: string;
}

/** A deployment of which something could not be undone. */
export interface IncompleteDeployment {
  readonly deployment: string;
  /** What people must do, and what could not be undone. */
  readonly why: string;
}

/** Records that a deployment waits for people to repair what could not be undone. Does nothing when its end is recorded. */
export async function recordIncomplete(
  { ledger }: Pick<LedgerTools, 'ledger'>,
  { deployment, why }: IncompleteDeployment,
): Promise<void> {
  await ledger
    .updateTable('deployments')
    .set({ status: 'not undone', why: storable(why) })
    .where('deployment_id', '=', deployment)
    .where('started_at', 'is not', null)
    .where('ended_at', 'is', null)
    .execute();
}

/** The kind of the evidence of a deployment: all that the ledger has of it, when it has ended. */
const DEPLOYMENT_KIND = 'deployment';

/** Records how a deployment ended, and its evidence. Does nothing when that is recorded. */
export async function endDeployment(
  { ledger, blobs }: Pick<LedgerTools, 'ledger' | 'blobs'>,
  { deployment, failed, why }: EndDeployment,
  flow: RunningFlow,
): Promise<void> {
  await ledger.transaction().execute(async (trx) => {
    const row = await lockDeployment(trx, deployment);
    if (row.ended_at !== null) return;
    const end = endOf(failed, row.started_at !== null);
    await trx
      .updateTable('deployments')
      .set({ status: end, why: storable(why), ended_at: new Date() })
      .where('deployment_id', '=', deployment)
      .execute();
    // what was refused or cancelled before the first change has an event of its flow
    if (row.started_at === null) return;
    const ended = JSON.stringify(await readDeployment(trx, deployment));
    const { digest } = await blobs.put(Readable.from([Buffer.from(ended)]));
    await trx
      .insertInto('evidence')
      .values({
        digest,
        kind: DEPLOYMENT_KIND,
        subject: `deployment ${deployment}`,
        repository: row.repository,
        blob: digest,
      })
      .execute();
    await recordEvent(trx, {
      ...eventOf(row, flow),
      event_type: `deployment.${end.replace(' ', '_')}`,
      action: end === 'deployed' ? 'deploy' : 'roll back',
      status: end === 'deployed' ? 'success' : 'failure',
      why: null,
      details: {
        ...factsOf(row, await contextsOfDeployment(trx, deployment)),
        evidence: digest,
        ...(why === null ? {} : { reason: why }),
      },
    });
  });
}

function endOf(failed: EndDeployment['failed'], isStarted: boolean): DeploymentEnd {
  if (failed === null) return 'deployed';
  if (!isStarted) return failed.isCancelled ? 'cancelled' : 'refused';
  return failed.isIncomplete ? 'not undone' : 'undone';
}

type DeploymentRow = Awaited<ReturnType<typeof lockDeployment>>;

async function lockDeployment(trx: LedgerTransaction, deployment: string) {
  const row = await trx
    .selectFrom('deployments')
    .selectAll()
    .where('deployment_id', '=', deployment)
    .forUpdate()
    .executeTakeFirst();
  if (row === undefined) throw new LonghaulError('InvalidInput', `The ledger has no deployment ${deployment}.`);
  return row;
}

function eventOf(row: DeploymentRow, { workflowId, runId, who }: RunningFlow) {
  return {
    repository: row.repository,
    resource_type: 'environment',
    resource_id: row.environment,
    ...who,
    workflow_id: workflowId,
    run_id: runId,
  };
}

function factsOf(row: DeploymentRow, contexts: readonly string[]) {
  return {
    version: row.version,
    commit: row.commit,
    deployment: row.deployment_id,
    plan: row.plan_digest,
    services: row.services,
    contexts,
    ...(row.shared === null ? {} : { shared: row.shared }),
  };
}
