import { cancellationSignal, heartbeat } from '@temporalio/activity';
import type { RepositoryOutcome, RepositoryPage } from '../domain/catalog/flows.ts';
import type { FullReason } from '../domain/catalog/change.ts';
import { addressOf } from '../domain/catalog/flows.ts';
import { addressOfReceipt, isIndexed, pageOf, STREAM_URL } from '../domain/catalog/plan.ts';
import type { Receipt, Snapshot } from '../domain/catalog/receipt.ts';
import type { RepositoryAddress } from '../domain/catalog/repository.ts';
import type { RepositoryVerification } from '../domain/catalog/verification.ts';
import { LonghaulError } from '../domain/failures.ts';
import { type ChangeSource, ingest, type IngestResult, type IngestTools } from './index/ingest.ts';
import type { StreamSpool } from './index/stream-spool.ts';
import type { Mgit } from './mgit/index.ts';
import type { Planner } from './planner.ts';
import { removeFromIndex } from './removal.ts';
import { verifyRepository } from './verification.ts';

/** One page of a question about many repositories. */
export interface PageRequest {
  /** mgit patterns; null for every repository that is indexed. */
  readonly patterns: readonly string[] | null;
  /** The id after which the page starts. */
  readonly after: string | null;
  readonly limit: number;
}

/** The activities of the catalog's flows. They need git, disk and Weaviate: task queue `longhaul-repos`. */
export interface CatalogActivities {
  /** What `mgit list` finds and the index does not hold yet. */
  listUnindexed(request: PageRequest): Promise<RepositoryPage>;
  /** Indexed repositories whose HEAD moved, asked of mgit in one batch. */
  findChanged(request: PageRequest): Promise<RepositoryPage>;
  /** Indexed repositories that match. */
  findIndexed(request: PageRequest): Promise<RepositoryPage>;
  /** Brings the index of one repository to its HEAD. See `ingest`. */
  indexRepository(request: { readonly repository: string | RepositoryAddress }): Promise<RepositoryOutcome>;
  /** Ingests a spooled change stream. */
  ingestStream(request: { readonly repository: string; readonly stream: string }): Promise<RepositoryOutcome>;
  /** Deletes whatever is kept of a repository, its receipt last. */
  removeRepository(request: { readonly repository: string }): Promise<RepositoryOutcome>;
  /** Repositories whose index has to be looked at: those that number and XOR of their ids tell, or with `full` all. */
  findDiffering(request: PageRequest & { readonly full: boolean }): Promise<RepositoryPage>;
  /** Compares the index of one repository with git, and mends it. See `verifyRepository`. */
  verifyRepository(request: { readonly repository: string; readonly repair: boolean }): Promise<RepositoryVerification>;
}

/** What the catalog's activities work with. */
export interface CatalogTools extends IngestTools {
  readonly mgit: Mgit;
  readonly planner: Planner;
  readonly spool: StreamSpool;
}

/** Between two heartbeats while nothing else reports progress, such as during a long fetch. */
const HEARTBEAT_MS = 5_000;

/** See {@link CatalogActivities}. */
export function createCatalogActivities(tools: CatalogTools): CatalogActivities {
  const { mgit, store, spool, planner } = tools;
  const { digest } = tools.analyzer;

  return {
    listUnindexed: ({ patterns, after, limit }) =>
      heartbeating(async (signal) => pageOf(await planner.onboarding(patterns ?? ['*/*/*'], signal), after, limit)),

    findChanged: ({ patterns, after, limit }) =>
      heartbeating(async (signal) => pageOf(await planner.sync(patterns, signal), after, limit)),

    findIndexed: ({ patterns, after, limit }) =>
      heartbeating(async () => pageOf(await planner.removal(patterns), after, limit)),

    indexRepository: ({ repository }) =>
      heartbeating(async (signal, report) => {
        const started = Date.now();
        const id = typeof repository === 'string' ? repository : repository.id;
        const before = await store.readReceipt(id);
        const address =
          typeof repository === 'object'
            ? repository
            : before
              ? addressOfReceipt(before)
              : addressOf(await mgit.find(id, { signal }));
        const runs = await bringUpToDate(tools, address, before, { signal, onProgress: report });
        return outcomeOf(runs, id, Date.now() - started);
      }),

    ingestStream: ({ repository, stream }) =>
      heartbeating(async (signal, report) => {
        const started = Date.now();
        const previous = await store.readReceipt(repository);
        if (previous !== null && previous.digest !== digest) {
          throw new LonghaulError(
            'SchemaMismatch',
            `${repository} was indexed with another chunker or model: remove it and ingest a full stream.`,
          );
        }
        const source = await spool.open(repository, stream, previous);
        const cloneUrl = previous?.cloneUrl ?? (await cloneUrlOf(mgit, repository, signal));
        const address = { id: repository, cloneUrl };
        const run = await ingest(tools, address, source, previous, { signal, onProgress: report });
        return outcomeOf([{ ...run, full: source.full }], repository, Date.now() - started);
      }),

    findDiffering: ({ patterns, full, after, limit }) =>
      heartbeating(async (signal) => pageOf(await planner.verification(patterns, { full, signal }), after, limit)),

    verifyRepository: ({ repository, repair }) =>
      heartbeating((signal, report) => verifyRepository(tools, repository, { repair, signal, onProgress: report })),

    removeRepository: ({ repository }) =>
      heartbeating(async () => {
        const started = Date.now();
        const receipt = await store.readReceipt(repository);
        const objectsDeleted = await removeFromIndex(tools, repository);
        return {
          repository,
          commit: receipt?.commit ?? '',
          full: null,
          filesChanged: receipt?.files ?? 0,
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

/** Where a repository that comes as a stream can also be fetched from; `stream:` when no provider has it. */
async function cloneUrlOf(mgit: Mgit, id: string, signal: AbortSignal): Promise<string> {
  try {
    return (await mgit.find(id, { signal })).cloneUrl;
  } catch (error) {
    if (error instanceof LonghaulError && error.type === 'RepositoryNotFound') return `${STREAM_URL}${id}`;
    throw error;
  }
}

type Run = IngestResult & Pick<ChangeSource, 'full'>;
type RunOptions = Parameters<typeof ingest>[4];

/**
 * Finishes what an earlier run left under way, exactly to where it was going; then goes on to where HEAD is now. When
 * Weaviate does not hold what git asks for, everything is read once more and compared.
 */
async function bringUpToDate(
  tools: CatalogTools,
  repository: RepositoryAddress,
  previous: Receipt | null,
  options: RunOptions,
): Promise<Run[]> {
  const { digest } = tools.analyzer;
  const runs: Run[] = [];
  let receipt = previous;
  try {
    if (receipt?.pending && receipt.digest === digest) {
      const run = await indexDifference(tools, repository, receipt, { target: receipt.pending }, options);
      runs.push(run);
      receipt = run.receipt;
    }
    const full: FullReason | undefined =
      receipt !== null && receipt.digest !== digest ? 'index-settings-changed' : undefined;
    runs.push(await indexDifference(tools, repository, receipt, full ? { full } : {}, options));
  } catch (error) {
    if (!(error instanceof LonghaulError) || error.type !== 'IndexIncomplete') throw error;
    runs.push(await indexDifference(tools, repository, receipt, { full: 'interrupted-run' }, options));
  }
  return runs;
}

/** mgit's differential since the receipt, ingested. Nothing is written when there is none. */
async function indexDifference(
  tools: CatalogTools,
  repository: RepositoryAddress,
  receipt: Receipt | null,
  question: { readonly target?: Snapshot; readonly full?: FullReason },
  options: RunOptions,
): Promise<Run> {
  const since = receipt !== null && receipt.commit !== '' ? receipt : null;
  const delta = await tools.mgit.diff(repository, since, { ...question, signal: options.signal });
  const { full } = delta;
  if (receipt && isIndexed(receipt, tools.analyzer.digest) && full === null && isSameSnapshot(delta.to, receipt)) {
    return { ...NOTHING_DONE, receipt, full };
  }
  const source: ChangeSource = {
    to: delta.to,
    full,
    changes: () => delta.changes(),
    readOld: (oids) => delta.readOld(oids),
  };
  return { ...(await ingest(tools, repository, source, receipt, options)), full };
}

const NOTHING_DONE: Omit<IngestResult, 'receipt'> = {
  files: 0,
  filesChanged: 0,
  objectsWritten: 0,
  objectsDeleted: 0,
  embedded: 0,
  embeddingsReused: 0,
  skipped: {},
};

function isSameSnapshot(a: Snapshot, b: Snapshot): boolean {
  return a.commit === b.commit && a.tree === b.tree && a.branch === b.branch;
}

function outcomeOf(runs: readonly Run[], repository: string, durationMs: number): RepositoryOutcome {
  const sum = (count: (run: Run) => number): number => runs.reduce((total, run) => total + count(run), 0);
  const last = runs.at(-1);
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

/** Runs an activity's work with a heartbeat every few seconds and the signal that tells it to stop. */
async function heartbeating<Result>(
  work: (signal: AbortSignal, report: (details: unknown) => void) => Promise<Result>,
): Promise<Result> {
  let details: unknown;
  const timer = setInterval(() => heartbeat(details), HEARTBEAT_MS);
  try {
    return await work(cancellationSignal(), (progress) => {
      details = progress;
      heartbeat(progress);
    });
  } finally {
    clearInterval(timer);
  }
}
