import { defineQuery, defineUpdate } from '@temporalio/workflow';
/** What a fleet flow is doing now; also answered after it closed. */
export const progressQuery = defineQuery('progress');
/** Answers `Proceed with initial indexing?`; refused when nobody asked. */
export const confirmUpdate = defineUpdate('confirm');
//# sourceMappingURL=messages.js.map