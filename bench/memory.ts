import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { startFlow } from '../client/core/start-flow.ts';
import { commitHeader, fileHeader, importRepository } from '../examples/git.ts';
import { realFiles } from './corpus.ts';
import { untilAborted } from '../platform/until-aborted.ts';
import { mustEqual } from './harness.ts';
import type { BenchContext, Benchmark, Figure } from './harness.ts';
import { forgetPeak, pidOf, residentMegabytes } from './process-usage.ts';
import { localSource, startServers, startWorker } from './servers.ts';

const FILES = 20_000;
/** How long a ready worker is left idle before its memory is read. */
const SETTLING_MS = 3_000;

/**
 * A real worker's resident memory, including threads, while it indexes one repository of 20,000 files through the real
 * flow into a real Weaviate, above the same worker's memory before. Every run starts a new worker.
 */
export const memory: Benchmark = { about: `memory of a worker that indexes ${FILES} files`, measure };

async function measure(context: BenchContext): Promise<Figure[]> {
  const { dir, runs, signal, note } = context;
  const root = join(dir, 'repositories');
  note('making the repository');
  await makeLargeRepository(join(root, 'large', 'repository.git'), signal);
  const idle: number[] = [];
  const above: number[] = [];
  const objects: number[] = [];
  for (let run = 0; run < runs; run++) {
    const own = { ...context, dir: join(dir, `run-${run}`) };
    const stack = await startServers(own, ['temporal', 'weaviate', 'model']);
    try {
      const { client, close } = await startWorker(stack, localSource(root), own);
      try {
        const worker = pidOf(stack, 'worker');
        await wait(SETTLING_MS, undefined, { signal });
        const before = residentMegabytes(worker, 'now');
        forgetPeak(worker);
        const flow = await startFlow(client, 'onboardRepositories', { patterns: ['large/*'] });
        const result = await untilAborted(signal, flow.result());
        mustEqual('files of the repository', result.filesChanged, FILES);
        mustEqual('repositories that failed', result.failed, 0);
        idle.push(before);
        above.push(residentMegabytes(worker, 'peak') - before);
        objects.push(result.objectsWritten);
        note(`run ${run + 1}: ${result.objectsWritten} objects, ${above.at(-1)?.toFixed(0)} MB above idle`);
      } finally {
        await close();
      }
    } finally {
      await stack.stop();
    }
  }
  return [
    { what: 'peak above idle', unit: 'MB', values: above, bar: '≤ 600' },
    { what: 'idle', unit: 'MB', values: idle },
    { what: 'objects', unit: 'count', values: objects },
  ];
}

/** One commit of real code: files of the packages that this project depends on, in folders of a hundred. */
async function makeLargeRepository(gitDir: string, signal: AbortSignal): Promise<void> {
  const paths = await realFiles();
  async function* commands(): AsyncGenerator<string | Uint8Array> {
    const header = { ref: 'refs/heads/main', mark: 1, message: 'sources\n', time: 1_700_000_000, parents: [] };
    yield commitHeader(header);
    for (let file = 0; file < FILES; file++) {
      signal.throwIfAborted();
      const path = paths[file % paths.length] ?? '';
      const content = await readFile(path);
      // a checkout with fewer files uses some of them twice, with different content
      const copy = Buffer.from(file < paths.length ? '' : `\n${file}\n`);
      const name = `part-${Math.floor(file / 100)}/${file}-${path.slice(path.lastIndexOf('/') + 1)}`;
      yield fileHeader('100644', name, content.length + copy.length);
      yield content;
      yield copy;
      yield '\n';
    }
  }
  await importRepository(gitDir, commands(), signal);
}
