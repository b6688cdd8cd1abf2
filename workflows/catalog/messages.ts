import { defineQuery, defineUpdate } from '@temporalio/workflow';
import type { Confirmation, FleetProgress } from '../../domain/catalog/flows.ts';

/** What a fleet flow is doing now; also answered after it closed. */
export const progressQuery = defineQuery<FleetProgress>('progress');

/** Answers `Proceed with initial indexing?`; refused when nobody asked. */
export const confirmUpdate = defineUpdate<FleetProgress, [Confirmation]>('confirm');
