import pLimit from 'p-limit';
import type { SearchAnswer } from '../../activities/index/search.ts';
import type { Mgit } from '../../activities/mgit/index.ts';
import { branchNames } from '../../domain/catalog/index/refs.ts';
import { matcherAmong, parsePattern } from '../../domain/git/pattern.ts';
import type { Receipt } from '../../domain/catalog/index/receipt.ts';
import { LonghaulError } from '../../domain/shared/failures.ts';
import type { CliContext } from '../core/context.ts';
import { loadedConfig } from '../core/servers.ts';
import type { SearchSession } from '../catalog/search.ts';
import type { IndexReader } from './index-reader.ts';
import { createSharedResource, unlessCancelled } from './cache.ts';
import { nearest } from './nearest.ts';
import { nameShownAs } from '../core/sanitize.ts';

/**
 * The data sources of the tools of one server. Each is opened on first use and then reused. After a connection failure
 * or a change of `longhaul.yaml` it is opened again.
 */
export interface Library {
  /** Throws `ServerUnavailable`, `InvalidInput`. */
  search(question: Parameters<SearchSession['search']>[0], signal: AbortSignal): Promise<SearchAnswer>;
  /** Runs `work` with the index. Throws `ServerUnavailable`. */
  index<Result>(work: (index: IndexReader) => Promise<Result>, signal: AbortSignal): Promise<Result>;
  /** Runs `work` with mgit, a few calls in parallel. */
  mgit<Result>(work: (mgit: Mgit) => Promise<Result>, signal: AbortSignal): Promise<Result>;
  /** The receipts of HEAD of the indexed repositories that match a pattern; all without one. Throws `InvalidInput`. */
  receipts(pattern: string | undefined, signal: AbortSignal): Promise<Receipt[]>;
  /**
   * The receipt of an indexed repository, at HEAD or at a branch. Names are given as answers show them. Throws
   * `InvalidInput` that suggests similar ids, or lists the indexed branches.
   */
  receipt(repository: string, branch: string | undefined, signal: AbortSignal): Promise<Receipt>;
  /** Closes connections and ends threads. */
  close(): Promise<void>;
}

/** Parallel calls of mgit: each starts git. */
const PARALLEL_MGIT = 4;

/** A library for the configuration that `currentContext` returns; it is called before every request. */
export function createLibrary(currentContext: () => CliContext): Library {
  const slot = pLimit(PARALLEL_MGIT);
  let opened: ReturnType<typeof openResources> | null = null;

  function resources(): ReturnType<typeof openResources> {
    const context = currentContext();
    const settings = JSON.stringify([context.config, context.dataDir, context.cacheDir]);
    if (opened?.settings === settings) return opened;
    const old = opened;
    opened = openResources(context, settings);
    // closes when the last request that uses it is answered
    old?.close().catch(() => undefined);
    return opened;
  }

  const library: Library = {
    search: (question, signal) =>
      unlessCancelled(
        resources().session.use((session) => session.search(question)),
        signal,
      ),
    index: (work, signal) => unlessCancelled(resources().index.use(work), signal),
    mgit: (work, signal) =>
      slot(async () => {
        signal.throwIfAborted();
        return work(await resources().mgit());
      }),
    async receipts(pattern, signal) {
      const { providers } = resources();
      const parsed = pattern === undefined ? null : parsePattern(nameShownAs(pattern), providers);
      const receipts = await library.index((index) => index.receipts(), signal);
      if (parsed === null) return receipts;
      const matches = matcherAmong(
        [parsed],
        receipts.map(({ repository }) => repository),
      );
      return receipts.filter(({ repository }) => matches(repository));
    },
    async receipt(shownRepository, shownBranch, signal) {
      const repository = nameShownAs(shownRepository);
      const branch = shownBranch === undefined ? undefined : nameShownAs(shownBranch);
      const receipt = await library.index((index) => index.receipt(repository, branch), signal);
      if (receipt !== null && receipt.commit !== '') return receipt;
      if (branch !== undefined) throw notAtBranch(await library.receipt(shownRepository, undefined, signal), branch);
      throw notIndexed(repository, receipt !== null, await library.receipts(undefined, signal));
    },
    close: async () => {
      const old = opened;
      opened = null;
      await old?.close();
    },
  };
  return library;
}

/** Loads modules and connects only on first use, so that the server answers immediately after its start. */
function openResources(context: CliContext, settings: string) {
  const session = createSharedResource(
    async () => (await import('../catalog/search.ts')).openSearch(context),
    isServerFault,
  );
  const index = createSharedResource(
    async () => (await import('./index-reader.ts')).openIndexReader(context),
    isServerFault,
  );
  let mgit: Promise<Mgit> | null = null;
  return {
    settings,
    session,
    index,
    mgit: () => (mgit ??= openMgit(context)),
    providers: context.config.providers.map(({ name }) => name),
    close: async () => {
      await Promise.all([session.close(), index.close()]);
    },
  };
}

async function openMgit(context: CliContext): Promise<Mgit> {
  const opening = await import('../../activities/mgit/open-mgit.ts');
  return opening.openMgit(loadedConfig(context), context.env);
}

/** False for wrong input, which opening the resource again would not fix. */
function isServerFault(error: unknown): boolean {
  return !(error instanceof LonghaulError && error.type === 'InvalidInput');
}

function notAtBranch(head: Receipt, branch: string): LonghaulError {
  const names = [...(head.branch === null ? [] : [head.branch]), ...branchNames(head)];
  return new LonghaulError(
    'InvalidInput',
    `${head.repository} is not indexed at a branch ${JSON.stringify(branch)}. Its indexed branches: ${names.join(', ') || 'a detached HEAD'}.`,
  );
}

function notIndexed(repository: string, isInProgress: boolean, receipts: readonly Receipt[]): LonghaulError {
  const name = JSON.stringify(repository);
  if (isInProgress) {
    return new LonghaulError(
      'InvalidInput',
      `${name} is being indexed for the first time, or removed: try again later.`,
    );
  }
  if (receipts.length === 0) {
    return new LonghaulError('InvalidInput', 'Nothing is indexed yet: run `longhaul index add --pattern …` first.');
  }
  const near = nearest(
    repository,
    receipts.map((receipt) => receipt.repository),
  );
  const hint = near.length === 0 ? '' : ` Did you mean ${near.join(' or ')}?`;
  return new LonghaulError(
    'InvalidInput',
    `No indexed repository has the id ${name}.${hint} list_repositories lists the ids.`,
  );
}
