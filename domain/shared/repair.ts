import type { Zod } from './flow.ts';

/** An undo that failed. */
export interface FailedUndo {
  /** What it was to undo: `remove the tag v1.5.0`. */
  readonly undo: string;
  /** One of the types of `FAILURES`, or `Unexpected`. */
  readonly type: string;
  /** One sentence. */
  readonly error: string;
}

/** A person's decision about undos that failed, the argument of the update `repair`. */
export interface Repair {
  /** True tries them again; false ends the flow as it is, with the failure `RollbackIncomplete`. */
  readonly proceed: boolean;
  /** Who decided, for the record. */
  readonly by?: string;
}

/** The updates of a flow that can be rolled back (`workflows/shared/rollback.ts`). */
export const rollbackUpdates = { repair: (z: Zod) => z.strictObject({ proceed: z.boolean() }) };
