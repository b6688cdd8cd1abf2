import { activityInfo } from '@temporalio/activity';
import type {
  EvolutionStart,
  FindEvolution,
  FoundEvolution,
  JudgedEvolution,
  JudgeEvolution,
  StartEvolution,
} from '../../domain/release/evolutions/evolution.ts';
import type { RunPipelineResult } from '../../domain/release/flows/pipeline-flows.ts';
import type { EarlierRun, FindEarlierRun } from '../../domain/release/pipelines/resume.ts';
import { ledgerFailure } from '../ledger/open-ledger.ts';
import { findEvolution } from './evolutions/find-evolution.ts';
import { judgeEvolution } from './evolutions/judge-evolution.ts';
import { openEvolution } from './evolutions/open-evolution.ts';
import type { LedgerTools, RunningFlow } from './ledger-tools.ts';
import { findEarlierRun } from './pipelines/earlier-run.ts';
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

/** Activities of the role `ledger`. Each is one transaction, and does nothing when it is repeated. */
export interface LedgerActivities {
  /** Records a run of a pipeline with its jobs and their attempts. */
  recordRun(input: RecordRunInput): Promise<void>;
  /**
   * What a run that starts from a job keeps of the latest one of the same jobs at the same commit. Throws `InvalidInput`
   * when there is none, or no such job.
   */
  findEarlierRun(input: FindEarlierRun): Promise<EarlierRun>;
  /**
   * Starts an evolution, or records the refusal when a policy is violated. Throws `InvalidConfiguration` for contracts
   * that are wrong, `InvalidInput` for a change or pipeline that they do not have, `GenerationDiffers`.
   */
  startEvolution(input: StartEvolution): Promise<EvolutionStart>;
  /** The pending evolution that a run is to prove; null for none. Throws `InvalidInput` when several could be meant. */
  findEvolution(input: FindEvolution): Promise<FoundEvolution | null>;
  /** Decides by what really ran whether a change is proven, and records it. */
  judgeEvolution(input: JudgeEvolution): Promise<JudgedEvolution>;
}

/** Creates the activities. */
export function createLedgerActivities(tools: LedgerTools): LedgerActivities {
  /** Names the failures of the database. */
  const named = async <Result>(work: () => Promise<Result>): Promise<Result> => {
    try {
      return await work();
    } catch (error) {
      throw ledgerFailure(error, tools.url);
    }
  };
  return {
    recordRun: ({ result, ...rest }) =>
      named(() => recordRun(tools, { ...result, ...rest, workflowId: flow().workflowId } satisfies RecordedRun)),
    findEarlierRun: (input) => named(() => findEarlierRun(tools, input)),
    startEvolution: (input) => named(() => openEvolution(tools, input, flow())),
    findEvolution: (input) => named(() => findEvolution(tools.ledger, input)),
    judgeEvolution: (input) => named(() => judgeEvolution(tools, input, flow())),
  };
}

function flow(): RunningFlow {
  const { workflowExecution } = activityInfo();
  return { workflowId: workflowExecution?.workflowId ?? '', runId: workflowExecution?.runId ?? '' };
}
