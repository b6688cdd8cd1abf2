import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { temporal } from '@temporalio/proto';
import { Worker } from '@temporalio/worker';
import { expect, test } from 'vitest';
import '../../support/quiet-runtime.ts';

const FOLDER = new URL('../../histories/blocks/', import.meta.url);
const FLOWS = fileURLToPath(new URL('../../support/flows/block-flows.ts', import.meta.url));

test('every recorded history of rollbacks and stages replays on the current blocks', async () => {
  const files = readdirSync(FOLDER).filter((name) => /-(?:rollback|stages)\.binpb$/.test(name));
  expect(files.length, 'no history is recorded: run npm run histories').toBeGreaterThanOrEqual(2);
  const histories = files.map((name) => ({
    workflowId: name,
    history: temporal.api.history.v1.History.decode(readFileSync(new URL(name, FOLDER))),
  }));
  const failures: string[] = [];
  for await (const { workflowId, error } of Worker.runReplayHistories({ workflowsPath: FLOWS }, histories)) {
    if (error) failures.push(`${workflowId}: ${error.message}`);
  }
  expect(failures).toEqual([]);
});
