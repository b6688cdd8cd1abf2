import { ApplicationFailure, CancellationScope, isCancellation, log } from '@temporalio/workflow';
import type { AnnounceDeployment } from '../../activities/release/deployment/announce-deployment.ts';
import {
  changeEnvironmentFlow,
  type ChangeEnvironmentInput,
  type DeployReleaseResult,
  type EnvironmentChange,
} from '../../domain/release/flows/deploy-flows.ts';
import type { DeployPlace, PlannedDeployment } from '../../domain/release/deployment/deployment.ts';
import type { Watched } from '../../activities/release/deployment/watch-deployment.ts';
import type { DeploymentInput } from '../../activities/release/environment-changes.ts';
import type { Measured } from '../../domain/release/deployment/watch.ts';
import type { RefusalFacts } from '../../domain/release/acts.ts';
import { ROLLBACK_INCOMPLETE } from '../../domain/shared/repair.ts';
import { logEvent } from '../shared/events.ts';
import { failureOf } from '../shared/failure.ts';
import { passGate, recordClaimsOutsideGates } from '../shared/gate.ts';
import { inLanes } from '../shared/lanes.ts';
import { type Rollback, withRollback } from '../shared/rollback.ts';
import { type FlowStages, stagesOf } from '../shared/stages.ts';
import { takingTurns } from '../shared/turns.ts';
import { act, hasEvent, recordingRefusal } from './act.ts';
import {
  briefCommitActivities,
  changeActivities,
  deployActivities,
  hookActivities,
  lastingChangeActivities,
  lastingLedgerActivities,
  ledgerActivities,
  pipelineActivities,
} from './activities.ts';
import { type DeploymentHooks, hooksOf } from './deployment-hooks.ts';
import { deployServices, runHook } from './deploy-services.ts';

/** What each stage hands on. */
interface Outputs extends Record<string, unknown> {
  readonly plan: PlannedDeployment;
  readonly approval: Approved;
  readonly services: null;
  readonly watch: Watched;
}

/** A plan that may be carried out. */
interface Approved {
  readonly plan: PlannedDeployment;
  /** The people who approved it, as text. */
  readonly approvedBy: readonly string[];
}

/** Services whose manifests are rendered at once. */
const RENDERED_AT_ONCE = 8;
/** Seconds until everything must be healthy again after an undo. */
const HEALTHY_AGAIN_SECONDS = 600;

/**
 * Has the lock of an environment, and changes it: plans, asks people, deploys the services, and watches them. Puts back
 * exactly what was there when anything goes wrong, or when a newer deployment takes its place.
 */
export function changeEnvironment(input: ChangeEnvironmentInput): Promise<DeployReleaseResult> {
  recordClaimsOutsideGates();
  const stages = stagesOf<Outputs>(['plan', 'approval', 'services', 'watch']);
  const replaced = {
    type: 'DeploymentReplaced',
    message: `A newer deployment to ${input?.environment} has taken the place of this one.`,
  };
  const recorded: Recorded = { deployment: null, isStarted: false };
  const work = (): Promise<DeployReleaseResult> =>
    takingTurns(input?.waiting ?? [], replaced, () =>
      recordingFailure(recorded, input, () =>
        withRollback((rollback) =>
          act(changeEnvironmentFlow, input, (given) => change(given, { stages, rollback, recorded })),
        ),
      ),
    );
  // a dry run is no act
  return input?.dryRun === true ? work() : recordingRefusal(changeEnvironmentFlow, input, work);
}

/** The row of the ledger. */
interface Recorded {
  /** Null while there is none. */
  deployment: string | null;
  /** True when the first change may have happened. */
  isStarted: boolean;
  /** The announcement that it is rolled back. */
  telling?: Promise<void>;
}

/** Records how a deployment ended that does not stay, when everything is put back or a person has given up. */
async function recordingFailure<Result>(
  recorded: Recorded,
  input: ChangeEnvironmentInput,
  work: () => Promise<Result>,
): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    const { deployment } = recorded;
    if (deployment === null) throw error;
    const { type, error: message } = failureOf(error);
    await CancellationScope.nonCancellable(() =>
      lastingLedgerActivities.endDeployment.executeWithOptions({ summary: `record: ${type}` }, [
        {
          deployment,
          failed: { isCancelled: isCancellation(error), isIncomplete: type === ROLLBACK_INCOMPLETE },
          why: message,
          by: input.by ?? 'unknown',
        },
      ]),
    );
    await recorded.telling;
    // that it was rolled back has an event, which has the reason
    if (recorded.isStarted && type !== ROLLBACK_INCOMPLETE) hasEvent(error);
    throw error;
  }
}

/** Tells the channels of releases. A channel that does not take it does not hold up the undo. */
function tell(
  { repository, version, environment, by }: EnvironmentChange,
  deployment: string,
  event: AnnounceDeployment['event'],
  why: string,
): Promise<void> {
  return CancellationScope.nonCancellable(async () => {
    try {
      await briefCommitActivities.announceDeployment.executeWithOptions({ summary: `tell: ${event}` }, [
        { deployment, event, repository, version, environment, by, why },
      ]);
    } catch (error) {
      log.warn('A channel was not told.', { deployment, error: failureOf(error).error });
    }
  });
}

/** What a change works with. */
interface Work {
  readonly stages: FlowStages<Outputs>;
  readonly rollback: Rollback;
  readonly recorded: Recorded;
}

async function change(given: EnvironmentChange, { stages, rollback, recorded }: Work): Promise<DeployReleaseResult> {
  const place = await placeOf(given);
  const first = await stages.run('plan', () => makePlan(given, place));
  if (given.dryRun) return { plan: first, isDeployed: false, samples: 0 };
  const { deployment } = first;
  recorded.deployment = deployment;
  const hooks = await hooksOf(given, place);
  const { plan, approvedBy } = await stages.run('approval', () => approve(given, { place, hooks, first }, stages.show));
  const carrying = carryOut(given, { place, hooks, plan, approvedBy }, { stages, rollback, recorded });
  const { samples } = await carrying.catch((error: unknown) => {
    // at once, while everything is put back
    if (recorded.isStarted)
      recorded.telling = tell(given, deployment, 'deployment rolled back', failureOf(error).error);
    throw error;
  });
  // the point of no return: whether it is recorded must be known
  await CancellationScope.nonCancellable(() =>
    lastingLedgerActivities.endDeployment.executeWithOptions({ summary: 'record: it stays' }, [
      { deployment, failed: null, why: null, by: given.by },
    ]),
  );
  rollback.forget();
  recorded.deployment = null;
  const { repository, version, environment } = given;
  logEvent('deployment_done', { repo: repository, version, environment, deployment });
  return { plan, isDeployed: true, samples };
}

/** The environment as the contracts of the commit have it. */
async function placeOf({ repository, packed, environment, services }: EnvironmentChange): Promise<DeployPlace> {
  const { environments } = await pipelineActivities.readEnvironments.executeWithOptions(
    { summary: 'read the environments' },
    [{ repository, packed }],
  );
  const place = environments.find(({ name }) => name === environment);
  if (place === undefined) throw refusal(`${repository} has no environment ${environment}.`);
  if (services === undefined) return place;
  const asked = place.services.filter(({ name }) => services.includes(name));
  // what is not deployed is there already
  const needed = (needs: readonly string[]): string[] => needs.filter((name) => services.includes(name));
  return { ...place, services: asked.map((service) => ({ ...service, needs: needed(service.needs) })) };
}

/** Renders the manifests and plans the deployment. */
async function makePlan(given: EnvironmentChange, place: DeployPlace): Promise<PlannedDeployment> {
  const { repository, packed, contracts, environment, version, by, dryRun } = given;
  const names = place.services.map(({ name }) => name);
  const sealTo = await deployActivities.sealingKey.executeWithOptions({ summary: 'the key of the role deploy' }, []);
  const images = await ledgerActivities.findImages.executeWithOptions({ summary: 'images by digest' }, [
    { repository, tree: packed.tree, contracts, environment, services: names },
  ]);
  const rendered = new Map<string, string>();
  await inLanes(names, RENDERED_AT_ONCE, async (service) => {
    rendered.set(
      service,
      await pipelineActivities.renderManifests.executeWithOptions({ summary: `render ${service}` }, [
        { repository, packed, contracts, environment, service, sealTo },
      ]),
    );
  });
  return changeActivities.planDeployment.executeWithOptions({ summary: 'plan' }, [
    {
      repository,
      version,
      commit: packed.commit,
      packed,
      contracts,
      environment,
      services: names.map((service) => ({ service, manifests: rendered.get(service) ?? '' })),
      images,
      isPartial: given.services !== undefined,
      goBack: given.goBack,
      by,
      isDryRun: dryRun,
    },
  ]);
}

/** Waits for people. A plan that others' changes made another one is asked about again. */
async function approve(
  given: EnvironmentChange,
  {
    place,
    hooks,
    first,
  }: { readonly place: DeployPlace; readonly hooks: DeploymentHooks; readonly first: PlannedDeployment },
  show: (line: string) => void,
): Promise<Approved> {
  const { repository, version, environment, by, overrideFreeze } = given;
  const passed = new Map<string, readonly string[]>();
  const failures = await ledgerActivities.failedDeployments.executeWithOptions({ summary: 'earlier attempts' }, [
    { repository, environment, version },
  ]);
  for (let plan = first; ; plan = await makePlan(given, place)) {
    const lasting = [...plan.irreversible, ...hooks.lasting];
    refuse(given, place, plan, lasting);
    const questions = [
      ...(failures.length >= MOST_FAILURES ? [{ kind: 'attempts', evidence: failures.slice(0, 10) }] : []),
      ...(lasting.length > 0 ? [{ kind: 'irreversible', evidence: lasting }] : []),
      ...(plan.freezes.length > 0
        ? [{ kind: 'freeze', evidence: [...plan.freezes, `because: ${overrideFreeze}`] }]
        : []),
      ...(plan.approvals === null ? [] : [{ kind: 'deployment', evidence: [] }]),
    ];
    const open = questions.find(({ kind }) => !passed.has(`${kind} ${plan.digest}`));
    if (open === undefined) {
      return { plan, approvedBy: questions.flatMap(({ kind }) => passed.get(`${kind} ${plan.digest}`) ?? []) };
    }
    show('waits for people: longhaul inbox');
    const { needed, from, excludeAuthors, deadline, reminderSeconds, escalation } = plan.approvals ?? ONE_PERSON;
    const { create, update, delete: deleted } = plan.counts;
    const verdict = await passGate({
      kind: open.kind,
      subject: `${version} of ${repository} to ${environment}`,
      repository,
      digest: plan.digest,
      requestedBy: by,
      approvals: { needed, from, excludeAuthors },
      ...(deadline === null || open.kind !== 'deployment' ? {} : { deadline }),
      ...(reminderSeconds === null ? {} : { reminderSeconds }),
      ...(escalation === null ? {} : { escalation }),
      evidence: [
        `commit ${given.packed.commit}`,
        `${create} objects are created, ${update} changed, ${deleted} deleted`,
        `difference: longhaul deployments diff ${plan.deployment}`,
        ...open.evidence,
      ],
    });
    if (verdict.status === 'rejected') {
      const why = verdict.decisions.map(({ person, why: reason }) => `${person}: ${reason}`).join('; ');
      throw refusal(
        verdict.reason === 'deadline'
          ? 'No decision was made until the deadline of the approval.'
          : `The ${open.kind === 'deployment' ? 'approval' : open.kind} was rejected: ${why}.`,
      );
    }
    passed.set(
      `${open.kind} ${plan.digest}`,
      verdict.decisions.map(({ person, why }) => `${person}: ${why}`),
    );
  }
}

/** After so many attempts of a release that did not stay, a person is asked before the next one. */
const MOST_FAILURES = 3;

const ONE_PERSON: NonNullable<PlannedDeployment['approvals']> = {
  needed: 1,
  from: [],
  excludeAuthors: [],
  deadline: null,
  reminderSeconds: null,
  escalation: null,
};

/** Refuses a plan before the first change. */
function refuse(
  { overrideFreeze }: EnvironmentChange,
  place: DeployPlace,
  plan: PlannedDeployment,
  lasting: readonly string[],
): void {
  const reasons = [
    ...plan.problems,
    ...(place.irreversible === 'refuse' ? lasting : []),
    ...(overrideFreeze === '' ? plan.freezes : []),
  ];
  if (reasons.length > 0) throw refusal(reasons.join(' '), reasons);
}

/** Changes the cluster, and watches what it does. */
async function carryOut(
  given: EnvironmentChange,
  { place, hooks, plan, approvedBy }: Approved & { readonly place: DeployPlace; readonly hooks: DeploymentHooks },
  { stages, rollback, recorded }: Work,
): Promise<Watched> {
  const { repository, contracts, environment, by, overrideFreeze, version } = given;
  const { deployment, freezes } = plan;
  const target = { repository, contracts, environment, deployment };
  const services = place.services.map(({ name }) => name);
  const baseline = await changeActivities.measureBaseline.executeWithOptions({ summary: 'how long requests take' }, [
    { repository, contracts, environment },
  ]);
  // the last undo of all
  rollback.before('everything is as it was, and healthy', async () => {
    const until = Date.now() + HEALTHY_AGAIN_SECONDS * 1_000;
    const differences = await changeActivities.verifyUndone.executeWithOptions({ summary: 'compare with before' }, [
      { ...target, services, until },
    ]);
    const checked = place.services.filter(({ hasPrograms }) => hasPrograms).map(({ name }) => name);
    if (differences.length === 0 && checked.length > 0) {
      const { failing } = await hookActivities.watchByProgram.executeWithOptions({ summary: 'health by programs' }, [
        { ...target, packed: given.packed, services: checked, until: 0 },
      ]);
      if (failing.length > 0) throw ApplicationFailure.nonRetryable(failing.join(' '), 'UndoFailed');
    }
    if (differences.length > 0) throw ApplicationFailure.nonRetryable(differences.join(' '), 'UndoFailed');
  });
  await ledgerActivities.startDeployment.executeWithOptions({ summary: 'record: the first change comes next' }, [
    { deployment, approvedBy, overrideFreeze: freezes.length > 0 ? overrideFreeze : null, by },
  ]);
  recorded.isStarted = true;
  logEvent('deployment_started', { repo: repository, version, environment, deployment });
  await stages.run('services', async () => {
    const carried = { place, plan, target, hooks: hooks.services, rollback, show: stages.show };
    await deployServices(carried);
    if (plan.deletes) {
      rollback.before('what was deleted', () =>
        changeActivities.undoObjects.executeWithOptions({ summary: 'create again what was deleted' }, [target]),
      );
      await changeActivities.removeObjects.executeWithOptions({ summary: 'delete what the release has not' }, [target]);
    }
    for (const step of hooks.last) await runHook(carried, step);
    return null;
  });
  const seen = await stages.run('watch', () => {
    stages.show(`watched for ${place.watch} s`);
    return watch(given, { place, target, baseline });
  });
  if (seen.breach !== null) throw unhealthy(given, seen.breach);
  if (seen.sawNothing) await keepBlind(given, plan);
  return seen;
}

/** What a watch works with. */
interface Watching {
  readonly place: DeployPlace;
  readonly target: DeploymentInput;
  readonly baseline: Measured;
}

/** Watches by metrics, addresses and readiness, and by programs where the contract has some: the first breach ends both. */
async function watch({ packed }: EnvironmentChange, { place, target, baseline }: Watching): Promise<Watched> {
  const until = Date.now() + place.watch * 1_000;
  const services = place.services.map(({ name }) => name);
  const checked = place.services.filter(({ hasPrograms }) => hasPrograms).map(({ name }) => name);
  const scope = new CancellationScope();
  const endsAll = <Result extends { readonly breach: string | null }>(result: Result): Result => {
    if (result.breach !== null) scope.cancel();
    return result;
  };
  const summary = `watch for ${place.watch} s`;
  const [measured, programs] = await scope.run(() =>
    Promise.allSettled([
      lastingChangeActivities(place.watch)
        .watchDeployment.executeWithOptions({ summary }, [{ ...target, services, baseline, until }])
        .then(endsAll),
      checked.length === 0
        ? { breach: null }
        : hookActivities.watchByProgram
            .executeWithOptions({ summary: `${summary}, by programs` }, [
              { ...target, packed, services: checked, until },
            ])
            .then(endsAll),
    ]),
  );
  const nothing = { breach: null, sawNothing: false, samples: 0 };
  for (const ended of [measured, programs]) {
    if (ended.status === 'fulfilled' && ended.value.breach !== null) {
      return { ...nothing, ...(measured.status === 'fulfilled' ? measured.value : {}), breach: ended.value.breach };
    }
  }
  if (measured.status === 'rejected') throw measured.reason;
  if (programs.status === 'rejected') throw programs.reason;
  return measured.value;
}

/** Asks whether a deployment stays of which the metrics said nothing. */
async function keepBlind(given: EnvironmentChange, { digest, deployment }: PlannedDeployment): Promise<void> {
  const { repository, version, environment, by } = given;
  const verdict = await passGate({
    kind: 'no data',
    subject: `${version} of ${repository} in ${environment}`,
    repository,
    digest,
    requestedBy: by,
    approvals: { needed: 1, from: [] },
    evidence: ['the metrics said nothing during the whole watch', `longhaul deployments show ${deployment}`],
  });
  if (verdict.status === 'rejected') throw unhealthy(given, 'the metrics said nothing, and a person rejected it');
}

function unhealthy({ version, environment }: EnvironmentChange, why: string): ApplicationFailure {
  return ApplicationFailure.nonRetryable(`${version} did not stay in ${environment}: ${why}.`, 'DeploymentUnhealthy');
}

function refusal(message: string, reasons: readonly string[] = [message]): ApplicationFailure {
  const facts: RefusalFacts = { reasons: reasons.slice(0, 100) };
  return ApplicationFailure.create({
    type: 'DeploymentRefused',
    message: message.slice(0, 2_000),
    nonRetryable: true,
    details: [null, facts],
  });
}
