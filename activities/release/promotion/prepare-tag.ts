import type { FinalTag, ReleaseCommit } from '../../../domain/release/promotion/promotion.ts';
import type { LedgerTools } from '../ledger-tools.ts';
import { LonghaulError } from '../../../domain/shared/failures.ts';
import type { LedgerTransaction } from '../../ledger/open-ledger.ts';
import { storeJson } from '../pipelines/stored-plan.ts';
import { notInLedger } from './generation-facts.ts';
import { lastDecision } from './last-decision.ts';

/** The final tag of a generation, and its rows as they are before the promotion. */
export interface PreparedTag {
  readonly tag: FinalTag;
  /** Tags of promotions at other commits that were ended from outside: the remote may have one of them. */
  readonly leftover: readonly FinalTag[];
  /** The tag that was kept when the generation was withdrawn; null for none. */
  readonly kept: KeptTag | null;
  /** Digest of the rows. */
  readonly before: string;
}

/** A tag that was kept by a recorded decision. */
export interface KeptTag {
  /** Full oid of its commit. */
  readonly commit: string;
}

/** The column `final_tags`: by commit. */
type StoredTags = Readonly<Record<string, Omit<FinalTag, 'commit'>>>;

/**
 * See `LedgerActivities.prepareTag`. What the tag of a commit is made of is recorded before it is pushed, and does not
 * change: a promotion that was ended between the tag and its record, or was withdrawn, makes the same object again.
 */
export async function prepareTag(
  { ledger, blobs }: LedgerTools,
  { repository, version, packed: { commit } }: Pick<ReleaseCommit, 'repository' | 'version' | 'packed'>,
): Promise<PreparedTag> {
  const { rows, tags, kept } = await ledger
    .transaction()
    .setIsolationLevel('repeatable read')
    .execute(async (trx) => {
      const end = await trx.selectFrom('ledger').select(['event_id', 'hash']).executeTakeFirstOrThrow();
      const generation = await trx
        .selectFrom('generations')
        .selectAll()
        .where('repository', '=', repository)
        .where('version', '=', version)
        .forUpdate()
        .executeTakeFirst();
      if (generation === undefined) throw notInLedger(repository, version);
      if (generation.status === 'promoted' && generation.commit !== commit) {
        throw new LonghaulError('PromotionRefused', `${version} of ${repository} was promoted by another run.`);
      }
      const { generation_id: id, description } = generation;
      const [changes, evolutions] = await Promise.all([
        trx.selectFrom('generation_changes').selectAll().where('generation_id', '=', id).orderBy('position').execute(),
        trx.selectFrom('evolutions').selectAll().where('generation_id', '=', id).orderBy('rc').execute(),
      ]);
      const known = generation.final_tags as StoredTags;
      const title = [version, description].filter(Boolean).join(': ');
      const made = {
        message: `${title}\n\nLonghaul-Audit: ${end.event_id} ${end.hash}`,
        at: new Date().toISOString(),
      };
      const all: StoredTags = { [commit]: made, ...known };
      await trx
        .updateTable('generations')
        .set({ final_tags: JSON.stringify(all) })
        .where('generation_id', '=', id)
        .execute();
      const { final_tags: _tags, ...before } = generation;
      return {
        rows: { generation: before, changes, evolutions },
        tags: Object.entries(all).map(([of, tag]) => ({ commit: of, ...tag })),
        kept: await keptTag(trx, repository, version),
      };
    });
  const tag = tags.find((each) => each.commit === commit);
  if (tag === undefined) throw new TypeError(`${version} has no tag for ${commit}`);
  return {
    tag,
    leftover: tags.filter((each) => each !== tag && each.commit !== kept?.commit),
    kept,
    before: await storeJson(blobs, rows),
  };
}

/** The tag that was kept when the generation was withdrawn; null for none. */
async function keptTag(trx: LedgerTransaction, repository: string, version: string): Promise<KeptTag | null> {
  const last = await lastDecision(trx, repository, version);
  if (last?.event_type !== 'generation.withdrawn') return null;
  const { tag, commit } = last.details_json as { readonly tag?: string; readonly commit?: string | null };
  return tag === 'keep' && commit != null ? { commit } : null;
}
