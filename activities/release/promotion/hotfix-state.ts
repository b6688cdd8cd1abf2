import { setTimeout as sleep } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import {
  type AwaitHotfix,
  branchOfHotfix,
  type HotfixKey,
  type HotfixState,
} from '../../../domain/release/promotion/hotfix-steps.ts';
import { LonghaulError } from '../../../domain/shared/failures.ts';
import type { LedgerDatabase } from '../../ledger/open-ledger.ts';

/** See `LedgerActivities.findHotfix`. */
export async function findHotfix(ledger: LedgerDatabase, key: HotfixKey): Promise<HotfixState | null> {
  const { repository } = key;
  const found = await ledger
    .selectFrom('generations as g')
    .innerJoin('generation_changes as c', 'c.generation_id', 'g.generation_id')
    .select(['g.generation_id', 'g.version', 'g.status', 'g.hotfix_of', 'g.branch', 'c.change_id'])
    .where('g.repository', '=', repository)
    .$if('version' in key, (one) => one.where('g.version', '=', 'version' in key ? key.version : ''))
    .$if('base' in key, (one) =>
      one
        .where('g.hotfix_of', '=', 'base' in key ? key.base : '')
        .where('c.change_id', '=', 'base' in key ? key.issue : ''),
    )
    // the latest one: an earlier one with this change was released, and was not enough
    .orderBy('g.created_at', 'desc')
    .orderBy('c.position')
    .limit(1)
    .executeTakeFirst();
  if (found === undefined) return null;
  if (found.hotfix_of === null) {
    throw new LonghaulError('InvalidInput', `${found.version} of ${repository} is not a hotfix.`);
  }
  const evolutions = await ledger
    .selectFrom('evolutions')
    .select(['tag', 'status'])
    .where('generation_id', '=', found.generation_id)
    .orderBy('rc')
    .execute();
  return {
    base: found.hotfix_of,
    version: found.version,
    branch: found.branch ?? branchOfHotfix(found.version),
    issue: found.change_id,
    isPromoted: found.status === 'promoted',
    evolutions,
  };
}

const LOOK_MS = 2_000;
const LONGEST_MS = 3_600_000;

/** See `LedgerActivities.awaitHotfix`. */
export async function awaitHotfix(
  ledger: LedgerDatabase,
  { repository, seen }: AwaitHotfix,
  signal: AbortSignal,
): Promise<HotfixState> {
  const { version } = seen;
  for (const until = Date.now() + LONGEST_MS; ;) {
    const now = await findHotfix(ledger, { repository, version });
    if (now === null) throw new LonghaulError('InvalidInput', `The ledger has no hotfix ${version} of ${repository}.`);
    if (!isDeepStrictEqual(now, seen) || Date.now() >= until) return now;
    await sleep(LOOK_MS, undefined, { signal });
  }
}
