import { minEvolutionsOf } from '../../../domain/release/evolutions/policy-check.ts';
import type { LedgerFacts, PromotionKind } from '../../../domain/release/promotion/gates.ts';
import type { PromotedBefore, ProvenCommit } from '../../../domain/release/promotion/promotion.ts';
import type { Generation } from '../../../domain/release/contracts/generation.schema.ts';
import type { Policy } from '../../../domain/release/contracts/policy.schema.ts';
import { LonghaulError } from '../../../domain/shared/failures.ts';
import type { LedgerDatabase } from '../../ledger/open-ledger.ts';

/** A proven commit, and the run that proved it. */
export interface ProvenRun extends ProvenCommit {
  readonly pipeline: string;
  /** Null for a proof without one. */
  readonly run: string | null;
}

/** A generation of the ledger, as a promotion looks at it. */
export interface GenerationFacts extends LedgerFacts {
  /** Null for a generation that the ledger does not have yet. */
  readonly id: string | null;
  readonly status: 'draft' | 'promoted';
  readonly contractDigest: string | null;
  /** Of the release; null for a draft. */
  readonly commit: string | null;
  readonly hotfixOf: string | null;
  /** Null for a draft. */
  readonly promoted: PromotedBefore | null;
  /** The commit of each change's last proof. */
  readonly proven: readonly ProvenRun[];
  /** When the last of these was proven; null when there is none. */
  readonly lastProof: Date | null;
}

/** A generation and the policies that its repository declares. */
export interface DeclaredRelease {
  readonly repository: string;
  readonly generation: Generation;
  readonly policies: readonly Policy[];
}

/** Reads what the ledger knows about a declared generation, with a lock on it or without. */
export async function readFacts(
  ledger: LedgerDatabase,
  { repository, generation: { version, changes: declared }, policies }: DeclaredRelease,
  { lock = false }: { readonly lock?: boolean } = {},
): Promise<GenerationFacts> {
  const query = ledger
    .selectFrom('generations')
    .selectAll()
    .where('repository', '=', repository)
    .where('version', '=', version);
  const found = await (lock ? query.forUpdate() : query).executeTakeFirst();
  const id = found?.generation_id ?? null;
  const rows = await ledger
    .selectFrom('evolutions')
    .select(['tag', 'change_id', 'status', 'superseded_by', 'commit', 'pipeline', 'pipeline_run_id', 'completed_at'])
    .select(({ eb }) => eb('proof', 'is not', null).as('has_proof'))
    .where('generation_id', '=', id ?? '')
    // attempts to prove what was moved to a later generation say nothing about this one
    .where(
      'change_id',
      'in',
      declared.map((change) => change.id),
    )
    .orderBy('rc')
    .execute();
  const passed = new Map(
    rows
      .filter(({ status, has_proof: hasProof, commit }) => status === 'pass' && hasProof === true && commit !== null)
      .map((row) => [row.change_id, row]),
  );
  const times = [...passed.values()].flatMap(({ completed_at: at }) => at ?? []);
  return {
    id,
    status: found?.status ?? 'draft',
    contractDigest: found?.contract_digest ?? null,
    commit: found?.commit ?? null,
    hotfixOf: found?.hotfix_of ?? null,
    promoted:
      found?.promoted_at == null
        ? null
        : {
            at: found.promoted_at.toISOString(),
            changes: declared.length,
            event: 0,
            object: found.tag_object ?? '',
          },
    changes: declared.map((change) => change.id),
    evolutions: rows.map(({ tag, change_id: change, status, superseded_by: supersededBy, has_proof: hasProof }) => ({
      tag,
      change,
      status,
      supersededBy,
      hasProof: hasProof === true,
    })),
    minEvolutions: minEvolutionsOf(policies, declared),
    proven: [...passed.values()].map(({ tag, change_id: change, commit, pipeline, pipeline_run_id: run }) => ({
      tag,
      change,
      commit: commit ?? '',
      pipeline: pipeline ?? '',
      run,
    })),
    lastProof: times.toSorted((a, b) => b.getTime() - a.getTime())[0] ?? null,
  };
}

/** See `LedgerActivities.lastProvenCommit`. */
export async function lastProvenCommit(
  ledger: LedgerDatabase,
  { repository, version }: { readonly repository: string; readonly version: string },
): Promise<string | null> {
  const found = await ledger
    .selectFrom('evolutions')
    .innerJoin('generations', 'generations.generation_id', 'evolutions.generation_id')
    .select('evolutions.commit')
    .where('generations.repository', '=', repository)
    .where('generations.version', '=', version)
    .where('evolutions.status', '=', 'pass')
    .where('evolutions.commit', 'is not', null)
    .orderBy('evolutions.rc', 'desc')
    .limit(1)
    .executeTakeFirst();
  return found?.commit ?? null;
}

/** Refuses to promote a generation as a hotfix that is none. */
export function checkKind(kind: PromotionKind, { hotfixOf }: GenerationFacts, version: string): void {
  if (kind === 'standard' || hotfixOf !== null) return;
  throw new LonghaulError(
    'InvalidInput',
    `${version} is not a hotfix: promote it with \`longhaul generation promote ${version}\`.`,
  );
}

/** The ledger does not have a generation. */
export function notInLedger(repository: string, version: string): LonghaulError {
  return new LonghaulError(
    'InvalidInput',
    `The ledger has no generation ${version} of ${repository}: its first evolution adds it.`,
  );
}
