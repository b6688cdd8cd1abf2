import { join } from 'node:path';
import { API_FAULTS, every, FAULTS } from '../test/support/faults.ts';
import type { Forge } from '../test/support/forge.ts';
import { groupOf, runGroup } from '../test/support/catalog/group-run.ts';
import { indexLikeTemplate } from '../test/support/catalog/seeded-index.ts';
import { addressesAt, commitToAll, startTemplateForge, TOKEN } from '../test/support/template-forge.ts';
import { mustEqual, timed } from './harness.ts';
import type { BenchContext, Benchmark, Figure } from './harness.ts';
import { type BenchWorker, startServers, startWorker } from './servers.ts';

const REPOSITORIES = 1_000;
const GROUPS = 20;
const CHANGED = 200;

/**
 * 1,000 repositories at forges that enforce GitHub's limits, through the real flow on real servers: runs of the group
 * of one organization without changes, and runs of twenty groups in which 200 repositories changed while requests are
 * refused, fail, are truncated or delayed. Everything must be complete after each run. Requests, events and violations
 * are counted.
 */
export const fleet: Benchmark = {
  about: `${REPOSITORIES} repositories at a forge with GitHub's limits: quiet, and ${CHANGED} changed in ${GROUPS} groups with faults`,
  measure,
};

async function measure(context: BenchContext): Promise<Figure[]> {
  const { dir, note } = context;
  const one = Array.from({ length: REPOSITORIES }, (_, at) => `large/r${at}`);
  const many = Array.from({ length: REPOSITORIES }, (_, at) => `fleet${at % GROUPS}/r${at}`);
  note('making the repositories');
  const access = { token: TOKEN, limits: {} };
  const forges = {
    one: await startTemplateForge(join(dir, 'one'), one, access),
    many: await startTemplateForge(join(dir, 'many'), many, access),
  };
  const provider = { type: 'github', tokenEnv: 'FORGE_TOKEN' };
  const sources = {
    providers: [
      { ...provider, name: 'one', url: forges.one.url },
      { ...provider, name: 'many', url: forges.many.url },
    ],
    env: { FORGE_TOKEN: TOKEN },
  };
  const stack = await startServers(context, ['temporal', 'weaviate', 'model']);
  try {
    const worker = await startWorker(stack, sources, context);
    try {
      note('writing the index that an onboarding would have left');
      const tools = await worker.openTools();
      await indexLikeTemplate(tools, join(dir, 'one', 'template.git'), addressesAt(forges.one, one, 'one'));
      await indexLikeTemplate(tools, join(dir, 'many', 'template.git'), addressesAt(forges.many, many, 'many'));
      await tools.close();
      return [
        ...(await quietCycles(worker, forges.one, context)),
        ...(await busyCycles(worker, forges.many, many, context)),
      ];
    } finally {
      await worker.close();
    }
  } finally {
    await stack.stop();
    await Promise.all([forges.one.close(), forges.many.close()]);
  }
}

async function quietCycles({ client }: BenchWorker, forge: Forge, { runs, note }: BenchContext): Promise<Figure[]> {
  const requests: number[] = [];
  const events: number[] = [];
  const seconds: number[] = [];
  for (let run = 0; run < runs; run++) {
    forge.requests.length = 0;
    const quiet = await runGroup(client, groupOf('large', ['one/large/*']));
    mustEqual('repositories without work', quiet.result.skipped, REPOSITORIES);
    requests.push(forge.requests.length);
    events.push(quiet.events);
    seconds.push(quiet.seconds);
    note(`quiet ${run + 1}: ${forge.requests.length} requests, ${quiet.events} events, ${quiet.seconds.toFixed(2)} s`);
  }
  mustEqual('violations of limits', forge.enforcement?.violations.length, 0);
  return [
    { what: 'quiet cycle of one organization: forge requests', unit: 'count', values: requests, bar: '≤ 15' },
    { what: 'the same: history events', unit: 'count', values: events, bar: '≤ 60' },
    { what: 'the same: time', unit: 's', values: seconds },
  ];
}

async function busyCycles(
  { client, openTools }: BenchWorker,
  forge: Forge,
  names: readonly string[],
  { dir, runs, note }: BenchContext,
): Promise<Figure[]> {
  const template = join(dir, 'many', 'template.git');
  const changed = names.slice(0, CHANGED).map((name) => join(forge.root, `${name}.git`));
  const groups = Array.from({ length: GROUPS }, (_, at) => groupOf(`fleet${at}`, [`many/fleet${at}/*`]));
  const api: number[] = [];
  const git: number[] = [];
  const events: number[] = [];
  const seconds: number[] = [];
  const violations: number[] = [];
  const tools = await openTools();
  forge.refuse = every(5, API_FAULTS);
  forge.refuseGit = every(25, FAULTS);
  for (let run = 0; run < runs; run++) {
    const commit = commitToAll(template, `export const a = ${run + 2};\n`, changed);
    forge.requests.length = 0;
    const cycle = await timed(() => Promise.all(groups.map((group) => runGroup(client, group))));
    const count = (of: 'succeeded' | 'skipped' | 'failed'): number =>
      cycle.result.reduce((sum, { result }) => sum + result[of], 0);
    mustEqual('repositories that failed', count('failed'), 0);
    mustEqual('repositories that were synced', count('succeeded'), CHANGED);
    mustEqual('repositories without work', count('skipped'), REPOSITORIES - CHANGED);
    const updated = (await tools.store.receipts()).filter((receipt) => receipt.commit === commit);
    mustEqual('receipts at the new commit', updated.length, CHANGED);
    const asked = forge.requests.filter((request) => request.includes('/api/')).length;
    api.push(asked);
    git.push(forge.requests.length - asked);
    events.push(cycle.result.reduce((sum, group) => sum + group.events, 0) / CHANGED);
    seconds.push(cycle.seconds);
    violations.push(forge.enforcement?.violations.length ?? Number.NaN);
    note(`busy ${run + 1}: ${asked} API requests, ${git.at(-1)} git requests, ${cycle.seconds.toFixed(1)} s`);
  }
  await tools.close();
  return [
    { what: `${CHANGED} changed in ${GROUPS} groups: API requests`, unit: 'count', values: api },
    { what: 'the same: git requests', unit: 'count', values: git },
    { what: 'the same: violations', unit: 'count', values: violations, bar: '0' },
    { what: 'the same: events per changed repository', unit: 'count', values: events, bar: '≤ 40' },
    { what: 'the same: time, faults included', unit: 's', values: seconds },
  ];
}
