import { whyVersionIsKept } from '../../../domain/release/evolutions/kept-version.ts';
import { LonghaulError } from '../../../domain/shared/failures.ts';
import { recordEvent } from '../../ledger/audit.ts';
import type { LedgerTransaction } from '../../ledger/open-ledger.ts';
import { readContracts } from '../contracts/stored-contracts.ts';
import type { RunningFlow } from '../../ledger/acting-flow.ts';
import type { LedgerTools } from '../ledger-tools.ts';
import { notInLedger } from '../promotion/generation-facts.ts';
import { registerGeneration } from './register-generation.ts';

/** A draft that is to have another version. */
export interface RenameGeneration {
  readonly repository: string;
  readonly version: string;
  readonly to: string;
  /** Digest of the contracts with the new file. */
  readonly contracts: string;
  readonly replaces: readonly string[];
  readonly by: string;
}

/** See `LedgerActivities.renameGeneration`. */
export async function renameInLedger(
  { ledger, blobs }: Pick<LedgerTools, 'ledger' | 'blobs'>,
  { repository, version, to, contracts: stored, replaces, by }: RenameGeneration,
  { workflowId, runId, who }: RunningFlow,
): Promise<void> {
  const contracts = await readContracts(blobs, stored, repository);
  const generation = contracts.generations[to];
  const digest = contracts.digestOfGeneration(to);
  if (generation === undefined || digest === null) {
    throw new LonghaulError('InvalidInput', `The contracts of ${repository} have no generation ${to}.`);
  }
  await ledger.transaction().execute(async (trx) => {
    const rows = await trx
      .selectFrom('generations')
      .select(['generation_id', 'version', 'status', 'hotfix_of', 'final_tags', 'contract'])
      .where('repository', '=', repository)
      .where('version', 'in', [version, to])
      .orderBy('version')
      .forUpdate()
      .execute();
    const known = rows.find((each) => each.version === version);
    if (known === undefined) {
      // an earlier run, whose answer was lost
      if (await wasRenamed(trx, { repository, version, to })) return;
      throw notInLedger(repository, version);
    }
    if (rows.length > 1) throw differs(`The ledger has a generation ${to} of ${repository} already.`);
    const { generation_id: id, contract } = known;
    const why = await whyKept(trx, known);
    if (why !== null) throw differs(`${version} of ${repository} ${why}, so it keeps its version.`);
    await trx
      .updateTable('generations')
      .set({ version: to, contract: JSON.stringify({ ...contract, version: to }) })
      .where('generation_id', '=', id)
      .execute();
    await registerGeneration(trx, { repository, generation, digest, by, replaces });
    await recordEvent(trx, {
      event_type: 'generation.renamed',
      repository,
      resource_type: 'generation',
      resource_id: to,
      action: 'rename',
      status: 'success',
      ...who,
      workflow_id: workflowId,
      run_id: runId,
      contract_digest: digest,
      details: { from: version },
    });
  });
}

/** Why a generation keeps its version; null when it does not have to. */
async function whyKept(
  trx: LedgerTransaction,
  generation: {
    readonly generation_id: string;
    readonly status: string;
    readonly hotfix_of: string | null;
    readonly final_tags: object;
  },
): Promise<string | null> {
  const evolution = await trx
    .selectFrom('evolutions')
    .select('tag')
    .where('generation_id', '=', generation.generation_id)
    .limit(1)
    .executeTakeFirst();
  const { status, hotfix_of: hotfixOf } = generation;
  const why = whyVersionIsKept({ status, hotfixOf, hasEvolutions: evolution !== undefined });
  // the remote may have it
  return why ?? (Object.keys(generation.final_tags).length > 0 ? 'has had its final tag' : null);
}

async function wasRenamed(
  trx: LedgerTransaction,
  { repository, version, to }: Pick<RenameGeneration, 'repository' | 'version' | 'to'>,
): Promise<boolean> {
  const last = await trx
    .selectFrom('audit_events')
    .select('details_json')
    .where('repository', '=', repository)
    .where('event_type', '=', 'generation.renamed')
    .where('resource_id', '=', to)
    .orderBy('event_id', 'desc')
    .limit(1)
    .executeTakeFirst();
  return (last?.details_json as { readonly from?: string } | undefined)?.from === version;
}

function differs(message: string): LonghaulError {
  return new LonghaulError('GenerationDiffers', message);
}
