import type { GenerationView, MissingPart } from '../../../domain/release/evolutions/describe.ts';
import { canonicalVersion } from '../../../domain/release/contracts/version.ts';
import { missingIn } from '../../../domain/release/promotion/publication.ts';
import type { Publication } from '../promotion/record-publication.ts';
import { approvalProof } from './approval-proof.ts';
import type { LedgerDatabase } from '../../ledger/open-ledger.ts';

/** A generation with its changes and evolutions; null when the ledger does not have it. */
export async function readGeneration(
  ledger: LedgerDatabase,
  repository: string,
  version: string,
): Promise<GenerationView | null> {
  const generation = await ledger
    .selectFrom('generations')
    .select(['generation_id', 'version', 'status', 'description', 'commit', 'branch'])
    .select(['promoted_at', 'promoted_by', 'hotfix_of'])
    .select(approvalProof().as('isApprovalProved'))
    .where('repository', '=', repository)
    .where('version', '=', canonicalVersion(version))
    .executeTakeFirst();
  if (generation === undefined) return null;
  const {
    generation_id: id,
    promoted_at: promotedAt,
    promoted_by: promotedBy,
    hotfix_of: hotfixOf,
    ...rest
  } = generation;
  const [evolutions, changes, missing] = await Promise.all([
    // of thousands of rows: only what is shown
    ledger
      .selectFrom('evolutions')
      .select(['tag', 'change_id', 'status', 'team', 'created_by', 'superseded_by'])
      .select(({ fn }) => fn.coalesce('completed_at', 'created_at').as('time'))
      .where('generation_id', '=', id)
      .orderBy('rc')
      .execute(),
    ledger
      .selectFrom('generation_changes')
      .select(['change_id', 'title', 'status'])
      .where('generation_id', '=', id)
      .orderBy('position')
      .execute(),
    ledger
      .selectFrom('publications')
      .select(['kind', 'name', 'problem'])
      .where('generation_id', '=', id)
      .where('status', '=', 'pending')
      .orderBy('kind')
      .orderBy('name')
      .execute(),
  ]);
  return {
    ...rest,
    promotedAt: promotedAt?.toISOString() ?? null,
    promotedBy,
    hotfixOf,
    evolutions: evolutions.map(
      ({ tag, change_id: change, status, team, created_by: author, superseded_by: supersededBy, time }) => ({
        tag,
        change,
        status,
        time: time.toISOString(),
        team,
        author,
        supersededBy,
      }),
    ),
    changes: changes.map(({ change_id: change, title, status }) => ({ id: change, title, status })),
    // those of a withdrawn promotion are of no use
    missing:
      generation.status === 'promoted'
        ? [...(await missingSincePromotion(ledger, { repository, version: generation.version })), ...missing]
        : [],
  };
}

/** What the last run that published a release could not publish, as it recorded it. */
async function missingSincePromotion(
  ledger: LedgerDatabase,
  { repository, version }: { readonly repository: string; readonly version: string },
): Promise<readonly MissingPart[]> {
  const last = await ledger
    .selectFrom('audit_events')
    .select(['event_type', 'details_json'])
    .where('repository', '=', repository)
    .where('resource_type', '=', 'generation')
    .where('resource_id', '=', version)
    .where('event_type', 'in', ['generation.promoted', 'generation.published'])
    .orderBy('event_id', 'desc')
    .limit(1)
    .executeTakeFirst();
  // promoted by another program, whose ledger was imported
  if (last === undefined) return [];
  if (last.event_type === 'generation.promoted') {
    return [{ kind: 'publication', name: version, problem: 'no run has come to its end' }];
  }
  return missingIn(version, (last.details_json as Pick<Publication, 'published'>).published);
}
