import type { PackedCommit } from '../pipelines/job.ts';
import type { RunPipelineResult } from '../flows/pipeline-flows.ts';
import type { PolicyCheck } from './policy-check.ts';
import type { ProvenStep } from './proof.ts';

/** Asks the ledger to start an evolution: an attempt to prove a change. */
export interface StartEvolution {
  readonly repository: string;
  /** Version of the generation: `v1.5.0`. */
  readonly version: string;
  /** Id of the change. */
  readonly change: string;
  /** @default the one that the contracts name */
  readonly pipeline?: string;
  /** Digest of the stored contracts. */
  readonly contracts: string;
  /** SHA-256 of contracts of the generation, or the beginning of it, that this one was made from. */
  readonly replaces: readonly string[];
  /** The person who starts it. */
  readonly by: string;
}

/** A started evolution, or why it was not started. */
export interface EvolutionStart {
  /** Null when a policy is violated: nothing is written. */
  readonly started: StartedEvolution | null;
  readonly pipeline: string;
  /** SHA-256 of the contract. */
  readonly contract: string;
  /** The policies that concern the change. */
  readonly checks: readonly PolicyCheck[];
}

/** An evolution of the ledger. */
export interface StartedEvolution {
  readonly id: string;
  /** Tag of the release candidate: `v1.5.0-rc.1`. */
  readonly tag: string;
  readonly rc: number;
}

/** Asks for the pending evolution that a run is to prove. */
export interface FindEvolution {
  readonly repository: string;
  /** The commit that is run: full oid. */
  readonly commit: string;
  /** The tag of the evolution, if the person named one. */
  readonly tag: string | null;
  /** Ids of changes in brackets in the message of the commit. */
  readonly named: readonly string[];
  /** The person who runs the pipeline. */
  readonly by: string;
}

/** A pending evolution. */
export interface FoundEvolution extends StartedEvolution {
  readonly version: string;
  readonly change: string;
}

/** Asks for the evolutions that a pipeline has proven at a commit. */
export interface ProvenAt {
  readonly repository: string;
  readonly pipeline: string;
  /** Full oid. */
  readonly commit: string;
}

/** An evolution that passed, of a generation that is not promoted. */
export interface ProvenEvolution {
  /** `v1.5.0-rc.1` */
  readonly tag: string;
  readonly change: string;
  readonly version: string;
  /** When it passed, ISO 8601: the date of its tag. */
  readonly at: string;
}

/** A pending evolution, and the pipeline that is to prove it. */
export interface PendingEvolution extends Pick<FoundEvolution, 'tag' | 'change' | 'version'> {
  readonly pipeline: string;
}

/** Asks for the verdict on an evolution, after its pipeline has run. */
export interface JudgeEvolution {
  readonly evolution: FoundEvolution;
  readonly result: RunPipelineResult;
  /** Digest of the contracts as the commit has them. */
  readonly contracts: string;
  /** Tags of the failures of the same change that were looked at. */
  readonly considered: readonly string[];
  /** Those of them that a pass supersedes. */
  readonly supersedes: readonly string[];
  readonly by: string;
}

/** An earlier evolution of a change that failed. */
export interface FailedAttempt {
  readonly tag: string;
  /** Null for one that was imported. */
  readonly commit: string | null;
}

/** Asks to end an evolution without a verdict. */
export interface AbandonEvolution {
  readonly repository: string;
  /** `v1.5.0-rc.1` */
  readonly tag: string;
  readonly why: string;
  readonly by: string;
}

/** A verdict. */
export interface JudgedEvolution {
  readonly status: 'pass' | 'fail';
  /** Why it failed, a sentence each; empty for a pass. */
  readonly reasons: readonly string[];
  readonly steps: readonly ProvenStep[];
  /** When it was decided, ISO 8601: the date of the tag. */
  readonly at: string;
}

/** Asks which commits of a push name changes. */
export interface FindNamedCommits {
  readonly repository: string;
  /** The pushed commit. */
  readonly packed: PackedCommit;
  /** Where the branch was before, a full oid; null when it is new. */
  readonly before: string | null;
  /** Ids of the changes that are looked for. */
  readonly changes: readonly string[];
}

/** A commit of a push that names a change: the newest one. */
export interface NamedCommit {
  readonly change: string;
  /** Full oid. */
  readonly commit: string;
}
