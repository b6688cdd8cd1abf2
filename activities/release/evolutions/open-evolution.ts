import type { EvolutionStart, StartEvolution } from '../../../domain/release/evolutions/evolution.ts';
import { checkPolicies } from '../../../domain/release/evolutions/policy-check.ts';
import { LonghaulError } from '../../../domain/shared/failures.ts';
import { type AuditEvent, recordEvent } from '../../ledger/audit.ts';
import { addEvolution } from '../../ledger/evolutions.ts';
import { changesAfter, readContracts } from '../contracts/stored-contracts.ts';
import type { RunningFlow } from '../../ledger/acting-flow.ts';
import type { LedgerTools } from '../ledger-tools.ts';
import { choosePipeline } from './choose-pipeline.ts';
import { registerGeneration } from './register-generation.ts';

/** See `LedgerActivities.startEvolution`. The run of the flow identifies the evolution, so a repetition finds it. */
export async function openEvolution(
  { ledger, blobs }: LedgerTools,
  { repository, version, change: changeId, pipeline: asked, contracts: digest, replaces, by }: StartEvolution,
  { workflowId, runId, who }: RunningFlow,
): Promise<EvolutionStart> {
  const contracts = await readContracts(blobs, digest, repository);
  const generation = contracts.generations[version];
  if (generation === undefined) {
    const known = Object.keys(contracts.generations).join(', ') || 'none';
    throw new LonghaulError('InvalidInput', `${repository} has no generation ${version}; generations: ${known}.`);
  }
  const change = generation.changes.find(({ id }) => id === changeId);
  if (change === undefined) {
    const known = generation.changes.map(({ id }) => id).join(', ');
    throw new LonghaulError('InvalidInput', `${version} has no change ${changeId}; changes: ${known}.`);
  }
  const pipeline = choosePipeline(contracts, asked, { change, generation });
  const checks = checkPolicies(contracts.policy, { version, change, pipeline });
  const isRefused = checks.some(({ violations }) => violations.length > 0);
  const contractDigest = contracts.digestOfGeneration(version) ?? digest;
  const event: Omit<AuditEvent, 'status' | 'resource_id' | 'event_type'> = {
    repository,
    resource_type: 'evolution',
    action: 'start',
    ...who,
    workflow_id: workflowId,
    run_id: runId,
    contract_digest: contractDigest,
  };
  if (isRefused) return { started: null, pipeline: pipeline.name, contract: contractDigest, checks };
  return ledger.transaction().execute(async (trx): Promise<EvolutionStart> => {
    const generationId = await registerGeneration(trx, {
      repository,
      generation,
      digest: contractDigest,
      by,
      replaces,
      later: changesAfter(contracts, version),
    });
    const before = await trx
      .selectFrom('audit_events')
      .select('event_id')
      .where('run_id', '=', runId)
      .where('event_type', '=', 'evolution.started')
      .executeTakeFirst();
    const { status } = await trx
      .selectFrom('generations')
      .select('status')
      .where('generation_id', '=', generationId)
      .executeTakeFirstOrThrow();
    if (status === 'promoted' && before === undefined) {
      throw new LonghaulError(
        'GenerationDiffers',
        `${version} of ${repository} is promoted, so it takes no evolution.`,
      );
    }
    const { rc, tag } = await addEvolution(trx, {
      evolutionId: runId,
      generationId,
      changeId,
      pipeline: pipeline.name,
      team: change.team ?? null,
      createdBy: by,
    });
    if (before === undefined) {
      const details = { change: changeId, pipeline: pipeline.name };
      await recordEvent(trx, {
        ...event,
        event_type: 'evolution.started',
        resource_id: tag,
        status: 'success',
        details,
      });
    }
    return { started: { id: runId, tag, rc }, pipeline: pipeline.name, contract: contractDigest, checks };
  });
}
