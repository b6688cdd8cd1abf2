import { log } from '@temporalio/activity';
import type { RemoveRepositoryInput, SyncRepositoryInput } from '../../domain/catalog/flows/flows.ts';
import type { CatalogPlan, RepositoryOutcome, RepositoryPage } from '../../domain/catalog/flows/fleet.ts';
import { addressOf } from '../../domain/catalog/flows/fleet.ts';
import { refOfBranch } from '../../domain/git/branch.ts';
import { addressOfReceipt, isBeingRemoved, STREAM_URL } from '../../domain/catalog/index/plan.ts';
import { DEFAULT_REF } from '../../domain/git/snapshot.ts';
import type { RepositoryVerification } from '../../domain/catalog/index/verification.ts';
import type { PlanRequest } from '../../domain/fleet/plan.ts';
import { LonghaulError } from '../../domain/shared/failures.ts';
import type { ModelSettings } from '../../domain/shared/model.ts';
import { bringUpToDate, type BuildTools, type SyncStep } from './bring-up-to-date.ts';
import type { BlobStore } from '../blobs/blob-store.ts';
import { heartbeating } from '../shared/heartbeating.ts';
import { planPage } from '../shared/plan-pages.ts';
import { ingest } from '../index/ingest.ts';
import { headOf } from '../index/store/refs.ts';
import type { Builds } from '../index/store/builds.ts';
import type { StreamSpool } from '../index/stream-spool.ts';
import type { Evicted, Mgit } from '../mgit/index.ts';
import type { OpenBuild } from './open-index.ts';
import type { Planner } from './planner.ts';
import { removeBranch, removeFromBuilds } from './removal.ts';
import { verifyIndexed } from './verification.ts';

/** A page of the plan for the repositories that match patterns. */
export interface PatternsRequest extends PlanRequest {
  /** mgit patterns; null for all indexed repositories. */
  readonly patterns: readonly string[] | null;
}

/** The build to write to. @default the live build */
export interface BuildChoice {
  /** {@link Build.digest} */
  readonly build?: string;
}

/** The activities of the catalog's flows. They need git, a disk and Weaviate: task queue `longhaul-repos`. */
export interface CatalogActivities {
  /** Repositories that `mgit list` finds and that are not indexed yet. */
  listUnindexed(request: PatternsRequest): Promise<RepositoryPage>;
  /** Indexed repositories where an indexed ref moved; mgit reads all heads in one batch. */
  findChanged(request: PatternsRequest): Promise<RepositoryPage>;
  /** Indexed repositories that match; with `branch` only those at which this branch is also indexed. */
  findIndexed(request: PatternsRequest & { readonly branch?: string }): Promise<RepositoryPage>;
  /** Syncs the index of one repository with its HEAD and branches. See `bringUpToDate`. */
  indexRepository(
    request: BuildChoice & Pick<SyncRepositoryInput, 'repository' | 'onlyIndexed' | 'branches'>,
  ): Promise<RepositoryOutcome>;
  /** Ingests a spooled change stream, which stays in the spool. */
  ingestStream(request: { readonly repository: string; readonly stream: string }): Promise<RepositoryOutcome>;
  /** Deletes an ingested stream from the spool, unless it was stored again after `before` (milliseconds since 1970). */
  discardStream(request: {
    readonly repository: string;
    readonly stream: string;
    readonly before: number;
  }): Promise<void>;
  /** Deletes everything stored for a repository, or for one branch of it, from all builds; receipts last. */
  removeRepository(request: RemoveRepositoryInput): Promise<RepositoryOutcome>;
  /** Repositories to verify: those whose number or XOR of object ids differs from the receipt; all with `full`. */
  findDiffering(request: PatternsRequest & { readonly full: boolean }): Promise<RepositoryPage>;
  /** Compares the index of one repository with git, and repairs it on request. See `verifyIndexed`. */
  verifyRepository(request: { readonly repository: string; readonly repair: boolean }): Promise<RepositoryVerification>;
}

/** The tools for one build of the index. */
export interface IndexTools extends BuildTools, Pick<OpenBuild, 'search'> {
  readonly planner: Planner;
}

/** Dependencies of the catalog's activities. */
export interface CatalogTools {
  /** Configured by longhaul.yaml. Each build has its own, with the build's limit on file sizes. */
  readonly mgit: Mgit;
  readonly builds: Builds;
  readonly blobs: BlobStore;
  readonly spool: StreamSpool;
  /**
   * The tools of a build. Without a name: those of the live build, which is created from longhaul.yaml if necessary.
   */
  index(build?: string): Promise<IndexTools>;
  /** The tools of the live build; null for a new index. */
  live(): Promise<IndexTools | null>;
  /** Closes the models of builds that no longer exist, with their threads, as soon as no call uses them. */
  releaseModels(): Promise<void>;
  /** Reduces this machine's cache to `cache.maxBytes`. Returns what was removed. */
  tidy(): Promise<Evicted[]>;
  /**
   * Creates the empty collections of a build from longhaul.yaml, optionally with another model, unless they exist.
   * Returns its digest.
   */
  begin(model?: string | ModelSettings): Promise<string>;
}

/** See {@link CatalogActivities}. */
export function createCatalogActivities(tools: CatalogTools): CatalogActivities {
  /** A page of a plan for the live build. */
  async function planned(
    request: PlanRequest,
    make: (planner: Planner) => Promise<CatalogPlan>,
  ): Promise<RepositoryPage> {
    const { digest, planner } = await tools.index();
    return planPage(tools.blobs, request, { basis: digest, make: () => make(planner) });
  }

  return {
    listUnindexed: ({ patterns, ...request }) =>
      heartbeating((signal) => planned(request, (planner) => planner.onboarding(patterns ?? ['*/*/*'], signal))),

    findChanged: ({ patterns, ...request }) =>
      heartbeating((signal) => planned(request, (planner) => planner.sync(patterns, signal))),

    findIndexed: ({ patterns, branch, ...request }) =>
      heartbeating(() => planned(request, (planner) => planner.removal(patterns, branch))),

    indexRepository: ({ repository, build, onlyIndexed = false, branches = [] }) =>
      heartbeating(async (signal, report) => {
        const started = Date.now();
        const id = typeof repository === 'string' ? repository : repository.id;
        const runs = await withRoom(
          tools,
          inLiveBuild(tools, build, async (index) => {
            const before = await index.store.readReceipt(id);
            if (onlyIndexed && (before === null || isBeingRemoved(before))) return [];
            const address =
              typeof repository === 'object'
                ? repository
                : before
                  ? addressOfReceipt(before)
                  : addressOf(await index.mgit.find(id, { signal }));
            return bringUpToDate(index, address, before, branches, { signal, onProgress: report });
          }),
        );
        return outcomeOf(runs, id, Date.now() - started);
      }),

    ingestStream: ({ repository, stream }) =>
      heartbeating(async (signal, report) => {
        const started = Date.now();
        const runs = await inLiveBuild(tools, undefined, async (index) => {
          const previous = await index.store.readReceipt(repository);
          const source = await tools.spool.open(repository, stream, previous);
          const cloneUrl = previous?.cloneUrl ?? (await cloneUrlOf(index.mgit, repository, signal));
          const address = { id: repository, cloneUrl };
          const of = headOf(previous);
          const run = await ingest(index, address, source, previous, { signal, onProgress: report, of });
          return [{ ...run, full: source.full }];
        });
        return outcomeOf(runs, repository, Date.now() - started);
      }),

    discardStream: ({ repository, stream, before }) =>
      heartbeating(() => tools.spool.discard(repository, stream, before)),

    findDiffering: ({ patterns, full, ...request }) =>
      heartbeating((signal) => planned(request, (planner) => planner.verification(patterns, { full, signal }))),

    verifyRepository: ({ repository, repair }) =>
      heartbeating(async (signal, report) => {
        const { builds, spool } = tools;
        const index = { ...(await writable(tools, undefined)), builds, spool };
        return withRoom(tools, verifyIndexed(index, repository, { repair, signal, onProgress: report }));
      }),

    removeRepository: ({ repository, branch, uid }) =>
      heartbeating(async (signal) => {
        const started = Date.now();
        const live = await tools.builds.live();
        const ref = branch === undefined ? DEFAULT_REF : refOfBranch(branch);
        const removed = live === null ? null : await tools.builds.store(live.digest).readReceipt(repository, ref);
        // another repository has this name by now, and is indexed under it
        const isAnother = uid !== undefined && removed?.uid !== undefined && removed.uid !== uid;
        const objectsDeleted = isAnother
          ? 0
          : branch === undefined
            ? await removeFromBuilds(tools, repository, signal)
            : await removeBranch(tools, repository, ref, signal);
        return {
          repository,
          commit: removed?.commit ?? '',
          full: null,
          filesChanged: removed?.files ?? 0,
          objectsWritten: 0,
          objectsDeleted,
          objects: 0,
          embedded: 0,
          embeddingsReused: 0,
          skipped: {},
          durationMs: Date.now() - started,
        };
      }),
  };
}

/** Runs work that fetches, then reduces the cache even if the work failed: after a full disk the next run has space. */
async function withRoom<Result>(tools: CatalogTools, work: Promise<Result>): Promise<Result> {
  try {
    return await work;
  } finally {
    await makeRoom(tools);
  }
}

/** Reduces the cache to its limit. Errors are only logged: the next run tries again. */
async function makeRoom(tools: CatalogTools): Promise<void> {
  try {
    const evicted = await tools.tidy();
    for (const { repository, bytes } of evicted) {
      if (repository === null) continue;
      log.info(`the mirror of ${repository} was removed from the cache`, {
        event: 'mirror_evicted',
        repo: repository,
        bytes,
      });
    }
    const contents = evicted.filter(({ repository }) => repository === null);
    if (contents.length === 0) return;
    const bytes = contents.reduce((total, content) => total + content.bytes, 0);
    log.info('old contents and pages were removed from the cache', {
      event: 'contents_evicted',
      files: contents.length,
      bytes,
    });
  } catch (error) {
    log.warn('the cache could not be reduced to its limit', { event: 'cache_limit_failed', error });
  }
}

/**
 * Runs the work on the named build, or on the live one. If another build became live in the meantime, runs it again on
 * that one.
 */
async function inLiveBuild(
  tools: CatalogTools,
  build: string | undefined,
  work: (index: IndexTools) => Promise<SyncStep[]>,
): Promise<SyncStep[]> {
  const runs: SyncStep[] = [];
  for (let done: string | undefined; ;) {
    const index = await writable(tools, build);
    if (index.digest === done) return runs;
    runs.push(...(await work(index)));
    done = index.digest;
    if (build !== undefined) return runs;
  }
}

/** The tools of a build. Throws `SchemaMismatch` when this version of Longhaul cannot write to it. */
async function writable(tools: CatalogTools, build: string | undefined): Promise<IndexTools> {
  const index = await tools.index(build);
  if (index.analyzer.digest === index.digest) return index;
  throw new LonghaulError(
    'SchemaMismatch',
    `Build ${index.digest} was made by another version of Longhaul, which splits or reads files differently: it can be ` +
      'searched but not updated. Make a new build with `longhaul index reembed`.',
  );
}

/** The clone URL of a repository that comes as a stream; a `stream:` URL when no provider has it. */
async function cloneUrlOf(mgit: Mgit, id: string, signal: AbortSignal): Promise<string> {
  try {
    return (await mgit.find(id, { signal })).cloneUrl;
  } catch (error) {
    if (error instanceof LonghaulError && error.type === 'RepositoryNotFound') return `${STREAM_URL}${id}`;
    throw error;
  }
}

function outcomeOf(runs: readonly SyncStep[], repository: string, durationMs: number): RepositoryOutcome {
  const sum = (count: (run: SyncStep) => number): number => runs.reduce((total, run) => total + count(run), 0);
  const last = runs.findLast(({ receipt: { ref } }) => ref === DEFAULT_REF);
  return {
    repository,
    commit: last?.receipt.commit ?? '',
    full: runs.find((run) => run.full !== null)?.full ?? null,
    filesChanged: sum((run) => run.filesChanged),
    objectsWritten: sum((run) => run.objectsWritten),
    objectsDeleted: sum((run) => run.objectsDeleted),
    objects: last?.receipt.objects ?? 0,
    embedded: sum((run) => run.embedded),
    embeddingsReused: sum((run) => run.embeddingsReused),
    skipped: last?.skipped ?? {},
    durationMs,
  };
}
