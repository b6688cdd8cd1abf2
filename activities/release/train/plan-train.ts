import { posix } from 'node:path';
import { gt, inc, rcompare } from 'semver';
import { proofs } from '../../../domain/release/promotion/gates.ts';
import { departureAfter } from '../../../domain/release/train/timetable.ts';
import type { ChangeMove, PlanTrain, TrainGeneration, TrainPlan } from '../../../domain/release/train/train.ts';
import { whyWithdrawn, type Withdrawal } from '../../../domain/release/train/withdrawn.ts';
import { LonghaulError } from '../../../domain/shared/failures.ts';
import { readContracts, type StoredContracts } from '../contracts/stored-contracts.ts';
import type { LedgerDatabase } from '../../ledger/open-ledger.ts';
import type { LedgerTools } from '../ledger-tools.ts';
import { readFacts } from '../promotion/generation-facts.ts';
import { lastDecision } from '../promotion/last-decision.ts';
import { moveChanges } from './move-changes.ts';

/** The train as the contracts have it. Throws `InvalidInput` when they have none. */
export function trainOf({ policy }: Pick<StoredContracts, 'policy'>, repository: string) {
  const { train } = policy;
  if (train === undefined) {
    throw new LonghaulError(
      'InvalidInput',
      `The default branch of ${repository} has no release train: add the section train to policy.yaml.`,
    );
  }
  const { deploy_to: environment = null, ...timetable } = train;
  return { ...timetable, environment };
}

/** See `LedgerActivities.planTrain`. */
export async function planTrain(
  { ledger, blobs, hasPeople }: LedgerTools,
  { repository, contracts: stored, tagged, head, after, version, withMove = false }: PlanTrain,
): Promise<TrainPlan> {
  const contracts = await readContracts(blobs, stored, `the default branch of ${repository}`);
  const train = trainOf(contracts, repository);
  const { at, cutOff } = departureAfter(train, new Date(after));
  const departure = at.toISOString();
  const known = await ledger
    .selectFrom('generations')
    .select(['version', 'status'])
    .where('repository', '=', repository)
    .execute();
  const promoted = known.filter(({ status }) => status === 'promoted').map((each) => each.version);
  const latest = [...promoted, ...(tagged === null ? [] : [tagged])].toSorted(rcompare)[0];
  const open = Object.keys(contracts.generations)
    .filter((each) => !promoted.includes(each) && (latest === undefined || gt(each, latest)))
    .toSorted((a, b) => rcompare(b, a));
  const isPinned =
    version !== undefined && (promoted.includes(version) || contracts.generations[version] !== undefined);
  const chosen = isPinned ? version : open[0];
  const declared = chosen === undefined ? undefined : contracts.generations[chosen];
  const left = await ledger
    .selectFrom('audit_events')
    .select('event_id')
    .where('repository', '=', repository)
    .where('event_type', '=', 'train.departed')
    .where('resource_id', '=', departure)
    .executeTakeFirst();
  const shared = { train, departure, cutOff: cutOff.toISOString(), hasLeft: left !== undefined, hasPeople };
  if (chosen === undefined || declared === undefined) {
    const isPromoted = chosen !== undefined && promoted.includes(chosen);
    const gone = chosen === undefined ? null : { version: chosen, isPromoted, withdrawn: null, changes: [] };
    return { ...shared, generation: gone, move: null };
  }
  const facts = await readFacts(ledger, { repository, generation: declared, policies: [] });
  const proven = proofs(facts.evolutions);
  const generation: TrainGeneration = {
    version: chosen,
    isPromoted: facts.status === 'promoted',
    withdrawn:
      facts.status === 'promoted'
        ? null
        : whyWithdrawn(chosen, await withdrawalOf(ledger, repository, chosen), { lastProof: facts.lastProof, head }),
    changes: declared.changes.map(({ id, title }) => ({ id, title, isProven: proven.has(id) })),
  };
  const next = open.find((each) => gt(each, chosen)) ?? null;
  return {
    ...shared,
    generation,
    move: generation.isPromoted || !withMove ? null : moveOf(contracts, generation, next),
  };
}

/** The withdrawal of a generation; null when the last decision about it was another one. */
async function withdrawalOf(ledger: LedgerDatabase, repository: string, version: string): Promise<Withdrawal | null> {
  const last = await ledger.transaction().execute((trx) => lastDecision(trx, repository, version));
  if (last?.event_type !== 'generation.withdrawn') return null;
  const { commit = null } = last.details_json as { readonly commit?: string | null };
  return { why: last.why, at: new Date(last.timestamp), commit };
}

/** The changes that are not proven go to the next open generation; to a new one where there is none. */
function moveOf(
  contracts: StoredContracts,
  { version, changes }: TrainGeneration,
  next: string | null,
): ChangeMove | null {
  const unproven = changes.filter(({ isProven }) => !isProven).map(({ id }) => id);
  const file = contracts.fileOfGeneration(version);
  // a generation has at least one change
  if (file === null || unproven.length === 0 || unproven.length === changes.length) return null;
  const to = next ?? `v${inc(version, 'minor') ?? ''}`;
  const target = contracts.fileOfGeneration(to);
  const texts = moveChanges(file.text, { text: target?.text ?? null, version: to }, unproven);
  const pathOf = (path: string): string => posix.join(contracts.folder, path);
  return {
    from: version,
    to,
    changes: unproven,
    files: [
      { path: pathOf(file.path), text: texts.from },
      { path: pathOf(target?.path ?? `generations/${to}.yaml`), text: texts.to },
    ],
  };
}
