import { defineQuery } from '@temporalio/workflow';

/** The state of a flow, such as a `FleetProgress`; also answered after it closed. */
export const progressQuery = defineQuery<unknown>('progress');
