import { join } from 'node:path';
import { groupOf, runGroup } from '../test/support/catalog/group-run.ts';
import { indexLikeTemplate } from '../test/support/catalog/seeded-index.ts';
import { commitToAll, likeTemplate, makeTemplate } from '../test/support/template-forge.ts';
import { mustEqual } from './harness.ts';
import type { BenchContext, Benchmark, Figure } from './harness.ts';
import { localSource, startServers, startWorker } from './servers.ts';

const REPOSITORIES = 5_000;
/** Number of changed repositories before each run of their group. */
const CHANGED = [0, 10, 100, 1_000];

/**
 * A group of 5,000 repositories on this disk, through the real flow on real servers: the size of its histories without
 * changes, and with more and more. These are exact counts.
 */
export const histories: Benchmark = { about: `histories of a group of ${REPOSITORIES} repositories`, measure };

async function measure(context: BenchContext): Promise<Figure[]> {
  const { dir, runs, note } = context;
  const root = join(dir, 'repositories');
  note('making the repositories');
  const template = makeTemplate(dir);
  const paths = Array.from({ length: REPOSITORIES }, (_, at) => join(root, 'fleet', `r${at}.git`));
  for (const path of paths) likeTemplate(template, path);
  const stack = await startServers(context, ['temporal', 'weaviate', 'model']);
  try {
    const worker = await startWorker(stack, localSource(root), context);
    try {
      note('writing the index that an onboarding would have left');
      const group = groupOf('fleet', ['local/fleet/*']);
      const tools = await worker.openTools();
      await indexLikeTemplate(tools, template, await tools.mgit.list(group.patterns));
      await tools.close();
      const figures: Figure[] = [];
      for (const changed of CHANGED) {
        const events: number[] = [];
        const largest: number[] = [];
        const seconds: number[] = [];
        for (let run = 0; run < runs; run++) {
          commitToAll(template, `export const a = '${changed} ${run}';\n`, paths.slice(0, changed));
          const cycle = await runGroup(worker.client, group);
          mustEqual('repositories that were synced', cycle.result.succeeded, changed);
          mustEqual('repositories without work', cycle.result.skipped, REPOSITORIES - changed);
          events.push(changed === 0 ? cycle.events : cycle.events / changed);
          largest.push(cycle.largest);
          seconds.push(cycle.seconds);
          note(`${changed} changed: ${cycle.events} events in ${cycle.runs} runs, ${cycle.seconds.toFixed(1)} s`);
        }
        const name = changed === 0 ? 'quiet' : `${changed} changed`;
        figures.push(
          changed === 0
            ? { what: `${name}: events`, unit: 'count', values: events }
            : { what: `${name}: events per changed repository`, unit: 'count', values: events, bar: '≤ 40, flat' },
          { what: `${name}: largest history`, unit: 'count', values: largest, bar: '< 10,000' },
          { what: `${name}: time`, unit: 's', values: seconds },
        );
      }
      return figures;
    } finally {
      await worker.close();
    }
  } finally {
    await stack.stop();
  }
}
