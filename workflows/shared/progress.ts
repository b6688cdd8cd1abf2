import { defineQuery, setHandler } from '@temporalio/workflow';
import type { FlowProgress } from '../../domain/shared/progress.ts';

const progressQuery = defineQuery<FlowProgress>('progress');

/**
 * Answers the query `progress`, which `longhaul watch`, the gateway and the console read; also after the flow ended.
 */
export function answerProgress(read: () => FlowProgress): void {
  setHandler(progressQuery, read, { description: 'What the flow is doing, how far it is, and what it asks a person' });
}
