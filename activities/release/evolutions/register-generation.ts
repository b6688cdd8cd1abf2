import { gt } from 'semver';
import { randomBytes } from 'node:crypto';
import type { Generation } from '../../../domain/release/contracts/generation.schema.ts';
import { LonghaulError } from '../../../domain/shared/failures.ts';
import type { LedgerTransaction } from '../../ledger/open-ledger.ts';

/** A generation as a repository declares it. */
export interface DeclaredGeneration {
  readonly repository: string;
  readonly generation: Generation;
  /** SHA-256 of its file. */
  readonly digest: string;
  readonly by: string;
  /**
   * SHA-256 of contracts, or the beginning of it, that this one replaces: those that it was made from. Null for the
   * contract of the commit that is released, which may edit changes, but not leave one out.
   */
  readonly replaces: readonly string[] | null;
  /** Changes that later generations of the same contracts have: they may have been moved there. @default none */
  readonly later?: readonly string[];
}

/**
 * Makes the ledger's generation the declared one, in the caller's transaction, and returns its id. A draft takes new and
 * edited changes; a change with an evolution keeps its type and cannot be removed. Throws `GenerationDiffers` for that,
 * for a promoted generation whose contract is another one, and for a contract that leaves out or edits changes of one that
 * it was not made from: it may come from an old clone, or from a person who plans another generation of this version. A
 * change that was moved to a later generation is not left out; failed attempts to prove it stay.
 */
export async function registerGeneration(trx: LedgerTransaction, declared: DeclaredGeneration): Promise<string> {
  const { repository, generation, digest, by, replaces } = declared;
  const { version, description, pipeline_template: template = null } = generation;
  const fields = {
    description,
    pipeline_template: template,
    contract: JSON.stringify(generation),
    contract_digest: digest,
  };
  await trx
    .insertInto('generations')
    .values({ generation_id: `gen-${randomBytes(4).toString('hex')}`, repository, version, created_by: by, ...fields })
    .onConflict((conflict) => conflict.columns(['repository', 'version']).doNothing())
    .execute();
  const known = await trx
    .selectFrom('generations')
    .select(['generation_id', 'status', 'contract_digest', 'created_by'])
    .where('repository', '=', repository)
    .where('version', '=', version)
    .forUpdate()
    .executeTakeFirstOrThrow();
  const { generation_id: id } = known;
  if (known.status === 'promoted') {
    if (known.contract_digest === digest) return id;
    throw differs(`${version} of ${repository} was promoted with another contract.`);
  }
  const later = await movedFrom(trx, id, declared);
  if (known.contract_digest !== digest && replaces?.some((each) => known.contract_digest.startsWith(each)) !== true) {
    const differences = await differencesOf(trx, id, generation, { isReleased: replaces === null, later });
    if (differences.length > 0) throw notMadeFrom(known, generation, differences);
  }
  await trx.updateTable('generations').set(fields).where('generation_id', '=', id).execute();
  await registerChanges(trx, id, generation, later);
  return id;
}

/** The changes of the ledger that a contract leaves out or edits; of a released one only those that it leaves out. */
async function differencesOf(
  trx: LedgerTransaction,
  id: string,
  { changes }: Generation,
  { isReleased, later }: { readonly isReleased: boolean; readonly later: readonly string[] },
): Promise<readonly string[]> {
  const known = await trx
    .selectFrom('generation_changes')
    .selectAll()
    .where('generation_id', '=', id)
    .orderBy('position')
    .execute();
  return known.flatMap(({ change_id: change, type, title, description, team, pipeline }) => {
    const declared = changes.find((each) => each.id === change);
    if (declared === undefined) return later.includes(change) ? [] : [`${change} is missing`];
    const isSame =
      declared.type === type &&
      declared.title === title &&
      (declared.description ?? null) === description &&
      (declared.team ?? null) === team &&
      (declared.pipeline ?? null) === pipeline;
    return isSame || isReleased ? [] : [`${change} is another one`];
  });
}

function notMadeFrom(
  { contract_digest: recorded, created_by: by }: { readonly contract_digest: string; readonly created_by: string },
  { version }: Generation,
  differences: readonly string[],
): LonghaulError {
  const ours = recorded.slice(0, 12);
  return differs(
    `The contract of ${version} is not made from the one in the ledger (${ours}, by ${by}): ${differences.join(', ')}. ` +
      `Pull that one; or, if yours replaces it, start an evolution with --replaces ${ours}.`,
  );
}

/**
 * The changes of a generation that may have been moved to a later one: not those that the later one had first, which an old
 * clone knows there only.
 */
async function movedFrom(
  trx: LedgerTransaction,
  id: string,
  { repository, generation: { version }, later = [] }: DeclaredGeneration,
): Promise<readonly string[]> {
  if (later.length === 0) return [];
  const rows = await trx
    .selectFrom('generation_changes as c')
    .innerJoin('generations as g', 'g.generation_id', 'c.generation_id')
    .select(['g.generation_id as generation', 'g.version', 'c.change_id as change', 'c.created_at as at'])
    .where('g.repository', '=', repository)
    .where('c.change_id', 'in', [...later])
    .execute();
  return rows
    .filter((own) => own.generation === id)
    .filter(
      (own) => !rows.some((other) => other.change === own.change && gt(other.version, version) && other.at < own.at),
    )
    .map(({ change }) => change);
}

async function registerChanges(
  trx: LedgerTransaction,
  id: string,
  { version, changes }: Generation,
  later: readonly string[],
): Promise<void> {
  const known = await trx.selectFrom('generation_changes').selectAll().where('generation_id', '=', id).execute();
  const evolved = await trx
    .selectFrom('evolutions')
    .select(['change_id', 'status', 'tag'])
    .where('generation_id', '=', id)
    .execute();
  const isEvolved = (change: string): boolean => evolved.some((each) => each.change_id === change);
  let after = changes.length;
  for (const { change_id: change, type } of known) {
    const declared = changes.find((each) => each.id === change);
    if (declared?.type === type) continue;
    if (declared === undefined && later.includes(change) && isEvolved(change)) {
      const kept = evolved.find((each) => each.change_id === change && !['fail', 'abandoned'].includes(each.status));
      if (kept !== undefined) {
        throw differs(
          `${change} was moved from ${version} to a later generation, but ${kept.tag} ` +
            `${kept.status === 'pass' ? 'has proven it: put it back' : 'is pending: abandon it, or put it back'}.`,
        );
      }
      // its attempts keep their row: it is the contract that says what is in a generation
      await trx
        .updateTable('generation_changes')
        .set({ position: after++ })
        .where('generation_id', '=', id)
        .where('change_id', '=', change)
        .execute();
      continue;
    }
    if (isEvolved(change)) {
      throw differs(
        declared === undefined
          ? `${change} has evolutions, but is no longer in ${version}: put it back.`
          : `${change} has evolutions as "${type}", but ${version} has it as "${declared.type}": change it back.`,
      );
    }
    if (declared === undefined) {
      await trx
        .deleteFrom('generation_changes')
        .where('generation_id', '=', id)
        .where('change_id', '=', change)
        .execute();
    }
  }
  const rows = changes.map(({ id: change, type, title, description, team = null, pipeline = null }, position) => ({
    generation_id: id,
    change_id: change,
    position,
    type,
    title,
    description,
    team,
    pipeline,
  }));
  await trx
    .insertInto('generation_changes')
    .values(rows)
    .onConflict((conflict) =>
      conflict.columns(['generation_id', 'change_id']).doUpdateSet((row) => ({
        position: row.ref('excluded.position'),
        type: row.ref('excluded.type'),
        title: row.ref('excluded.title'),
        description: row.ref('excluded.description'),
        team: row.ref('excluded.team'),
        pipeline: row.ref('excluded.pipeline'),
      })),
    )
    .execute();
}

function differs(message: string): LonghaulError {
  return new LonghaulError('GenerationDiffers', message);
}
