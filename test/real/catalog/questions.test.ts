import { expect } from 'vitest';
import { startFlow } from '../../../client/core/start-flow.ts';
import { test } from '../../support/catalog/flows.ts';

test('another question never joins a run; the same one does, also a run that was started without a memo', async ({
  flows: { client, estate },
}) => {
  // no worker completes this run during the test
  const repository = `local/acme/${estate.indexName}`;
  const taskQueue = 'no-worker-polls-this';
  const workflowId = `sync/${repository}`;
  await client.workflow.start('syncRepository', { taskQueue, workflowId, args: [{ repository }] });
  const holder = client.workflow.getHandle(workflowId);
  const { runId } = await holder.describe();

  const same = await startFlow(client, 'syncRepository', { repository });
  expect([same.workflowId, same.firstExecutionRunId]).toEqual([workflowId, runId]);
  await expect(startFlow(client, 'syncRepository', { repository, branches: ['develop'] })).rejects.toMatchObject({
    type: 'RepositoryBusy',
  });

  // the question of a start is in its memo
  await holder.terminate();
  const plain = await startFlow(client, 'syncRepository', { repository, branches: ['develop'] });
  expect((await plain.describe()).memo).toMatchObject({ asked: expect.stringMatching(/^[0-9a-f]{64}$/) });
  await plain.terminate();
});
