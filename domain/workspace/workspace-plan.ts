import { canonicalText, comparedSnapshot } from './canonical-snapshot.ts';
import type { AnyJson } from './any-json.ts';
import type { WorkspaceSnapshot } from './workspace-snapshot.ts';

/** What a plan is for. */
export const PLAN_ACTIONS = ['attach', 'detach', 'repair', 'migrate'] as const;
/** One of {@link PLAN_ACTIONS}. */
export type PlanAction = (typeof PLAN_ACTIONS)[number];

/** The states of a plan, from its making to its end. */
export const PLAN_STATUSES = [
  'draft',
  'planned',
  'verified',
  'executing',
  'committed',
  'rolled_back',
  'failed',
] as const;
/** One of {@link PLAN_STATUSES}. */
export type PlanStatus = (typeof PLAN_STATUSES)[number];

/** What must hold on the machine before the first change. */
export const PRECONDITION_TYPES = [
  'repo_exists',
  'repo_clean',
  'file_unchanged',
  'lock_available',
  'path_free',
  'branch_free',
  'version_fits',
  'capability_available',
  'space_free',
  'no_cycle',
] as const;
/** One of {@link PRECONDITION_TYPES}. */
export type PreconditionType = (typeof PRECONDITION_TYPES)[number];

/** One thing that must hold. */
export interface PlanPrecondition {
  readonly type: PreconditionType;
  /** What it is about: a repository, `REPO/FILE`, `REPO/DEP`, a program, or `.` for the workspace. */
  readonly target: string;
  /** What is expected of it. Paths are relative to the root. */
  readonly expected: AnyJson;
  /** One sentence for people. */
  readonly message: string;
}

/** What a plan does. */
export const OPERATION_TYPES = [
  'attach_repo',
  'detach_repo',
  'create_link',
  'remove_link',
  'rewrite_file',
  'validate_repo',
  'run_command',
] as const;
/** One of {@link OPERATION_TYPES}. */
export type OperationType = (typeof OPERATION_TYPES)[number];

/** One step of a plan. */
export interface PlanOperation {
  /** Its place in the list. */
  readonly index: number;
  readonly type: OperationType;
  /** A repository, or `REPO/DEP` of a link. */
  readonly target: string;
  /** Everything that it needs to know. Paths are relative to the root. */
  readonly params: Readonly<Record<string, AnyJson>>;
  /** The operations of the same list that must have ended before. */
  readonly depends_on: readonly number[];
  readonly status: 'pending' | 'running' | 'done' | 'failed' | 'undone';
  readonly result: AnyJson;
}

/** A way from one state to another, which can be reviewed, kept and applied elsewhere. Keys as in Graft's plans. */
export interface WorkspacePlan {
  /** The first 16 hexadecimal digits of the SHA-256 of {@link planText}. */
  readonly id: string;
  readonly action: PlanAction;
  readonly status: PlanStatus;
  readonly current: WorkspaceSnapshot;
  readonly desired: WorkspaceSnapshot;
  readonly preconditions: readonly PlanPrecondition[];
  readonly operations: readonly PlanOperation[];
  /** What takes the operations back, the last one first. */
  readonly rollback: readonly PlanOperation[];
  /** ISO 8601, in UTC. */
  readonly created_at: string;
  readonly started_at: string | null;
  readonly completed_at: string | null;
  readonly error: AnyJson;
}

/** What a plan consists of, without its id, its state and its times. */
export type PlanContent = Pick<
  WorkspacePlan,
  'action' | 'current' | 'desired' | 'preconditions' | 'operations' | 'rollback'
>;

/** The compared text of a plan: two plans with equal texts do the same to equal states, under any root, at any time. */
export function planText({ action, current, desired, preconditions, operations, rollback }: PlanContent): string {
  return canonicalText({
    action,
    current: comparedSnapshot(current),
    desired: comparedSnapshot(desired),
    preconditions,
    operations: comparedOperations(operations),
    rollback: comparedOperations(rollback),
  });
}

function comparedOperations(list: readonly PlanOperation[]): object[] {
  return list.map(({ index, type, target, params, depends_on }) => ({ index, type, target, params, depends_on }));
}
