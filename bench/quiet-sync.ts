import { join } from 'node:path';
import { startFlow } from '../client/core/start-flow.ts';
import { makeFixture } from './fixture-repositories.ts';
import { untilAborted } from '../platform/until-aborted.ts';
import { mustEqual, timed } from './harness.ts';
import type { BenchContext, Benchmark, Figure } from './harness.ts';
import { localSource, startServers, startWorker } from './servers.ts';

const REPOSITORIES = 1_000;

/**
 * A sync of 1,000 indexed, unchanged repositories through the real flow on real servers: what it writes, how many
 * children it starts, and the length of its history. These are exact counts, not measurements.
 */
export const quietSync: Benchmark = { about: `no-op sync of ${REPOSITORIES} repositories`, measure };

async function measure(context: BenchContext): Promise<Figure[]> {
  const { runs, dir, signal, note } = context;
  const root = join(dir, 'repositories');
  note('making the repositories');
  await makeFixture({ root, repositories: REPOSITORIES, filesEach: 2, signal });
  const stack = await startServers(context, ['temporal', 'weaviate', 'model']);
  try {
    const { client, close } = await startWorker(stack, localSource(root), context);
    try {
      note('indexing them once');
      const onboarding = await startFlow(client, 'onboardRepositories', { patterns: ['*/*'], parallel: 16 });
      const { succeeded } = await untilAborted(signal, onboarding.result());
      mustEqual('repositories indexed', succeeded, REPOSITORIES);

      const seconds: number[] = [];
      const written: number[] = [];
      const children: number[] = [];
      const events: number[] = [];
      for (let run = 0; run < runs; run++) {
        const sync = await timed(async () => {
          const handle = await startFlow(client, 'syncRepositories', { all: true });
          return { handle, result: await untilAborted(signal, handle.result()) };
        });
        const { handle, result } = sync.result;
        mustEqual('repositories checked', result.matched, REPOSITORIES);
        mustEqual('repositories that failed', result.failed, 0);
        const history = (await handle.fetchHistory()).events ?? [];
        seconds.push(sync.seconds);
        written.push(result.objectsWritten + result.objectsDeleted);
        children.push(history.filter((event) => event.startChildWorkflowExecutionInitiatedEventAttributes).length);
        events.push(history.length);
      }
      return [
        { what: 'objects written or deleted', unit: 'count', values: written, bar: '0' },
        { what: 'children started', unit: 'count', values: children, bar: '0' },
        { what: 'history events', unit: 'count', values: events, bar: '≤ 60' },
        { what: 'time from start to result', unit: 's', values: seconds },
      ];
    } finally {
      await close();
    }
  } finally {
    await stack.stop();
  }
}
