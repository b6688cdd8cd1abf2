import pLimit from 'p-limit';
import type { ProviderConfig } from '../../domain/config/providers.schema.ts';
import type { OpenWork } from '../../domain/forge/open-work.ts';
import { LonghaulError } from '../../domain/shared/failures.ts';
import type { SourceOutcome } from '../../domain/workspace/registry-package.ts';
import type { WorkspaceRepo } from '../../domain/workspace/workspace-snapshot.ts';
import type { Mgit } from '../mgit/index.ts';
import { forgeRepositoryId } from './forge-repository.ts';

/** What forges are asked with. */
export interface AskForgesOptions {
  /** Opened with these providers. */
  readonly mgit: Pick<Mgit, 'openWork'>;
  readonly providers: readonly ProviderConfig[];
  /** Ends the requests. */
  readonly signal?: AbortSignal | undefined;
}

/** What forges say about the repositories of a workspace. */
export interface ForgeAnswers {
  /** By name of repository; those that were skipped are missing. */
  readonly work: ReadonlyMap<string, OpenWork>;
  /** One for each repository with an address at a host. */
  readonly sources: readonly SourceOutcome[];
}

/** Repositories that are asked for in parallel; the forge's budget limits their requests. */
const AT_ONCE = 4;

/**
 * Asks the configured forges for the open issues and pull requests of the repositories of a workspace. A forge's failures
 * are tried again by its client; a repository that still fails is skipped and named.
 */
export async function askForges(
  repos: readonly Pick<WorkspaceRepo, 'name' | 'origin'>[],
  { mgit, providers, signal }: AskForgesOptions,
): Promise<ForgeAnswers> {
  const work = new Map<string, OpenWork>();
  const limit = pLimit(AT_ONCE);
  const sources = await limit.map(repos, async ({ name, origin }): Promise<SourceOutcome | null> => {
    if (origin === null) return null;
    const id = forgeRepositoryId(origin, providers);
    const skipped = (source: string, why: string): SourceOutcome => ({
      source,
      asked: 1,
      found: 0,
      problem: `The issues of ${name} were not read: ${why}`,
    });
    // a folder has no issues
    if (id === null) {
      if (!/^(?:https?|ssh):|^[^/]+@[^/]+:/.test(origin)) return null;
      return skipped(name, `no forge is configured for ${origin}.`);
    }
    try {
      const found = await mgit.openWork(id, { signal });
      if (found === null) return skipped(id, 'the forge has no such repository, or the token may not see it.');
      work.set(name, found);
      const problem = found.isWhole ? null : `Only the latest ${found.items.length} issues of ${name} were read.`;
      return { source: id, asked: 1, found: 1, problem };
    } catch (error) {
      signal?.throwIfAborted();
      if (!(error instanceof LonghaulError)) throw error;
      return skipped(id, `${error.message.replace(/\.$/, '')}.`);
    }
  });
  return { work, sources: sources.filter((one) => one !== null) };
}
