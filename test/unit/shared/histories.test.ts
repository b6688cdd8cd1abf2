import { readdirSync, readFileSync } from 'node:fs';
import { temporal } from '@temporalio/proto';
import { Worker } from '@temporalio/worker';
import { expect, test } from 'vitest';
import { workflowSources } from '../../../workers/workflow-sources.ts';
import '../../support/quiet-runtime.ts';

const FOLDER = new URL('../../histories/', import.meta.url);

test('every recorded history replays on the current workflows', async () => {
  const files = readdirSync(FOLDER).filter((name) => name.endsWith('.binpb'));
  expect(files.length, 'no history is recorded: run npm run histories').toBeGreaterThanOrEqual(5);
  const histories = files.map((name) => {
    const history = temporal.api.history.v1.History.decode(readFileSync(new URL(name, FOLDER)));
    // flows make decisions by their id: it is the lock
    return { workflowId: history.events[0]?.workflowExecutionStartedEventAttributes?.workflowId ?? name, history };
  });
  const failures: string[] = [];
  const { workflowsPath, workflowInterceptorModules } = workflowSources();
  const options = { workflowsPath, interceptors: { workflowModules: workflowInterceptorModules } };
  for await (const { workflowId, error } of Worker.runReplayHistories(options, histories)) {
    if (error) failures.push(`${workflowId}: ${error.message}`);
  }
  expect(failures).toEqual([]);
});
