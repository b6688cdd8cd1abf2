/**
 * The states of a plan that is applied, in their order: `committed`, `rolled_back` and `failed` are its ends. The audit
 * trail has each of them as `workspace.<state>`.
 */
export const APPLY_STATES = ['planned', 'verified', 'executing', 'committed', 'rolled_back', 'failed'] as const;
/** One of {@link APPLY_STATES}. */
export type ApplyState = (typeof APPLY_STATES)[number];
