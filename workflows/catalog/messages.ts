import { defineQuery, defineUpdate } from '@temporalio/workflow';
import type { Confirmation } from '../../domain/catalog/flows.ts';

/** What a flow is doing now, such as a `FleetProgress`; also answered after it closed. */
export const progressQuery = defineQuery<unknown>('progress');

/** A person's answer to what a flow asks; refused when nobody asked. Answered with the flow's progress. */
export const confirmUpdate = defineUpdate<unknown, [Confirmation]>('confirm');
