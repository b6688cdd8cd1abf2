import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { expect, inject, onTestFinished, test } from 'vitest';
import { commandEnv, longhaul } from '../../support/command.ts';
import { createEstate } from '../../support/estate.ts';
import { NAMESPACE } from '../../support/namespace.ts';
import { openRelay } from '../../support/stalling-relay.ts';
import { startWorkerHere } from '../../support/catalog/worker-here.ts';

const LINES = [
  '{"repo_id":"stdin/acme/lost","op":"add","path":"a.py","content":"def a():\\n    pass\\n"}',
  '{"repo_id":"stdin/acme/lost","new_changeset":{"commit":"abc123","branch":"main"}}',
].join('\n');

test('a stream whose result the command does not receive is still ingested, then deleted by its flow', async () => {
  const estate = await createEstate();
  onTestFinished(() => estate.dispose());
  const { temporalAddress } = inject('stack');
  const connection = await Connection.connect({ address: temporalAddress });
  onTestFinished(() => connection.close());
  const { workflow } = new Client({ connection, namespace: NAMESPACE });
  const relay = await openRelay(temporalAddress);
  const env = commandEnv(estate, { TEMPORAL_ADDRESS: relay.address });
  const streams = (): string[] =>
    readdirSync(join(estate.dataDir, 'blobs'), { recursive: true, withFileTypes: true }).flatMap((entry) =>
      entry.isFile() ? [entry.name] : [],
    );

  const command = longhaul(env, ['index', 'stdin'], LINES);
  const handle = workflow.getHandle('sync/stdin/acme/lost');
  const statusOf = () =>
    handle.describe().then(
      ({ status }) => status.name,
      () => null,
    );
  // no worker serves it yet
  await expect.poll(statusOf, { timeout: 60_000 }).toBe('RUNNING');
  await relay.close();
  const { exitCode, stderr } = await command;
  expect({ exitCode, stderr }).toMatchObject({
    exitCode: 4,
    stderr: expect.stringContaining('stdin/acme/lost') as string,
  });
  expect(streams()).toHaveLength(2);

  const worker = await startWorkerHere(estate);
  onTestFinished(() => worker.stop());
  expect(await handle.result()).toMatchObject({ commit: 'abc123', objects: 1 });
  expect(streams()).toEqual([]);
}, 300_000);
