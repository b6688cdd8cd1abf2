import { defineQuery } from '@temporalio/workflow';

/** What a flow is doing now, such as a `FleetProgress`; also answered after it closed. */
export const progressQuery = defineQuery<unknown>('progress');
