import { v5 } from 'uuid';
import { canonicalText, comparedSnapshot, orderSnapshot } from '../../domain/workspace/canonical-snapshot.ts';
import { LonghaulError } from '../../domain/shared/failures.ts';
import { type PlanContent, planText, type WorkspacePlan } from '../../domain/workspace/workspace-plan.ts';
import type { SnapshotContent, WorkspaceSnapshot } from '../../domain/workspace/workspace-snapshot.ts';
import { sha256 } from '../../platform/sha256.ts';

/** The namespace of ids of snapshots (RFC 9562): it never changes. */
const SNAPSHOTS = '0f6a1c52-2c1b-4d0e-9a55-6f6b3d1f7c10';

/** A snapshot with its lists in order and its id. Equal states have equal ids, on any machine. */
export function identifySnapshot(content: SnapshotContent): WorkspaceSnapshot {
  // last: the content may have the id of the state that it was made from
  return { ...orderSnapshot(content), id: v5(canonicalText(comparedSnapshot(content)), SNAPSHOTS) };
}

/**
 * A plan with its id, made at this moment (ISO 8601). The content may be a whole plan: throws `InvalidInput` when that has
 * another id, so that it was changed after it was made.
 */
export function identifyPlan(content: PlanContent & Partial<WorkspacePlan>, createdAt: string): WorkspacePlan {
  const { id: known, action, current, desired, preconditions, operations, rollback } = content;
  const id = sha256(planText(content)).slice(0, 16);
  if (known !== undefined && known !== id)
    throw new LonghaulError('InvalidInput', `The plan ${known} was edited after it was made: make a new one.`);
  return {
    id,
    action,
    current,
    desired,
    preconditions,
    operations,
    rollback,
    status: 'planned',
    created_at: createdAt,
    started_at: null,
    completed_at: null,
    error: null,
  };
}
