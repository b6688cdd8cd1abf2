import { rcompare } from 'semver';
import { stringify } from 'yaml';
import {
  branchOfHotfix,
  type HotfixContract,
  type OpenHotfix,
  type PlanHotfix,
} from '../../../domain/release/promotion/hotfix-steps.ts';
import { nextPatch } from '../../../domain/release/promotion/hotfix.ts';
import { generationFile } from '../../../domain/release/contracts/generation.schema.ts';
import { LonghaulError } from '../../../domain/shared/failures.ts';
import { sha256 } from '../../../platform/sha256.ts';
import { checkYaml } from '../../shared/checked-yaml.ts';
import { recordEvent } from '../../ledger/audit.ts';
import type { ContractFile } from '../contracts/contracts.ts';
import { readContracts, type StoredContracts } from '../contracts/stored-contracts.ts';
import { storeJson } from '../pipelines/stored-plan.ts';
import { registerGeneration } from '../evolutions/register-generation.ts';
import type { RunningFlow } from '../../ledger/acting-flow.ts';
import type { LedgerTools } from '../ledger-tools.ts';

/** See `LedgerActivities.planHotfix`. */
export async function planHotfix(
  { ledger, blobs }: LedgerTools,
  { repository, base, issue, title, commit, versions, contracts: digest, isTaken }: PlanHotfix,
): Promise<HotfixContract> {
  const known = await ledger
    .selectFrom('generations')
    .select(['version', 'status', 'commit'])
    .where('repository', '=', repository)
    .execute();
  const released = known.find((each) => each.version === base);
  if (released?.status === 'promoted' && released.commit !== commit) {
    throw new LonghaulError(
      'GenerationDiffers',
      `The tag ${base} of ${repository} is at ${commit.slice(0, 12)}, but ${base} was promoted at ${released.commit?.slice(0, 12)}.`,
    );
  }
  const version = nextPatch(base, [...versions, ...known.map((each) => each.version)]);
  const about = isTaken ? `the default branch of ${repository}` : `${repository} at ${commit.slice(0, 12)}`;
  const contracts = await readContracts(blobs, digest, about);
  const pipeline = templateOf(contracts, base, isTaken);
  const text = stringify({
    version,
    description: title,
    changes: [{ type: 'fix', id: issue, title }],
    ...(pipeline === undefined ? {} : { pipeline_template: pipeline }),
  });
  const path = `${contracts.folder}/generations/${version}.yaml`;
  const files = isTaken ? await storeJson(blobs, takenFiles(contracts)) : null;
  return { version, branch: branchOfHotfix(version), path, text, files };
}

/** The pipeline of a hotfix; of a version from before its contracts that of the highest one. Undefined for none. */
function templateOf({ generations, policy }: StoredContracts, base: string, isTaken: boolean): string | undefined {
  const [highest] = isTaken ? Object.keys(generations).toSorted(rcompare) : [];
  return (
    generations[base]?.pipeline_template ??
    policy.default_pipeline ??
    (highest === undefined ? undefined : generations[highest]?.pipeline_template)
  );
}

/** Policies and pipelines, which a hotfix of a version without contracts needs in order to be proven. */
function takenFiles({ folder, files }: StoredContracts): readonly ContractFile[] {
  return files
    .filter(({ path }) => !path.startsWith('generations/'))
    .map(({ path, text }) => ({ path: `${folder}/${path}`, text }));
}

/** See `LedgerActivities.openHotfix`. */
export async function openHotfix(
  { ledger }: Pick<LedgerTools, 'ledger'>,
  { repository, base, version, branch, text, issue, by }: OpenHotfix,
  { workflowId, runId, who }: RunningFlow,
): Promise<{ readonly generation: string }> {
  const { value: generation, problems } = checkYaml(generationFile, text, `generations/${version}.yaml`);
  if (generation === null) throw new LonghaulError('InvalidInput', problems.join('\n'));
  const digest = sha256(text);
  return ledger.transaction().execute(async (trx) => {
    const known = await trx
      .selectFrom('generations')
      .select(['generation_id', 'hotfix_of', 'contract_digest'])
      .where('repository', '=', repository)
      .where('version', '=', version)
      .forUpdate()
      .executeTakeFirst();
    // an earlier attempt whose answer was lost
    if (known?.hotfix_of === base && known.contract_digest === digest) return { generation: known.generation_id };
    if (known !== undefined) {
      throw new LonghaulError('GenerationDiffers', `${version} of ${repository} was opened in another way meanwhile.`);
    }
    const id = await registerGeneration(trx, { repository, generation, digest, by, replaces: [] });
    await trx.updateTable('generations').set({ hotfix_of: base, branch }).where('generation_id', '=', id).execute();
    await recordEvent(trx, {
      event_type: 'hotfix.created',
      repository,
      resource_type: 'generation',
      resource_id: version,
      action: 'create hotfix',
      status: 'success',
      ...who,
      workflow_id: workflowId,
      run_id: runId,
      contract_digest: digest,
      details: { base, issue, branch },
    });
    return { generation: id };
  });
}
