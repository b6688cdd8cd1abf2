import fs from 'node:fs/promises';
import { flushCompileCache, syncBuiltinESMExports } from 'node:module';
import { type ActivityInterceptorsFactory, DefaultLogger, NativeConnection, Runtime, Worker } from '@temporalio/worker';
import { loadConfig } from '../../../activities/shared/config.ts';
import { createAlertActivities } from '../../../activities/catalog/alerts.ts';
import type { IndexTools } from '../../../activities/catalog/catalog.ts';
import { createFollowActivities } from '../../../activities/catalog/follow.ts';
import { reposWork } from '../../../activities/catalog/repos-role.ts';
import { openTools, type OpenTools } from '../../../activities/catalog/tools.ts';
import { activityWorker, flowsWorker } from '../../../workers/roles.ts';
import { activityBoundaries, createBoundaries, watchPrograms } from '../boundaries.ts';
import type { DoomedWorkerMessage, DoomedWorkerOrder } from '../doomed-process.ts';
import { openGateway } from '../weaviate-gateway.ts';

/**
 * A worker with the product's own workers, activities and tools, which counts the boundaries that its work passes, and
 * ends itself with SIGKILL at the requested one. Run by `startDoomedWorker`.
 */
const { env } = process;
const loaded = loadConfig({ env });
const boundaries = createBoundaries();
const { at } = boundaries;
let embedded = 0;
/** Patterns of activities to hold, and those with a held activity. */
let toHold: readonly string[] = [];
const held = new Set<string>();
let isReportRequested = false;

watchPrograms((program) => {
  if (program.startsWith('git ')) at(`${program} runs`);
});
watchFiles();
Runtime.install({ logger: new DefaultLogger('ERROR'), shutdownSignals: [] });
const weaviate = await openGateway({ url: setting('WEAVIATE_URL'), grpc: setting('WEAVIATE_GRPC') }, { at });
const tools = await openTools(
  loaded,
  { weaviate: { ...weaviate, apiKey: setting('WEAVIATE_API_KEY') }, modelFolder: setting('LONGHAUL_MODEL_DIR') },
  env,
);
// as a worker does before it is ready
await tools.index();
const place = {
  connection: await NativeConnection.connect({ address: setting('TEMPORAL_ADDRESS') }),
  namespace: setting('TEMPORAL_NAMESPACE'),
};
const work = { activities: { ...createFollowActivities(), ...createAlertActivities(loaded.config, env) } };
const flows = flowsWorker(place, { codePath: setting('DOOMED_BUNDLE') }, { work });
const repos = activityWorker(place, 'repos', reposWork(watched(tools)));
const workers = await Promise.all([
  // after this time without an answer, the runs cached here go to another worker
  Worker.create({
    ...flows,
    stickyQueueScheduleToStartTimeout: '1 second',
    interceptors: withBoundaries(flows.interceptors),
  }),
  Worker.create({
    ...repos,
    maxHeartbeatThrottleInterval: 500,
    interceptors: withBoundaries(repos.interceptors),
  }),
]);

process.on('message', (order: DoomedWorkerOrder) => {
  if (order === 'report') {
    send({ passed: boundaries.passed(), embedded });
    return;
  }
  if (order === 'say when held') {
    isReportRequested = true;
    reportWhenHeld();
    return;
  }
  if ('hold' in order) {
    toHold = order.hold;
    held.clear();
    send('armed');
    return;
  }
  boundaries.arm(order.doom, order.victim);
  embedded = 0;
  send('armed');
});
process.on('disconnect', () => process.exit());
// a killed process would never write it
flushCompileCache();
send('ready');
await Promise.all(workers.map((worker) => worker.run()));

function send(message: DoomedWorkerMessage): void {
  process.send?.(message);
}

function setting(name: string): string {
  const value = env[name];
  if (value === undefined) throw new Error(`${name} is not set`);
  return value;
}

/** Never returns for an activity to hold: its work is done but not reported. */
async function holdIfRequested(activity: string): Promise<void> {
  const pattern = toHold.find((one) => matchesGlob(activity, one));
  if (pattern === undefined) return;
  held.add(pattern);
  reportWhenHeld();
  await new Promise<never>(() => undefined);
}

function reportWhenHeld(): void {
  if (!isReportRequested || held.size < toHold.length) return;
  isReportRequested = false;
  send('held');
}

/** A pattern may contain one `*` as wildcard. */
function matchesGlob(text: string, pattern: string): boolean {
  const [head = '', tail] = pattern.split('*');
  if (tail === undefined) return text === pattern;
  return text.length >= head.length + tail.length && text.startsWith(head) && text.endsWith(tail);
}

function withBoundaries(own: { activity?: ActivityInterceptorsFactory[] } | undefined): {
  activity: ActivityInterceptorsFactory[];
} {
  return { activity: [...(own?.activity ?? []), activityBoundaries(boundaries, holdIfRequested)] };
}

function watched(own: OpenTools): OpenTools {
  return { ...own, index: async (build) => watchedIndex(await own.index(build)) };
}

/** In the middle of reading a repository, and when texts are embedded but not written. */
function watchedIndex(own: IndexTools): IndexTools {
  const { mgit, analyzer } = own;
  return {
    ...own,
    mgit: {
      ...mgit,
      diff: async (...question) => {
        const difference = await mgit.diff(...question);
        return {
          ...difference,
          async *changes() {
            let files = 0;
            for await (const change of difference.changes()) {
              if (files++ % 25 === 3) at('a file is read');
              yield change;
            }
          },
        };
      },
    },
    analyzer: {
      ...analyzer,
      analyze: async (...question) => {
        const analysis = await analyzer.analyze(...question);
        embedded += analysis.embedded;
        at('texts are embedded');
        return analysis;
      },
    },
  };
}

/** A change in the folders of the worker. */
function watchFiles(): void {
  const folders = [loaded.cacheDir, loaded.dataDir];
  for (const name of ['writeFile', 'rename', 'link', 'unlink', 'rm'] as const) {
    const original = fs[name] as (...call: unknown[]) => Promise<unknown>;
    const observed = async (...call: unknown[]): Promise<unknown> => {
      const result = await original(...call);
      if (folders.some((folder) => String(call[0]).startsWith(folder))) at(`${name} is done`);
      return result;
    };
    Object.assign(fs, { [name]: observed });
  }
  syncBuiltinESMExports();
}
