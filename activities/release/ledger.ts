import type {
  AbandonEvolution,
  EvolutionStart,
  FailedAttempt,
  FindEvolution,
  FoundEvolution,
  JudgedEvolution,
  JudgeEvolution,
  PendingEvolution,
  ProvenAt,
  ProvenEvolution,
  StartEvolution,
} from '../../domain/release/evolutions/evolution.ts';
import type { RunPipelineResult } from '../../domain/release/flows/pipeline-flows.ts';
import type {
  CheckPromotion,
  CommitPromotion,
  PreparedPromotion,
  PreparePromotion,
  Promoted,
  PromotionReport,
  ReleaseCommit,
} from '../../domain/release/promotion/promotion.ts';
import type { RecoveryFacts } from '../../domain/release/promotion/recovery.ts';
import type { DuePart } from '../../domain/release/promotion/publication.ts';
import type {
  AwaitHotfix,
  Backport,
  HotfixContract,
  HotfixKey,
  HotfixState,
  OpenHotfix,
  PlanBackports,
  PlanHotfix,
} from '../../domain/release/promotion/hotfix-steps.ts';
import type { EarlierRun, FindEarlierRun } from '../../domain/release/pipelines/resume.ts';
import type { TrainArrival } from '../../domain/release/train/overtaken.ts';
import type { PlanTrain, TrainPlan, TrainState } from '../../domain/release/train/train.ts';
import type { AnchorAuditResult } from '../../domain/release/flows/anchor-flow.ts';
import { recordAnchor } from '../ledger/anchors.ts';
import { ledgerFailure } from '../ledger/ledger-failure.ts';
import { actingFlow } from '../ledger/acting-flow.ts';
import { heartbeating } from '../shared/heartbeating.ts';
import { runningFlow } from '../shared/running-flow.ts';
import { type JudgeAlerts, type JudgedAlerts, judgeAlertsOf } from './deployment/judge-alerts.ts';
import { type RecordCanary, recordCanary } from './deployment/record-canary.ts';
import {
  type EndDeployment,
  endDeployment,
  type IncompleteDeployment,
  recordIncomplete,
  type StartDeployment,
  startDeployment,
} from './deployment/record-deployment.ts';
import { type FindImages, findImages, findReleased, type ReleaseKey } from './deployment/released.ts';
import {
  type EnvironmentKey,
  failedDeployments,
  type LaterDeployment,
  contractsThen,
  laterDeployments,
  problemOfSoaked,
  type Soaked,
} from './deployment/stayed.ts';
import type { DeploymentReasons } from '../../domain/release/deployment/reasons.ts';
import type { ReleasedCommit } from '../../domain/release/deployment/deployment.ts';
import { endEvolution } from './evolutions/abandon-evolution.ts';
import { findEvolution, pendingEvolutions, provenEvolutions } from './evolutions/find-evolution.ts';
import { judgeEvolution } from './evolutions/judge-evolution.ts';
import { openEvolution } from './evolutions/open-evolution.ts';
import { type RenameGeneration, renameInLedger } from './evolutions/rename-generation.ts';
import { failedAttempts } from './evolutions/supersede.ts';
import type { RunningFlow } from '../ledger/acting-flow.ts';
import type { LedgerTools } from './ledger-tools.ts';
import { checkPromotion } from './promotion/check-promotion.ts';
import { openHotfix, planHotfix } from './promotion/hotfix.ts';
import { awaitHotfix, findHotfix } from './promotion/hotfix-state.ts';
import { planBackports } from './promotion/plan-backports.ts';
import { commitPromotion } from './promotion/commit-promotion.ts';
import { lastProvenCommit } from './promotion/generation-facts.ts';
import { duePublications, recordPart, type RecordPart } from './promotion/publications.ts';
import { preparePromotion } from './promotion/prepare-promotion.ts';
import { type PreparedTag, prepareTag } from './promotion/prepare-tag.ts';
import { type BadRelease, recordRecovery, type RecordRecovery, recoveryFacts } from './promotion/recovery.ts';
import { type Publication, recordPublication } from './promotion/record-publication.ts';
import { planTrain } from './train/plan-train.ts';
import { readArrival } from './train/read-arrival.ts';
import { readTrain, type ScheduleTrain, setTrainSchedule } from './train/read-train.ts';
import type { TrainSchedules } from './train/train-schedule.ts';
import { recordTrain, type RecordTrain } from './train/record-train.ts';
import { takeBackPromotion, type WithdrawGeneration, type Withdrawn } from './promotion/withdraw-generation.ts';
import { findEarlierRun } from './pipelines/earlier-run.ts';
import { findBaselines } from './pipelines/baseline.ts';
import { judgeReports } from './pipelines/run-reports.ts';
import type { FindBaselines, JudgedQuality, JudgeQuality } from '../../domain/release/pipelines/job.ts';
import { recordRun, type RecordedRun } from './pipelines/record-run.ts';

/** A run of a pipeline to record. */
export interface RecordRunInput {
  readonly result: RunPipelineResult;
  readonly branch: string | null;
  readonly event: string;
  /** ISO 8601. */
  readonly startedAt: string;
  readonly by: string;
}

/** Activities of the role `ledger`. Each but `awaitHotfix` is one transaction, and does nothing when it is repeated. */
export interface LedgerActivities {
  /** Records the end of the audit trail in the blob store. */
  anchorAudit(): Promise<AnchorAuditResult>;
  /** Records a run of a pipeline with its jobs and their attempts. */
  recordRun(input: RecordRunInput): Promise<void>;
  /** Commits at which a pipeline has passed with a report of findings, that of the latest run first. */
  findBaselines(input: FindBaselines): Promise<readonly string[]>;
  /** Judges the rules of a pipeline by the reports of a run. */
  judgeQuality(input: JudgeQuality): Promise<JudgedQuality>;
  /**
   * What a run that starts from a job keeps of the latest one of the same jobs at the same commit. Throws `InvalidInput`
   * when there is none, or no such job.
   */
  findEarlierRun(input: FindEarlierRun): Promise<EarlierRun>;
  /**
   * Starts an evolution. When a policy is violated it writes nothing; the flow records the refusal. Throws
   * `InvalidConfiguration` for contracts that are wrong, `InvalidInput` for a change or pipeline that they do not have, `GenerationDiffers`.
   */
  startEvolution(input: StartEvolution): Promise<EvolutionStart>;
  /** The pending evolution that a run is to prove; null for none. Throws `InvalidInput` when several could be meant. */
  findEvolution(input: FindEvolution): Promise<FoundEvolution | null>;
  /** The pending evolutions of a repository, the oldest first. */
  pendingEvolutions(input: { readonly repository: string }): Promise<readonly PendingEvolution[]>;
  /** The evolutions that a pipeline has proven at a commit, whose tags the remote is to have. */
  provenEvolutions(input: ProvenAt): Promise<readonly ProvenEvolution[]>;
  /** The failed evolutions of the same change that nothing supersedes yet, the latest first. */
  failedAttempts(input: FoundEvolution): Promise<readonly FailedAttempt[]>;
  /** Ends a pending evolution without a verdict. Throws `InvalidInput`, `EvolutionEnded`. */
  abandonEvolution(input: AbandonEvolution): Promise<void>;
  /**
   * Decides by what really ran whether a change is proven, and records it. Null, and nothing is recorded, when the change
   * would pass and has failures that were not looked at.
   */
  judgeEvolution(input: JudgeEvolution): Promise<JudgedEvolution | null>;
  /**
   * Makes the ledger's generation that of the commit, and says what its promotion depends on. Throws `InvalidInput` for
   * a generation that the commit does not have, or that is promoted at another commit; `GenerationDiffers`.
   */
  preparePromotion(input: PreparePromotion): Promise<PreparedPromotion>;
  /** Evaluates all gates of a promotion. Changes nothing. */
  checkPromotion(input: CheckPromotion): Promise<PromotionReport>;
  /**
   * What the final tag is made of, recorded before it is pushed. Keeps the rows of the generation as evidence. Throws
   * `InvalidInput`, and `PromotionRefused` for a generation that another run has promoted at another commit.
   */
  prepareTag(input: Pick<ReleaseCommit, 'repository' | 'version' | 'packed'>): Promise<PreparedTag>;
  /**
   * Promotes a generation whose tag is pushed, if the gates of the ledger are still open. Throws `PromotionRefused`, and
   * has then changed nothing.
   */
  commitPromotion(input: CommitPromotion): Promise<Promoted>;
  /** The parts of a promoted release that are not published yet. Throws `InvalidInput`. */
  duePublications(input: { readonly repository: string; readonly version: string }): Promise<readonly DuePart[]>;
  /** Records how an attempt to publish one of them ended. */
  recordPart(input: RecordPart): Promise<void>;
  /** Records what was published after a promotion; a repetition only records what is new. */
  recordPublication(input: Publication): Promise<void>;
  /** The next free patch version of a release, and its contract. Changes nothing. Throws `GenerationDiffers`. */
  planHotfix(input: PlanHotfix): Promise<HotfixContract>;
  /** The open generations that a promoted hotfix is to be offered to. Changes nothing. Throws `InvalidConfiguration`. */
  planBackports(input: PlanBackports): Promise<readonly Backport[]>;
  /** Opens the generation of a hotfix whose branch is pushed, and returns its id. Throws `GenerationDiffers`. */
  openHotfix(input: OpenHotfix): Promise<{ readonly generation: string }>;
  /** A hotfix with its evolutions; null when the ledger has none. Throws `InvalidInput` for a version that is no hotfix. */
  findHotfix(input: HotfixKey): Promise<HotfixState | null>;
  /** The state of a hotfix when it has changed; the one that was seen when it has not for an hour. */
  awaitHotfix(input: AwaitHotfix): Promise<HotfixState>;
  /** The commit of the latest proof of a generation; null for none. */
  lastProvenCommit(input: Pick<ReleaseCommit, 'repository' | 'version'>): Promise<string | null>;
  /**
   * Gives a draft without evolutions another version, and its contract. Throws `InvalidInput`, `InvalidConfiguration`;
   * `GenerationDiffers` for a generation that keeps its version, and for a version that the ledger has.
   */
  renameGeneration(input: RenameGeneration): Promise<void>;
  /** The commit of a release. Throws `InvalidInput` for a version that is not promoted. */
  findReleased(input: ReleaseKey): Promise<ReleasedCommit>;
  /** The images of a release, as jobs handed them over. Throws `InvalidInput` that names what is missing. */
  findImages(input: FindImages): Promise<Readonly<Record<string, Readonly<Record<string, string>>>>>;
  /** Why earlier deployments of a release to an environment did not stay, since it last stayed there. */
  failedDeployments(input: EnvironmentKey & ReleaseKey): Promise<readonly string[]>;
  /** What stayed in an environment since it last had this version, the latest first. Throws `InvalidInput`. */
  laterDeployments(input: EnvironmentKey & ReleaseKey): Promise<readonly LaterDeployment[]>;
  /** Digest of the contracts that a release last stayed in an environment with; null when it never did. */
  contractsThen(input: EnvironmentKey & ReleaseKey): Promise<string | null>;
  /** Why a deployed release may not go on to the next environment, the rest of a sentence; null when it may. */
  problemOfSoaked(input: Soaked): Promise<string | null>;
  /** Records that a deployment begins to change its environment, and why; returns the environments that it passes over, too. */
  startDeployment(input: StartDeployment): Promise<DeploymentReasons>;
  /** Records that a deployment waits for people to repair what could not be undone. */
  recordIncomplete(input: IncompleteDeployment): Promise<void>;
  /** Records how a deployment ended. */
  endDeployment(input: EndDeployment): Promise<void>;
  /** What alerts about an environment lead to. Each leads to something once. Throws `InvalidConfiguration`. */
  judgeAlerts(input: JudgeAlerts): Promise<JudgedAlerts>;
  /** What is on the train of a repository, and when it leaves. Throws `InvalidInput` for a repository without a train. */
  planTrain(input: PlanTrain): Promise<TrainPlan>;
  /** The schedule of a train, the one that is under way, and what the last one did. */
  readTrain(input: { readonly repository: string; readonly contracts: string }): Promise<TrainState>;
  /** Creates, changes or deletes the schedule of a train. */
  scheduleTrain(input: ScheduleTrain): Promise<void>;
  /** Records something that a train did, once for each departure. */
  recordTrain(input: RecordTrain): Promise<void>;
  /** What an environment has of the release that a train is to deploy. */
  readArrival(input: EnvironmentKey & ReleaseKey): Promise<TrainArrival>;
  /** Records what a person told a canary. */
  recordCanary(input: RecordCanary): Promise<void>;
  /** What a recovery from a bad release begins with. Throws `InvalidInput` for a generation that was never promoted. */
  recoveryFacts(input: BadRelease): Promise<RecoveryFacts>;
  /** Records what was decided about a bad release. */
  recordRecovery(input: RecordRecovery): Promise<void>;
  /** Makes a promoted generation a draft again. Throws `InvalidInput`. */
  withdrawGeneration(input: WithdrawGeneration): Promise<Withdrawn>;
}

/** Creates the activities. */
export function createLedgerActivities(tools: LedgerTools, trains: TrainSchedules): LedgerActivities {
  /** Names the failures of the database. */
  const named = async <Result>(work: () => Promise<Result>): Promise<Result> => {
    try {
      return await work();
    } catch (error) {
      throw ledgerFailure(error, tools.url);
    }
  };
  const flow = (by: string): Promise<RunningFlow> => actingFlow(tools.ledger, by);
  return {
    recordRun: ({ result, ...rest }) =>
      named(async () => recordRun(tools, { ...result, ...rest } satisfies RecordedRun, await flow(rest.by))),
    findBaselines: (input) => named(() => findBaselines(tools.ledger, input)),
    judgeQuality: (input) => named(() => judgeReports(tools, input)),
    findEarlierRun: (input) => named(() => findEarlierRun(tools, input)),
    startEvolution: (input) => named(async () => openEvolution(tools, input, await flow(input.by))),
    findEvolution: (input) => named(() => findEvolution(tools.ledger, input)),
    pendingEvolutions: ({ repository }) => named(() => pendingEvolutions(tools.ledger, repository)),
    provenEvolutions: (input) => named(() => provenEvolutions(tools.ledger, input)),
    failedAttempts: (input) => named(() => failedAttempts(tools.ledger, input)),
    abandonEvolution: (input) => named(async () => endEvolution(tools, input, await flow(input.by))),
    judgeEvolution: (input) => named(async () => judgeEvolution(tools, input, await flow(input.by))),
    preparePromotion: (input) => named(() => preparePromotion(tools, input)),
    checkPromotion: (input) => named(() => checkPromotion(tools, input)),
    anchorAudit: () =>
      named(async () => {
        const anchor = await recordAnchor(tools.ledger, tools.blobs);
        return { event: anchor?.event_id ?? 0, place: anchor?.place ?? null };
      }),
    findReleased: (input) => named(() => findReleased(tools.ledger, input)),
    findImages: (input) => named(() => findImages(tools, input)),
    failedDeployments: (input) => named(() => failedDeployments(tools.ledger, input)),
    laterDeployments: (input) => named(() => laterDeployments(tools.ledger, input)),
    contractsThen: (input) => named(() => contractsThen(tools.ledger, input)),
    problemOfSoaked: (input) => named(() => problemOfSoaked(tools.ledger, input)),
    startDeployment: (input) => named(async () => startDeployment(tools, input, await flow(input.by))),
    recordIncomplete: (input) => named(() => recordIncomplete(tools, input)),
    endDeployment: (input) => named(async () => endDeployment(tools, input, await flow(input.by))),
    judgeAlerts: (input) => named(async () => judgeAlertsOf(tools, input, await flow(input.by))),
    recordCanary: (input) => named(() => recordCanary(tools, input, runningFlow())),
    prepareTag: (input) => named(() => prepareTag(tools, input)),
    commitPromotion: (input) => named(async () => commitPromotion(tools, input, await flow(input.by))),
    duePublications: (input) => named(() => duePublications(tools.ledger, input, tools.announce)),
    recordPart: (input) => named(() => recordPart(tools.ledger, input)),
    recordPublication: (input) => named(async () => recordPublication(tools, input, await flow(input.by))),
    planHotfix: (input) => named(() => planHotfix(tools, input)),
    planBackports: (input) => named(() => planBackports(tools, input)),
    openHotfix: (input) => named(async () => openHotfix(tools, input, await flow(input.by))),
    findHotfix: (input) => named(() => findHotfix(tools.ledger, input)),
    awaitHotfix: (input) => heartbeating((signal) => named(() => awaitHotfix(tools.ledger, input, signal))),
    lastProvenCommit: (input) => named(() => lastProvenCommit(tools.ledger, input)),
    renameGeneration: (input) => named(async () => renameInLedger(tools, input, await flow(input.by))),
    planTrain: (input) => named(() => planTrain(tools, input)),
    readTrain: (input) => named(() => readTrain({ ...tools, trains }, input)),
    scheduleTrain: (input) => named(async () => setTrainSchedule({ ...tools, trains }, input, await flow(input.by))),
    recordTrain: (input) => named(async () => recordTrain(tools, input, await flow(input.by))),
    readArrival: (input) => named(() => readArrival(tools.ledger, input)),
    recoveryFacts: (input) => named(() => recoveryFacts(tools.ledger, input)),
    recordRecovery: (input) => named(async () => recordRecovery(tools, input, await flow(input.by))),
    withdrawGeneration: (input) => named(async () => takeBackPromotion(tools, input, await flow(input.by))),
  };
}
