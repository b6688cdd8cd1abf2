import type { JobEnd } from './schedule.ts';
import type { RuleResult } from '../quality/judge.ts';
import type { RunEvent, RunPlan } from './plan.ts';

/** A commit in the blob store, with everything that a checkout needs. */
export interface PackedCommit {
  readonly commit: string;
  readonly tree: string;
  /** Digest of its pack. */
  readonly pack: string;
  /** Digest of a JSON list of the paths that differ from its first parent. */
  readonly changed: string;
}

/** Asks for the plan of a run. */
export interface PlanPipelineInput {
  readonly repository: string;
  readonly packed: PackedCommit;
  readonly pipeline: string;
  readonly event: RunEvent;
  readonly branch: string | null;
}

/** The plan of a run. */
export interface PlannedRun extends RunPlan {
  /** Digest of the plan with the programs of its jobs. */
  readonly plan: string;
  /** True when one of its jobs has a cache. */
  readonly hasCaches: boolean;
  /** True when it has rules for reports. */
  readonly hasRules: boolean;
  /** The branch whose findings are known; null without a rule for findings. */
  readonly comparedWith: ComparedBranch | null;
}

/** The branch whose findings are known to a run. */
export interface ComparedBranch {
  /** Null for the default branch of the repository. */
  readonly branch: string | null;
}

/** Asks on which protected branch of the remote a commit is. */
export interface PlaceCommit {
  readonly repository: string;
  /** Full oid. */
  readonly commit: string;
  /** The branch that the caller names: the commit must be on it. Null for any protected branch. */
  readonly branch: string | null;
}

/** Where a commit is on the remote. */
export interface PlacedCommit {
  /** A protected branch that contains it; null for none. */
  readonly protectedBy: string | null;
}

/** Asks for the runs whose findings may be known. */
export interface FindBaselines {
  readonly repository: string;
  readonly pipeline: string;
}

/** Asks which of them is on a branch of the remote. */
export interface ChooseBaseline extends ComparedBranch {
  readonly repository: string;
  /** Full oid of the commit of the run that is judged. */
  readonly commit: string;
  /** Commits of passed runs of its pipeline. */
  readonly commits: readonly string[];
}

/** What the findings of a run are compared with. */
export interface Baseline {
  /** The branch; null when the remote has none. */
  readonly branch: string | null;
  /** The newest commit of the branch at which the pipeline has passed; null for none. */
  readonly commit: string | null;
  /** Whether the branch contains the commit of the run that is judged. */
  readonly hasCommit: boolean;
}

/** Asks how the rules of a run ended. */
export interface JudgeQuality {
  readonly repository: string;
  readonly pipeline: string;
  /** Digest of {@link PlannedRun.plan}. */
  readonly plan: string;
  /** Null without a rule for findings. */
  readonly baseline: Baseline | null;
  /** Digests of the reports of its jobs. */
  readonly reports: readonly string[];
  /** The day of the run, UTC: `2026-11-29`. */
  readonly day: string;
}

/** How the rules of a run ended. */
export interface JudgedQuality {
  readonly rules: readonly RuleResult[];
  /** Waivers and quarantined tests, one line each. */
  readonly exceptions: readonly string[];
  /** Digest of a JSON list of the fingerprints of new findings that a waiver lets pass; null when there are none. */
  readonly waived: string | null;
}

/** What the reports of a job say, in short. */
export interface ReportSummary {
  /** Of all of it, as JSON in the blob store. */
  readonly digest: string;
  readonly tests: number;
  readonly failed: number;
  /** Percentage of lines; null without a report of coverage. */
  readonly coverage: number | null;
  readonly findings: number;
}

/** How a job that another one needs has ended. */
export interface NeededJob {
  readonly result: JobEnd;
  readonly outputs: Readonly<Record<string, string>>;
  /** Digest of its artifacts; null when it kept none. */
  readonly artifacts: string | null;
}

/** Files that a job kept, as one archive in the blob store. */
export interface KeptFiles {
  readonly digest: string;
  /** Bytes of the archive. */
  readonly size: number;
  readonly files: number;
}

/** Asks for one attempt of a job. */
export interface RunJobInput {
  readonly repository: string;
  readonly packed: PackedCommit;
  /** Digest of {@link PlannedRun.plan}. */
  readonly plan: string;
  readonly pipeline: string;
  /** Id of the job in the plan. */
  readonly job: string;
  /** From 1; a retry of Temporal after the death of a worker is the same attempt. */
  readonly attempt: number;
  readonly branch: string | null;
  readonly event: RunEvent;
  /** The jobs that it needs, by id. */
  readonly needs: Readonly<Record<string, NeededJob>>;
  /** True for a run of all jobs at a commit that a protected branch of the remote contains. */
  readonly isProtected: boolean;
}

/** A step of a job that has started. */
export interface StepState {
  readonly name: string;
  readonly state: 'running' | 'passed' | 'failed';
  /** By the clock of the worker, ISO 8601; null for a step that has ended. */
  readonly startedAt: string | null;
  /** Null while it runs. */
  readonly durationMs: number | null;
}

/** The heartbeat of a running job. */
export interface JobTail {
  readonly job: string;
  readonly attempt: number;
  /** Characters of its output so far, redacted. */
  readonly written: number;
  /** The last of them. */
  readonly tail: string;
  /** By the clock of the worker, ISO 8601. */
  readonly startedAt: string;
  /** The steps that have started. */
  readonly steps: readonly StepState[];
}

/** A step passes when its program ended by itself with exit code 0. What it printed does not matter. */
export function isPassed({ exitCode, ended }: Pick<StepResult, 'exitCode' | 'ended'>): boolean {
  return exitCode === 0 && ended === null;
}

/** A step that has ended, as it is shown. */
export function stateOfStep(step: Pick<StepResult, 'name' | 'exitCode' | 'ended' | 'durationMs'>): StepState {
  const { name, durationMs } = step;
  return { name, state: isPassed(step) ? 'passed' : 'failed', startedAt: null, durationMs };
}

/** How a step ended; steps after a failed one do not run and are missing. */
export interface StepResult {
  readonly name: string;
  /** Null when a signal or Longhaul ended it. */
  readonly exitCode: number | null;
  readonly signal: string | null;
  /** Why Longhaul ended it, or why it could not start; null when it ended by itself. */
  readonly ended: string | null;
  readonly durationMs: number;
  /** SHA-256 of its command as the file has it. */
  readonly commandDigest: string;
}

/** How an attempt of a job ended. */
export interface JobResult {
  readonly status: 'passed' | 'failed';
  readonly steps: readonly StepResult[];
  /** The declared outputs that the job wrote. */
  readonly outputs: Readonly<Record<string, string>>;
  /** Null when it declares none, or its patterns select no file. */
  readonly artifacts: KeptFiles | null;
  /** Null when it declares none. */
  readonly reports: ReportSummary | null;
  /** Why it failed although its steps passed; null otherwise. */
  readonly problem: string | null;
  /** Digest and size in bytes of its output, redacted. */
  readonly log: { readonly digest: string; readonly size: number };
  /** By the clock of the worker, ISO 8601. */
  readonly startedAt: string;
  readonly durationMs: number;
  /** What isolated its programs: `bubblewrap`, or `none`. */
  readonly sandbox: string;
}
