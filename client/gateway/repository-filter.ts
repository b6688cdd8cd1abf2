import type { Client } from '@temporalio/client';
import { createGroupSchedules } from '../../activities/catalog/groups/schedules.ts';
import { matchesBranch } from '../../domain/git/branch.ts';
import { matchesAny, parsePattern, type Pattern } from '../../domain/git/pattern.ts';
import type { SyncGroup } from '../../domain/catalog/groups/sync-groups.ts';
import type { Config } from '../../domain/config/config.schema.ts';
import { LonghaulError } from '../../domain/shared/failures.ts';

/** How long declared groups are reused. */
const MEMORY_MS = 30_000;
/** Timeout for Temporal: the sender of the message waits. */
const DEADLINE_MS = 4_500;

/**
 * A function that decides whether a repository with this id, or pattern of ids, should be indexed when its forge
 * reports it: it matches `gateway.onboard`, or belongs to one of `groups`. Throws `InvalidConfiguration` for an invalid
 * pattern.
 */
export function repositoryFilter(
  { gateway, providers }: Config,
  groups: () => Promise<readonly Pick<SyncGroup, 'patterns' | 'exclude'>[]>,
): (id: string) => Promise<boolean> {
  const names = providers.map(({ name }) => name);
  const parsed = (texts: readonly string[]): Pattern[] => texts.map((text) => parsePattern(text, names));
  const onboard = gateway.onboard.map((text) => {
    try {
      return parsePattern(text, names);
    } catch (error) {
      if (!(error instanceof LonghaulError)) throw error;
      throw new LonghaulError('InvalidConfiguration', `gateway.onboard: ${error.message}`, { cause: error });
    }
  });
  return async (id) =>
    matchesAny(onboard, id) ||
    (await groups()).some(
      ({ patterns, exclude }) => matchesAny(parsed(patterns), id) && !matchesAny(parsed(exclude), id),
    );
}

/** A function that decides whether a sync group of a repository asks for one of these branches. */
export function branchFilter(
  { providers }: Pick<Config, 'providers'>,
  groups: () => Promise<readonly Pick<SyncGroup, 'patterns' | 'exclude' | 'branches'>[]>,
): (id: string, branches: readonly string[]) => Promise<boolean> {
  const names = providers.map(({ name }) => name);
  const matches = (texts: readonly string[], id: string): boolean =>
    matchesAny(
      texts.map((text) => parsePattern(text, names)),
      id,
    );
  return async (id, branches) =>
    (await groups()).some(
      ({ patterns, exclude, branches: asked }) =>
        branches.some((name) => matchesBranch(asked, name)) && matches(patterns, id) && !matches(exclude, id),
    );
}

/** The sync groups of an index, read again after half a minute. */
export function rememberedGroups(client: Client, indexName: string): () => Promise<readonly SyncGroup[]> {
  const schedules = createGroupSchedules(client, indexName);
  let askedAt = Number.NEGATIVE_INFINITY;
  let known: Promise<readonly SyncGroup[]> = Promise.resolve([]);
  return () => {
    if (performance.now() - askedAt > MEMORY_MS) {
      askedAt = performance.now();
      known = client
        .withDeadline(Date.now() + DEADLINE_MS, () => schedules.list())
        .then((list) => list.map(({ group }) => group));
      // the next message tries again
      known.catch(() => (askedAt = Number.NEGATIVE_INFINITY));
    }
    return known;
  };
}
