import { CancellationScope } from '@temporalio/workflow';
import {
  createHotfixFlow,
  type CreateHotfixInput,
  type CreateHotfixResult,
} from '../../domain/release/flows/hotfix-flow.ts';
import type { CheckedOf } from '../../domain/shared/flow.ts';
import { type Rollback, withRollback } from '../shared/rollback.ts';
import { act, recordingRefusal } from './act.ts';
import { commitActivities, lastingLedgerActivities, ledgerActivities, pipelineActivities } from './activities.ts';
import { showGeneration } from './show-generation.ts';

type Given = CheckedOf<typeof createHotfixFlow>;

/**
 * Creates a hotfix (docs/release.md): a branch from the tag of the released version, with the contract of the next free
 * patch version, and its generation in the ledger.
 */
export function createHotfix(input: CreateHotfixInput): Promise<CreateHotfixResult> {
  return recordingRefusal(createHotfixFlow, input, () =>
    withRollback((rollback) => act(createHotfixFlow, input, (given) => create(given, rollback))),
  );
}

async function create(given: Given, rollback: Rollback): Promise<CreateHotfixResult> {
  const { repository, base, issue } = given;
  const { commit: from, versions } = await commitActivities.findRelease.executeWithOptions(
    { summary: `find the tag ${base}` },
    [{ repository, version: base }],
  );
  const packed = await commitActivities.packCommit.executeWithOptions({ summary: `pack ${base}` }, [
    { repository, commit: from },
  ]);
  const { contracts } = await pipelineActivities.readCommit.executeWithOptions({ summary: 'read its contracts' }, [
    { repository, packed },
  ]);
  const plan = await ledgerActivities.planHotfix.executeWithOptions({ summary: 'the next free version' }, [
    { ...given, commit: from, versions, contracts },
  ]);
  const { version, branch: name, path, text } = plan;
  showGeneration({ repository, version });
  const message = `chore: hotfix ${version} of ${base} [${issue}]`;
  const time = Math.floor(Date.now() / 1_000);
  const branch = { name, from, commit: { message, time, files: [{ path, content: text }] } };
  rollback.before(`remove the branch ${name}`, () =>
    commitActivities.removeNewBranch.executeWithOptions({ summary: `remove ${name}` }, [{ repository, branch }]),
  );
  const { commit } = await commitActivities.pushBranch.executeWithOptions({ summary: `push ${name}` }, [
    { repository, branch },
  ]);
  // the point of no return: whether the transaction has happened must be known, so it is not cancelled
  const { generation } = await CancellationScope.nonCancellable(() =>
    lastingLedgerActivities.openHotfix.executeWithOptions({ summary: 'open the generation' }, [
      { ...given, version, branch: name, text },
    ]),
  );
  rollback.forget();
  return { base, version, generation, issue, branch: name, commit };
}
