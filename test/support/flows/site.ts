import { randomUUID } from 'node:crypto';
import { rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Client, Connection, type WorkflowHandle } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import { bundleWorkflowCode, DefaultLogger, NativeConnection, Worker } from '@temporalio/worker';
import { inject, test as base } from 'vitest';
import { NAMESPACE } from '../namespace.ts';
import '../quiet-runtime.ts';
import { collectRuns } from '../recorded-runs.ts';
import { replayAll } from '../replay.ts';
import type { TowerActivities } from './block-flows.ts';

/** A worker with flows of the blocks, and what its activities did. */
export interface Site {
  /** `build a`, `remove a`, in their order. */
  readonly done: string[];
  /** Floors whose activity fails, by what it does: `remove a`. */
  readonly broken: Set<string>;
  start(type: string, input: unknown): Promise<WorkflowHandle>;
  /** The open run with a workflow id: a child. */
  running(workflowId: string): WorkflowHandle;
}

/** Tests of the blocks: each file has a worker of its own. */
export const siteTest = base.extend('site', { scope: 'file' }, async ({}, { onCleanup }): Promise<Site> => {
  const address = inject('stack').temporalAddress;
  const [connection, native] = await Promise.all([
    Connection.connect({ address }),
    NativeConnection.connect({ address }),
  ]);
  const client = new Client({ connection, namespace: NAMESPACE });
  const bundle = await bundleWorkflowCode({
    workflowsPath: fileURLToPath(new URL('./block-flows.ts', import.meta.url)),
    logger: new DefaultLogger('WARN'),
  });
  const codePath = join(tmpdir(), `longhaul-blocks-${randomUUID()}.js`);
  await writeFile(codePath, bundle.code);
  const done: string[] = [];
  const broken = new Set<string>();
  const act = (what: string): void => {
    if (broken.has(what)) throw ApplicationFailure.nonRetryable(`cannot ${what}`, 'PushRefused');
    done.push(what);
  };
  const activities: TowerActivities = {
    build: async (floor) => {
      act(`build ${floor}`);
      return `${floor} built`;
    },
    remove: async (floor) => act(`remove ${floor}`),
  };
  const taskQueue = `blocks-${randomUUID()}`;
  const worker = await Worker.create({
    connection: native,
    namespace: NAMESPACE,
    taskQueue,
    workflowBundle: bundle,
    activities,
    // every step replays the flow
    maxCachedWorkflows: 0,
  });
  const running = worker.run();
  const started: [string, string][] = [];
  onCleanup(async () => {
    const runs = await collectRuns(client, started);
    worker.shutdown();
    await running;
    await Promise.all([connection.close(), native.close()]);
    await replayAll(runs, codePath);
    await rm(codePath);
  });
  return {
    done,
    broken,
    async start(type, input) {
      const workflowId = `${type}-${randomUUID()}`;
      const handle = await client.workflow.start(type, { workflowId, taskQueue, args: [input] });
      started.push([workflowId, handle.firstExecutionRunId]);
      return handle;
    },
    running: (workflowId) => client.workflow.getHandle(workflowId),
  };
});

/** Breaks steps for one test. */
export function breaking({ broken, done }: Site, ...what: string[]): void {
  broken.clear();
  done.length = 0;
  for (const each of what) broken.add(each);
}
