import { isBranchName } from '../../git/branch.ts';
import { isRepositoryId, NOT_A_REPOSITORY_ID, repositoryName } from '../../git/repository.ts';
import { CHANGE_ID } from '../contracts/change.ts';
import type { Busy, Zod } from '../../shared/flow.ts';
import { digest, personName } from '../../shared/request.ts';

/** The id of a commit. */
export function oid(z: Zod) {
  return z.string().regex(/^(?:[0-9a-f]{40}|[0-9a-f]{64})$/, 'must be the full id of a commit');
}

/** The id of a change. */
export function changeId(z: Zod) {
  return z.string().regex(CHANGE_ID, 'must be the id of a change, such as CRIT-500');
}

/** A title. */
export function oneLine(z: Zod) {
  return z
    .string()
    .min(1)
    .max(200)
    .regex(/^[^\r\n]*$/, 'must be one line');
}

/** The name of an environment. */
export function environmentName(z: Zod) {
  return z.string().regex(/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/, 'must be the name of an environment');
}

/** The name of a pipeline. */
export function pipelineName(z: Zod) {
  return z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,79}$/, 'must be the name of a pipeline');
}

/** The id of a job in a plan: its name, and the values of its matrix. */
export function jobName(z: Zod) {
  return z.string().min(1).max(1_000);
}

/** A commit in the blob store. */
export function packedCommit(z: Zod) {
  return z.strictObject({ commit: oid(z), tree: oid(z), pack: digest(z), changed: digest(z) });
}

/** Contracts of the ledger that a given one was made from. */
export function replacedContracts(z: Zod) {
  return z
    .array(z.string().regex(/^[0-9a-f]{12,64}$/, 'must be at least 12 digits of a SHA-256'))
    .max(200)
    .default([]);
}

/** The fields of a run of a pipeline at a commit. */
export function runFields(z: Zod) {
  return {
    repository: z.string().refine(isRepositoryId, NOT_A_REPOSITORY_ID),
    pipeline: pipelineName(z),
    commit: oid(z).optional(),
    branch: z.string().refine(isBranchName, 'must be the name of a branch').optional(),
    by: personName(z),
  };
}

/** A run of a pipeline at a commit, or at the head of a branch. */
interface PipelineRun {
  readonly repository: string;
  readonly pipeline: string;
  readonly commit?: string;
  readonly branch?: string;
}

/** False for a packed commit that is another one than `commit`: the run's id would name the wrong one. */
export function isOfOneCommit({
  commit,
  packed,
}: {
  readonly commit?: string | undefined;
  readonly packed?: { readonly commit: string } | undefined;
}): boolean {
  return packed === undefined || packed.commit === commit;
}

/** The message for {@link isOfOneCommit}. */
export const NOT_OF_ONE_COMMIT = { message: 'must be the commit of "packed"', path: ['commit'] };

/** What a run works on, as a part of its workflow id. */
export function runKey({ repository, pipeline, commit, branch }: PipelineRun): string {
  return `${repository}/${pipeline}/${commit ?? branch ?? 'HEAD'}`;
}

/** Another run works on the same commit. */
export function pipelineBusy({ repository, pipeline }: PipelineRun): Busy {
  const message = `Another run of ${pipeline} of ${repositoryName(repository)} is working on this commit in another way.`;
  return { type: 'PipelineBusy', message };
}

/** One line about a run for the Temporal UI. */
export function runSummary({ repository, pipeline, commit, branch }: PipelineRun): string {
  const at = commit?.slice(0, 12) ?? branch ?? 'HEAD';
  return `run ${pipeline} of ${repositoryName(repository)} at ${at}`.slice(0, 200);
}
