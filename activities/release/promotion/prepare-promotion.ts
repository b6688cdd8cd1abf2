import { lt, rcompare } from 'semver';
import type { PreparedPromotion, PreparePromotion } from '../../../domain/release/promotion/promotion.ts';
import { LonghaulError } from '../../../domain/shared/failures.ts';
import { changesAfter } from '../contracts/stored-contracts.ts';
import { registerGeneration } from '../evolutions/register-generation.ts';
import type { LedgerTools } from '../ledger-tools.ts';
import { storeJson } from '../pipelines/stored-plan.ts';
import { checkKind, readFacts } from './generation-facts.ts';
import { readRelease } from './read-release.ts';
import type { KnownRelease, LedgerBefore } from '../../../domain/release/promotion/release-before.ts';
import { treeRuns } from './tree-runs.ts';

/** The proven commits of a generation, and the release before it, as the blob store has them. */
export interface StoredProofs extends LedgerBefore {
  readonly version: string;
  readonly proven: readonly { readonly tag: string; readonly change: string; readonly commit: string }[];
}

/** See `LedgerActivities.preparePromotion`. */
export async function preparePromotion(tools: LedgerTools, released: PreparePromotion): Promise<PreparedPromotion> {
  const { repository, version, kind, packed, by, isDryRun } = released;
  const { ledger, blobs } = tools;
  const { contracts, generation, digest } = await readRelease(blobs, released);
  const declared = { repository, generation, policies: contracts.policy.policies };
  const facts = await readFacts(ledger, declared);
  checkKind(kind, facts, version);
  if (facts.status === 'promoted' && facts.commit !== packed.commit) {
    throw new LonghaulError(
      'InvalidInput',
      `${version} of ${repository} is promoted at ${facts.commit?.slice(0, 12)}: ` +
        '`--commit` with it publishes what is missing; `longhaul generation withdraw` takes it back.',
    );
  }
  // a generation without evolutions cannot be promoted; a dry run changes nothing
  if (!isDryRun && facts.id !== null) {
    const later = changesAfter(contracts, version);
    const registered = { repository, generation, digest, by, replaces: null, later };
    await ledger.transaction().execute((trx) => registerGeneration(trx, registered));
  }
  const proven = facts.proven.map(({ tag, change, commit }) => ({ tag, change, commit }));
  const { hotfixOf: base } = facts;
  const before = await lastRelease(tools, { repository, version, base });
  const proofs: StoredProofs = { version, proven, before, base };
  return {
    promoted: facts.promoted,
    isHotfix: facts.hotfixOf !== null,
    proofs: await storeJson(blobs, proofs),
    runs: await treeRuns(tools, facts, { repository, version, tree: packed.tree, contracts }),
  };
}

/** The highest version below this one that is promoted; of a hotfix its base. */
async function lastRelease(
  { ledger }: LedgerTools,
  {
    repository,
    version,
    base,
  }: { readonly repository: string; readonly version: string; readonly base: string | null },
): Promise<KnownRelease | null> {
  const promoted = await ledger
    .selectFrom('generations')
    .select(['version', 'commit'])
    .where('repository', '=', repository)
    .where('status', '=', 'promoted')
    .execute();
  const before = promoted.flatMap(({ version: known, commit }): KnownRelease[] => {
    const isBefore = base === null ? lt(known, version) : known === base;
    return isBefore && commit !== null ? [{ version: known, commit }] : [];
  });
  return before.toSorted((a, b) => rcompare(a.version, b.version))[0] ?? null;
}
