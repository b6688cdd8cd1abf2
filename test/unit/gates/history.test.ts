import { readdirSync, readFileSync } from 'node:fs';
import { temporal } from '@temporalio/proto';
import { Worker } from '@temporalio/worker';
import { expect, test } from 'vitest';
import { askingFlows } from '../../support/gates/asking-sources.ts';
import '../../support/quiet-runtime.ts';

const FOLDER = new URL('../../histories/blocks/', import.meta.url);

test('every recorded history of a gate replays on the current block', { timeout: 60_000 }, async () => {
  const files = readdirSync(FOLDER).filter((name) => name.endsWith('-gate.binpb'));
  expect(files.length, 'no history is recorded: run npm run histories').toBeGreaterThanOrEqual(1);
  const histories = files.map((name) => ({
    workflowId: 'record/gate',
    history: temporal.api.history.v1.History.decode(readFileSync(new URL(name, FOLDER))),
  }));
  const failures: string[] = [];
  const { workflowsPath, workflowInterceptorModules } = askingFlows();
  const options = {
    workflowsPath,
    interceptors: { workflowModules: workflowInterceptorModules },
    reuseV8Context: false,
  };
  for await (const { workflowId, error } of Worker.runReplayHistories(options, histories)) {
    if (error) failures.push(`${workflowId}: ${error.message}`);
  }
  expect(failures).toEqual([]);
});
