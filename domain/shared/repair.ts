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
  /** Why, for the record. */
  readonly why?: string;
}

/** The updates of a flow that can be rolled back (`workflows/shared/rollback.ts`). */
export const rollbackUpdates = {
  repair: (z: Zod) => z.strictObject({ proceed: z.boolean(), why: z.string().min(1).max(1_000).optional() }),
};

/** The type of the failure of a flow that a person ended although not everything was undone. */
export const ROLLBACK_INCOMPLETE = 'RollbackIncomplete';

/** What such a failure carries as its first detail. */
export interface IncompleteRollback {
  /** What is left. */
  readonly undos: readonly FailedUndo[];
  /** Who gave up: a name that proves nothing. @default 'unknown' */
  readonly by?: string;
  /** The reason of the person. @default none */
  readonly why?: string;
}
