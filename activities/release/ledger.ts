import { activityInfo } from '@temporalio/activity';
import { sql } from 'kysely';
import type {
  EvolutionStart,
  FindEvolution,
  FoundEvolution,
  JudgedEvolution,
  JudgeEvolution,
  StartEvolution,
} from '../../domain/release/evolutions/evolution.ts';
import type { RunPipelineResult } from '../../domain/release/flows/pipeline-flows.ts';
import type { LedgerDatabase } from '../ledger/open-ledger.ts';
import { findEvolution } from './evolutions/find-evolution.ts';
import { judgeEvolution } from './evolutions/judge-evolution.ts';
import { startEvolution } from './evolutions/start-evolution.ts';
import type { LedgerTools, RunningFlow } from './ledger-tools.ts';
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
  const flow = (): RunningFlow => {
    const { workflowExecution } = activityInfo();
    return { workflowId: workflowExecution?.workflowId ?? '', runId: workflowExecution?.runId ?? '' };
  };
  return {
    recordRun: ({ result, ...rest }) => recordRun(tools.ledger, { ...result, ...rest, workflowId: flow().workflowId } satisfies RecordedRun),
    startEvolution: (input) => startEvolution(tools, input, flow()),
    findEvolution: (input) => findEvolution(tools.ledger, input),
    judgeEvolution: (input) => judgeEvolution(tools, input, flow()),
  };
}

/** Checks that the ledger answers. */
export async function checkLedger(ledger: LedgerDatabase): Promise<void> {
  await sql`SELECT 1`.execute(ledger);
}
