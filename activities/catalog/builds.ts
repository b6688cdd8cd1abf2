import {
  type BuildComparison,
  compareAnswers,
  type QueryAnswers,
  type StoredQuery,
} from '../../domain/catalog/index/build.ts';
import type { PruneResult, SwitchResult } from '../../domain/catalog/flows/build-flows.ts';
import type { CatalogPlan, RepositoryPage } from '../../domain/catalog/flows/fleet.ts';
import { headReceipts } from '../../domain/catalog/index/refs.ts';
import { addressOfReceipt, isBeingRemoved } from '../../domain/catalog/index/plan.ts';
import { blankReceipt, type Receipt } from '../../domain/catalog/index/receipt.ts';
import type { PlanRequest } from '../../domain/fleet/plan.ts';
import { LonghaulError } from '../../domain/shared/failures.ts';
import { heartbeating } from '../shared/heartbeating.ts';
import { planPage } from '../shared/plan-pages.ts';
import type { CatalogTools, IndexTools } from './catalog.ts';
import type { Builds } from '../index/store/builds.ts';
import type { IndexStore } from '../index/store/store.ts';
import { listBranches, takeOutBranch } from './removal.ts';

/** The activities that change the builds of an index. Task queue `longhaul-repos`. */
export interface BuildActivities {
  /**
   * Starts an empty build, by default with the model of the live one. Returns the digests of the live and the new
   * build.
   */
  beginBuild(request: { readonly model?: string }): Promise<{ readonly from: string | null; readonly to: string }>;
  /** Repositories of the live build that this one lacks, or has at an older position of a ref. */
  findUnbuilt(request: PlanRequest & { readonly build: string }): Promise<RepositoryPage>;
  /** Runs the same queries on both builds. */
  compareBuilds(request: {
    readonly from: string;
    readonly to: string;
    readonly queries: readonly StoredQuery[];
  }): Promise<BuildComparison>;
  /**
   * The digest of a build; `previous` is the one that was live before. Throws `InvalidInput` when it does not exist.
   */
  resolveBuild(request: { readonly to: string }): Promise<string>;
  /** Makes a build live, with exactly the repositories and branches of the live one. */
  switchBuild(request: { readonly to: string }): Promise<SwitchResult>;
  /** The digests of the builds that are not live, and of what is left of others; the previous one only if asked. */
  findUnusedBuilds(request: { readonly previous: boolean }): Promise<readonly string[]>;
  /**
   * Deletes these builds; a retry finds some of them deleted, and its result names them too. A flow of 0.4 names none:
   * then the unused ones are deleted.
   */
  pruneBuilds(request: { readonly unused?: readonly string[]; readonly previous: boolean }): Promise<PruneResult>;
}

/** See {@link BuildActivities}. */
export function createBuildActivities(tools: CatalogTools): BuildActivities {
  const { builds } = tools;
  return {
    beginBuild: ({ model }) =>
      heartbeating(async () => {
        const live = await builds.live();
        return { from: live?.digest ?? null, to: await tools.begin(model ?? live?.settings.model) };
      }),

    findUnbuilt: ({ build, ...request }) =>
      heartbeating(async (signal) => {
        const live = await builds.live();
        const make = async (): Promise<CatalogPlan> => {
          const source = live === null ? [] : await builds.store(live.digest).receipts();
          const { planner } = await tools.index(build);
          return planner.filling(source, signal);
        };
        return planPage(tools.blobs, request, { basis: `${live?.digest ?? ''} ${build}`, make });
      }),

    compareBuilds: ({ from, to, queries }) =>
      heartbeating(async (signal, report) => {
        const [before, after] = await Promise.all([tools.index(from), tools.index(to)]);
        const answers: QueryAnswers[] = [];
        for (const query of queries) {
          signal.throwIfAborted();
          answers.push({ query, before: await ask(before, query), after: await ask(after, query) });
          report({ queries: answers.length });
        }
        return compareAnswers(answers);
      }),

    async resolveBuild({ to }) {
      const all = await builds.list();
      const found = all.find(({ digest, role }) => digest === to || role === to);
      if (found) return found.digest;
      if (to === 'previous') throw new LonghaulError('InvalidInput', 'There is no previous build to switch back to.');
      const known = all.map(({ digest, role }) => `${digest} (${role})`).join(', ');
      throw new LonghaulError('InvalidInput', `There is no build ${to}. Existing builds: ${known || 'none'}.`);
    },

    switchBuild: ({ to }) =>
      heartbeating(async (signal) => {
        const live = await builds.live();
        if (live?.digest === to) {
          // an earlier attempt of this activity made the switch, but its answer was lost
          const previous = (await builds.list()).find(({ role }) => role === 'previous');
          return { from: previous?.digest ?? null, to, carried: 0, removed: 0 };
        }
        const aligned = live === null ? { carried: 0, removed: 0 } : await align(tools, live.digest, to, signal);
        await builds.switchTo(to);
        return { from: live?.digest ?? null, to, ...aligned };
      }),

    findUnusedBuilds: ({ previous }) => heartbeating(() => unusedBuilds(builds, previous)),

    pruneBuilds: ({ unused, previous }) =>
      heartbeating(async () => {
        const dropped = unused ?? (await unusedBuilds(builds, previous));
        for (const digest of dropped) await builds.drop(digest);
        await tools.releaseModels().catch(() => undefined);
        return { dropped };
      }),
  };
}

async function unusedBuilds(builds: Builds, previous: boolean): Promise<readonly string[]> {
  const unused = (await builds.list()).filter(({ role }) => role === 'beside' || (previous && role === 'previous'));
  return [...unused.map(({ digest }) => digest), ...(await builds.leftovers())];
}

async function ask(index: IndexTools, { query, repo }: StoredQuery): Promise<QueryAnswers['before']> {
  const { results } = await index.search({ query, limit: 10, ...(repo === undefined ? {} : { pattern: repo }) });
  return results.map((result) => ({ repo: result.repo, path: result.path }));
}

/**
 * Aligns the repositories and branches of a build with another one: those removed there are removed here, and those
 * missing here get a receipt marked with the other build's position, so that the next sync indexes them.
 */
async function align(
  { builds }: CatalogTools,
  from: string,
  to: string,
  signal: AbortSignal,
): Promise<{ carried: number; removed: number }> {
  const source = builds.store(from);
  const target = builds.store(to);
  const [all, held] = await Promise.all([source.receipts(), target.receipts()]);
  const expected = headReceipts(all).filter((receipt) => !isBeingRemoved(receipt));
  const expectedIds = new Set(expected.map(({ repository }) => repository));
  const present = new Map(headReceipts(held).map((receipt) => [receipt.repository, receipt]));
  const removed = [...present.values()].filter(({ repository }) => !expectedIds.has(repository));
  for (const { repository, branches } of removed) await target.deleteRepository(repository, branches);
  const missing = expected.filter(({ repository }) => !present.has(repository));
  for (const { repository } of missing) {
    // it may have been removed in the meantime
    const receipt = await source.readReceipt(repository);
    if (receipt === null || isBeingRemoved(receipt)) continue;
    await target.writeReceipt(pendingReceipt(receipt, to));
  }
  const withBranches = expected.filter(
    ({ repository, branches = present.get(repository)?.branches }) => branches !== undefined,
  );
  // a build of an older version has no branches property
  if (withBranches.length > 0) await target.prepare();
  for (const { repository } of withBranches) {
    await alignBranches(source, target, { repository, build: to }, signal);
  }
  return { carried: missing.length, removed: removed.length };
}

async function alignBranches(
  source: IndexStore,
  target: IndexStore,
  { repository, build }: { readonly repository: string; readonly build: string },
  signal: AbortSignal,
): Promise<void> {
  const expected = await source.readReceipt(repository);
  let head = await target.readReceipt(repository);
  if (expected === null || head === null) return;
  for (const ref of head.branches ?? []) {
    if (!expected.branches?.includes(ref)) head = (await takeOutBranch(target, head, ref, signal)).head;
  }
  await listBranches(target, head, expected.branches ?? []);
  for (const ref of expected.branches ?? []) {
    const receipt = await source.readReceipt(repository, ref);
    const isPresent = (await target.readReceipt(repository, ref)) !== null;
    if (receipt === null || isBeingRemoved(receipt) || isPresent) continue;
    await target.writeReceipt(pendingReceipt(receipt, build));
  }
}

/**
 * A receipt without objects whose `pending` is the position of another build's receipt: the next sync continues there.
 */
function pendingReceipt(receipt: Receipt, build: string): Receipt {
  const { commit, tree, branch, timestamp } = receipt.pending ?? receipt;
  const blank = blankReceipt(addressOfReceipt(receipt), build, receipt.ref);
  return { ...blank, pending: { commit, tree, branch, timestamp } };
}
