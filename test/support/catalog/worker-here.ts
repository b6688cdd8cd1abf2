import { NativeConnection, Worker } from '@temporalio/worker';
import { inject } from 'vitest';
import { createAlertActivities } from '../../../activities/catalog/alerts.ts';
import { createFollowActivities } from '../../../activities/catalog/follow.ts';
import { reposWork } from '../../../activities/catalog/repos-role.ts';
import { openTools } from '../../../activities/catalog/tools.ts';
import { loadConfig } from '../../../activities/shared/config.ts';
import { activityWorker, flowsWorker } from '../../../workers/roles.ts';
import { commandEnv } from '../command.ts';
import type { Estate } from '../estate.ts';
import { NAMESPACE } from '../namespace.ts';
import '../quiet-runtime.ts';
import { openSharedAnalyzer } from './shared-analyzer.ts';

/** A worker of all roles in this process. */
export interface WorkerHere {
  stop(): Promise<void>;
}

/**
 * Starts a worker of all roles for an estate in this process, which saves the five to eight seconds of processor time
 * that a worker process needs. `startWorkerProcess` is for tests of its log, its end, and its environment.
 */
export async function startWorkerHere(estate: Estate, change: Record<string, string> = {}): Promise<WorkerHere> {
  const { temporalAddress, weaviate, modelFolder, workflowBundle } = inject('stack');
  const env = commandEnv(estate, change);
  const { config, ...rest } = loadConfig({ env });
  const places = { weaviate, modelFolder };
  const tools = await openTools({ config, ...rest }, places, env, { openAnalyzer: openSharedAnalyzer });
  const connection = await NativeConnection.connect({ address: temporalAddress });
  const place = { connection, namespace: NAMESPACE };
  const work = { activities: { ...createFollowActivities(), ...createAlertActivities(config, env) } };
  const workers = await Promise.all([
    Worker.create(flowsWorker(place, { codePath: workflowBundle }, { work, maxCachedWorkflows: 50 })),
    Worker.create({ ...activityWorker(place, 'repos', reposWork(tools)), shutdownGraceTime: '1 second' }),
  ]);
  // as a worker does before it is ready
  await tools.index();
  const done = Promise.all(workers.map((worker) => worker.run()));
  return {
    async stop() {
      for (const worker of workers) worker.shutdown();
      await done;
      await connection.close();
      await tools.close();
    },
  };
}
