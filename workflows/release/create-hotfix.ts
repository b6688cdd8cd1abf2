import { CancellationScope } from '@temporalio/workflow';
import {
  createHotfixFlow,
  type CreateHotfixInput,
  type CreateHotfixResult,
} from '../../domain/release/flows/hotfix-flow.ts';
import type { HotfixContract, PlanHotfix } from '../../domain/release/promotion/hotfix-steps.ts';
import type { CheckedOf } from '../../domain/shared/flow.ts';
import { failureOf } from '../shared/failure.ts';
import { type Rollback, withRollback } from '../shared/rollback.ts';
import { type FlowStages, stagesOf } from '../shared/stages.ts';
import { act, recordingRefusal } from '../shared/act.ts';
import { commitActivities, lastingLedgerActivities, ledgerActivities, pipelineActivities } from './activities.ts';
import { showGeneration } from './show-generation.ts';

type Given = CheckedOf<typeof createHotfixFlow>;

/** What each stage hands on. */
interface Outputs extends Record<string, unknown> {
  readonly base: { readonly commit: string; readonly versions: readonly string[] };
  readonly branch: { readonly plan: HotfixContract; readonly commit: string };
  readonly generation: { readonly generation: string };
}

/**
 * Creates a hotfix (docs/release.md): a branch from the tag of the released version, with the contract of the next free
 * patch version, and its generation in the ledger.
 */
export function createHotfix(input: CreateHotfixInput): Promise<CreateHotfixResult> {
  const stages = stagesOf<Outputs>(['base', 'branch', 'generation']);
  return recordingRefusal(createHotfixFlow, input, () =>
    withRollback((rollback) => act(createHotfixFlow, input, (given) => create(given, stages, rollback))),
  );
}

async function create(given: Given, stages: FlowStages<Outputs>, rollback: Rollback): Promise<CreateHotfixResult> {
  const { repository, base, issue } = given;
  const found = await stages.run('base', () =>
    commitActivities.findRelease.executeWithOptions({ summary: `find the tag ${base}` }, [
      { repository, version: base },
    ]),
  );
  const { plan, commit } = await stages.run('branch', () => makeBranch(given, found, rollback));
  const { version, branch: name, text } = plan;
  // the point of no return: whether the transaction has happened must be known, so it is not cancelled
  const { generation } = await stages.run('generation', () =>
    CancellationScope.nonCancellable(() =>
      lastingLedgerActivities.openHotfix.executeWithOptions({ summary: 'open the generation' }, [
        { ...given, version, branch: name, text },
      ]),
    ),
  );
  rollback.forget();
  return { base, version, generation, issue, branch: name, commit };
}

/**
 * Pushes the branch of the next free version. One that a run left behind which was ended before it had opened the
 * generation is taken over, since the same hotfix is the same commit; a branch with something else is no free version.
 */
async function makeBranch(given: Given, found: Outputs['base'], rollback: Rollback): Promise<Outputs['branch']> {
  const { repository, base, issue } = given;
  for (let { versions } = found; ;) {
    const plan = await planHotfix(given, { ...found, versions });
    const { version, branch: name, path, text, files } = plan;
    showGeneration({ repository, version });
    const message = `chore: hotfix ${version} of ${base} [${issue}]`;
    const branch = { name, from: found.commit, commit: { message, files: [{ path, content: text }] } };
    rollback.before(`remove the branch ${name}`, () =>
      commitActivities.removeNewBranch.executeWithOptions({ summary: `remove ${name}` }, [
        { repository, branch, files },
      ]),
    );
    try {
      const { commit } = await commitActivities.pushBranch.executeWithOptions({ summary: `push ${name}` }, [
        { repository, branch, files },
      ]);
      return { plan, commit };
    } catch (error) {
      if (failureOf(error).type !== 'BranchConflict') throw error;
      versions = [...versions, version];
    }
  }
}

/** The next free version, with its branch and contract, from the contracts that it is proven by. */
async function planHotfix(given: Given, { commit, versions }: Outputs['base']): Promise<HotfixContract> {
  const contracts = await contractsOf(given, commit);
  return ledgerActivities.planHotfix.executeWithOptions({ summary: 'the next free version' }, [
    { ...given, commit, versions, ...contracts },
  ]);
}

/** The contracts of the released commit; those of the default branch when the release is from before them. */
async function contractsOf(
  { repository, base }: Given,
  commit: string,
): Promise<Pick<PlanHotfix, 'contracts' | 'isTaken'>> {
  const released = await commitActivities.packCommit.executeWithOptions({ summary: `pack ${base}` }, [
    { repository, commit },
  ]);
  const { contracts, lacksContracts } = await pipelineActivities.readCommit.executeWithOptions(
    { summary: 'read its contracts' },
    [{ repository, packed: released, mayLackContracts: true }],
  );
  if (!lacksContracts) return { contracts, isTaken: false };
  const packed = await commitActivities.packCommit.executeWithOptions({ summary: 'pack the default branch' }, [
    { repository },
  ]);
  const current = await pipelineActivities.readCommit.executeWithOptions(
    { summary: 'read the contracts of the default branch' },
    [{ repository, packed }],
  );
  return { contracts: current.contracts, isTaken: true };
}
