import { satisfies } from 'semver';
import { CHANGE_TYPES } from '../contracts/change.ts';
import { doesNothing } from '../contracts/empty-step.ts';
import type { DeclaredChange } from '../contracts/generation.schema.ts';
import type { Pipeline } from '../contracts/pipeline.schema.ts';
import type { Policy, PolicyFile } from '../contracts/policy.schema.ts';
import type { MinEvolutions } from '../promotion/gates.ts';

/** A policy that concerns a change, and what of it the change does not keep. */
export interface PolicyCheck {
  readonly policy: string;
  /** Why it concerns the change: the type of the change or, for a policy of a team, its team. */
  readonly appliesTo: string;
  /** A sentence for each missing or empty step, and for a version that the team may not use; empty when all is kept. */
  readonly violations: readonly string[];
}

/** A change that is to be proven, and the pipeline that is to prove it. */
export interface ProofRequest {
  /** Version of the generation: `v1.5.0`. */
  readonly version: string;
  readonly change: Pick<DeclaredChange, 'type' | 'team'>;
  readonly pipeline: Pipeline;
}

/**
 * Checks the policies that concern a change, in the order of their file. Numbers of evolutions are not checked: they are
 * known at the promotion.
 */
export function checkPolicies({ policies }: PolicyFile, request: ProofRequest): PolicyCheck[] {
  return policies
    .filter((policy) => concerns(policy, request))
    .map((policy) => ({
      policy: policy.name,
      appliesTo: policy.team ?? request.change.type,
      violations: [...missingSteps(policy, request), ...wrongVersion(policy, request)],
    }));
}

/** The names of the steps that must pass in the run that proves a change, each once. */
export function requiredSteps({ policies }: PolicyFile, request: Pick<ProofRequest, 'change'>): string[] {
  const found = policies.filter((policy) => concerns(policy, request));
  return [...new Set(found.flatMap(({ required_steps: steps }) => steps))];
}

/**
 * The fewest evolutions that the policies ask for at the promotion of these changes. Of a policy for types of changes or for
 * a team only the evolutions of such changes count, and it asks for nothing where there is none.
 */
export function minEvolutionsOf(
  policies: readonly Policy[],
  changes: readonly Pick<DeclaredChange, 'id' | 'type' | 'team'>[],
): readonly MinEvolutions[] {
  return policies.flatMap(({ name, applies_to: types, team, min_evolutions: least }): MinEvolutions[] => {
    if (least === undefined) return [];
    const isForAll = team === undefined && CHANGE_TYPES.every((type) => types.includes(type));
    if (isForAll) return [{ policy: name, least, changes: null }];
    const meant = changes.filter(
      (change) => types.includes(change.type) && (team === undefined || team === change.team),
    );
    return meant.length === 0 ? [] : [{ policy: name, least, changes: meant.map(({ id }) => id) }];
  });
}

function concerns(
  { applies_to: types, required_steps: steps, team }: Policy,
  { change }: Pick<ProofRequest, 'change'>,
): boolean {
  if (!types.includes(change.type)) return false;
  return team === undefined ? steps.length > 0 : team === change.team;
}

/** A step of a job that may fail proves nothing, nor does one that has nothing to run. */
function missingSteps({ required_steps: steps }: Policy, { pipeline }: ProofRequest): string[] {
  const { name, jobs } = pipeline;
  return steps.flatMap((required) => {
    const found = Object.values(jobs).flatMap((job) =>
      job.steps.filter((step) => step.name === required).map((step) => ({ step, isAllowed: job.allow_failure })),
    );
    const counted = found.filter(({ isAllowed }) => !isAllowed);
    if (found.length === 0) return [`Pipeline '${name}' missing required step: ${required}`];
    if (counted.length === 0) return [`Pipeline '${name}' allows required step to fail: ${required}`];
    if (counted.some(({ step }) => doesNothing(step))) {
      return [`Pipeline '${name}' has nothing to run in required step: ${required}`];
    }
    return [];
  });
}

function wrongVersion({ team, versions }: Policy, { version }: ProofRequest): string[] {
  if (team === undefined || versions === undefined || satisfies(version, versions)) return [];
  return [`Version ${version} is outside the range of ${team}: ${versions}`];
}
