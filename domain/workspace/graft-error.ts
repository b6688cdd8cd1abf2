import { type FailureType, isFailureType, LonghaulError } from '../shared/failures.ts';
import type { AnyJson } from './any-json.ts';

/** The kinds of errors of plans, and what of a command was wrong (docs/workspaces.md#errors). */
export type GraftErrorKind =
  | 'discovery_failed'
  | 'plan_precondition_failed'
  | 'execution_failed'
  | 'rollback_failed'
  | 'drift_detected'
  | 'schema_mismatch'
  | 'plan_invalid_operation'
  | 'plan_target_not_in_workspace';

/** A failure of which programs need to know more than its type: Graft's `{"error":{"details","kind","message"}}`. */
export class GraftError extends LonghaulError {
  /** Names the error in logs. */
  override readonly name = 'GraftError';
  /** What programs branch on. */
  readonly kind: GraftErrorKind;
  /** What the message names, for programs. */
  readonly details: AnyJson;

  constructor(type: FailureType, kind: GraftErrorKind, message: string, details: AnyJson) {
    super(type, message);
    this.kind = kind;
    this.details = details;
  }
}

/** Repositories that a command names and that the workspace does not have. `from` is what says what it has. */
export function notInWorkspace(targets: readonly string[], from: string): GraftError {
  const shown = `[${targets.map((target) => `:${target}`).join(', ')}]`;
  return new GraftError(
    'InvalidInput',
    'plan_target_not_in_workspace',
    `Target app(s) not declared as siblings in ${from}: ${shown}`,
    { targets },
  );
}

const KINDS: Partial<Record<FailureType, GraftErrorKind>> = {
  InvalidInput: 'plan_invalid_operation',
  InvalidConfiguration: 'discovery_failed',
  SourceUnreadable: 'discovery_failed',
  DiscoveryFailed: 'discovery_failed',
  RepositoryNotFound: 'discovery_failed',
  HeadMissing: 'discovery_failed',
  PlanPreconditionFailed: 'plan_precondition_failed',
  NotAllowedHere: 'plan_precondition_failed',
  WorkspaceBusy: 'plan_precondition_failed',
  UndoFailed: 'rollback_failed',
  RollbackIncomplete: 'rollback_failed',
  DriftDetected: 'drift_detected',
  SchemaMismatch: 'schema_mismatch',
};

/** The kind of a failure: `execution_failed` for everything by which the work itself fails. */
export function graftKindOf(type: string): GraftErrorKind {
  return (isFailureType(type) ? KINDS[type] : undefined) ?? 'execution_failed';
}
