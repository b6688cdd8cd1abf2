import { randomUUID } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { Client, Connection } from '@temporalio/client';
import { bundleWorkflowCode, DefaultLogger, NativeConnection, Worker } from '@temporalio/worker';
import { expect, inject, onTestFinished, test } from 'vitest';
import { createInputActivities } from '../../../activities/shared/input.ts';
import { applySyncGroupsFlow } from '../../../domain/catalog/flows/group-flows.ts';
import type { ApplySyncGroupsInput } from '../../../domain/catalog/groups/sync-groups.ts';
import { writtenId } from '../../../domain/shared/flow.ts';
import { FLOWS } from '../../../domain/flows.ts';
import { workflowSources } from '../../../workers/workflow-sources.ts';
import { NAMESPACE } from '../../support/namespace.ts';
import '../../support/quiet-runtime.ts';

test('a declaration waits an hour for the previous one, and its history stays small', async () => {
  const address = inject('stack').temporalAddress;
  const connection = await Connection.connect({ address });
  onTestFinished(() => connection.close());
  const native = await NativeConnection.connect({ address });
  onTestFinished(() => native.close());
  const client = new Client({ connection, namespace: NAMESPACE });
  const workflowBundle = await bundleWorkflowCode({
    ...workflowSources([fileURLToPath(new URL('../../support/fast-flows.ts', import.meta.url))]),
    logger: new DefaultLogger('WARN'),
  });
  const taskQueue = `apply-${randomUUID()}`;
  const worker = await Worker.create({
    connection: native,
    namespace: NAMESPACE,
    taskQueue,
    workflowBundle,
    activities: createInputActivities(FLOWS),
    reuseV8Context: false,
  });
  const input: Required<ApplySyncGroupsInput> = {
    document: '{"version": 1, "groups": []}',
    source: { file: 'sync-groups.yaml', commit: null, by: 'alice' },
    prune: false,
  };
  // this run has the lock, and no worker ends it
  const holder = await client.workflow.start('applySyncGroups', {
    taskQueue: 'no-worker-polls-this',
    workflowId: writtenId(applySyncGroupsFlow, input),
  });
  onTestFinished(async () => void (await holder.terminate()));
  const waiting = await client.workflow.start<(asked: ApplySyncGroupsInput) => Promise<unknown>>('applySyncGroups', {
    taskQueue,
    workflowId: taskQueue,
    args: [input],
  });
  await worker.runUntil(async () => {
    await expect(waiting.result()).rejects.toMatchObject({ cause: { type: applySyncGroupsFlow.busy(input).type } });
  });
  const { events } = await waiting.fetchHistory();
  const tries = events?.filter((event) => event.startChildWorkflowExecutionFailedEventAttributes) ?? [];
  const timers = events?.filter((event) => event.timerFiredEventAttributes) ?? [];
  // each pause is twice the time that has passed, with that of a busy machine: at most nine from two seconds to an hour
  expect(tries.length).toBe(timers.length + 1);
  expect(timers.length).toBeGreaterThanOrEqual(1);
  expect(timers.length).toBeLessThanOrEqual(9);
  expect(events?.length).toBeLessThanOrEqual(100);
});
