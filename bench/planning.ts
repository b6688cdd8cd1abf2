import { join } from 'node:path';
import { planPage } from '../activities/shared/plan-pages.ts';
import type { CatalogPlan, RepositoryPage } from '../domain/catalog/flows/fleet.ts';
import { groupOf } from '../test/support/catalog/group-run.ts';
import { indexLikeTemplate } from '../test/support/catalog/seeded-index.ts';
import { addressesAt, commitToAll, startTemplateForge, TOKEN } from '../test/support/template-forge.ts';
import { mustEqual, timed } from './harness.ts';
import type { BenchContext, Benchmark, Figure } from './harness.ts';
import { startServers, startWorker } from './servers.ts';

/** Repositories added per organization: the fleets have 1,000, 5,000 and 10,000. */
const ORGANIZATIONS = [
  ['a', 1_000],
  ['b', 4_000],
  ['c', 5_000],
] as const;

/** As in `workflows/shared/fleet.ts`. */
const PAGE_SIZE = 500;

/**
 * Plans a group of 1,000, 5,000 and 10,000 indexed and changed repositories of a forge: receipts from a real Weaviate,
 * heads from the forge, every page through the blob store. Counts plans and requests.
 */
export const planning: Benchmark = { about: 'plans of 1,000, 5,000 and 10,000 changed repositories', measure };

async function measure(context: BenchContext): Promise<Figure[]> {
  const { dir, runs, note } = context;
  note('making the repositories');
  const names = ORGANIZATIONS.flatMap(([org, count]) => Array.from({ length: count }, (_, at) => `${org}/r${at}`));
  const folder = join(dir, 'one');
  const forge = await startTemplateForge(folder, names);
  const provider = { type: 'github', name: 'one', url: forge.url, tokenEnv: 'FORGE_TOKEN' };
  const stack = await startServers(context, ['temporal', 'weaviate', 'model']);
  try {
    const worker = await startWorker(stack, { providers: [provider], env: { FORGE_TOKEN: TOKEN } }, context);
    const tools = await worker.openTools();
    const basis = tools.digest;
    try {
      const figures: Figure[] = [];
      const patterns: string[] = [];
      let size = 0;
      for (const [org, count] of ORGANIZATIONS) {
        const added = names.slice(size, size + count);
        size += count;
        patterns.push(`one/${org}/*`);
        note(`indexing ${count} more`);
        await indexLikeTemplate(tools, join(folder, 'template.git'), addressesAt(forge, added, 'one'));
        const group = groupOf('all', patterns);
        const values: Record<'plan' | 'pages' | 'requests' | 'plans', number[]> = {
          plan: [],
          pages: [],
          requests: [],
          plans: [],
        };
        for (let run = 0; run < runs; run++) {
          // new heads, so that no repository is up to date
          if (run === 0)
            commitToAll(
              join(folder, 'template.git'),
              `export const a = ${size};\n`,
              names.slice(0, size).map((name) => join(forge.root, `${name}.git`)),
            );
          forge.requests.length = 0;
          let plans = 0;
          const make = (): Promise<CatalogPlan> => {
            plans++;
            return tools.planner.group(group);
          };
          const first = await timed(() => planPage(tools.blobs, { after: null, limit: PAGE_SIZE }, { basis, make }));
          mustEqual('repositories to sync', first.result.total, size);
          const rest = await timed(async () => {
            let listed = first.result.repositories.length;
            for (let page: RepositoryPage = first.result; page.next !== null; listed += page.repositories.length) {
              page = await planPage(
                tools.blobs,
                { after: page.next, limit: PAGE_SIZE, ...(page.plan === undefined ? {} : { plan: page.plan }) },
                { basis, make },
              );
            }
            return listed;
          });
          mustEqual('repositories on all pages', rest.result, size);
          values.plan.push((first.seconds / size) * 1_000);
          values.pages.push((rest.seconds / size) * 1_000);
          values.requests.push(forge.requests.length);
          values.plans.push(plans);
          note(
            `${size}: plan ${first.seconds.toFixed(2)} s, ${size / PAGE_SIZE - 1} more pages ${rest.seconds.toFixed(2)} s`,
          );
        }
        figures.push(
          { what: `${size} repositories: plans`, unit: 'count', values: values.plans, bar: '1' },
          { what: 'the same: forge requests', unit: 'count', values: values.requests },
          { what: 'the same: first page, each 1,000 repositories', unit: 's', values: values.plan },
          { what: 'the same: all other pages, each 1,000 repositories', unit: 's', values: values.pages },
        );
      }
      return figures;
    } finally {
      await tools.close();
      await worker.close();
    }
  } finally {
    await stack.stop();
    await forge.close();
  }
}
