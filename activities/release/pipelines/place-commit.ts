import type { Head } from '../../../domain/git/head.ts';
import { branchOfRef, matchesBranch } from '../../../domain/git/branch.ts';
import type { Repository } from '../../../domain/git/repository.ts';
import type { Baseline, ChooseBaseline, PlaceCommit, PlacedCommit } from '../../../domain/release/pipelines/job.ts';
import { LonghaulError } from '../../../domain/shared/failures.ts';
import type { Mgit } from '../../mgit/index.ts';

/** See `CommitActivities.placeCommit`: the remote is asked, because the caller of a flow may name any branch. */
export async function placeCommit(
  mgit: Mgit,
  { repository: id, commit, branch }: PlaceCommit,
  protectedBranches: readonly string[],
  signal: AbortSignal,
): Promise<PlacedCommit> {
  if (branch !== null && !matchesBranch(protectedBranches, branch)) return { protectedBy: null };
  const repository = await mgit.find(id, { signal });
  const heads = headsOf(await headOf(mgit, repository, branch === null ? protectedBranches : [branch], signal));
  for (const [name, head] of heads) {
    if (!matchesBranch(protectedBranches, name) || (branch !== null && name !== branch)) continue;
    if ((await mgit.containedCommits(repository, head, [commit], { signal })).length > 0) return { protectedBy: name };
  }
  return { protectedBy: null };
}

/** See `CommitActivities.chooseBaseline`. */
export async function chooseBaseline(
  mgit: Mgit,
  { repository: id, branch: named, commit, commits }: ChooseBaseline,
  signal: AbortSignal,
): Promise<Baseline> {
  const repository = await mgit.find(id, { signal });
  const found = await headOf(mgit, repository, named === null ? [] : [named], signal);
  const branch = named ?? found?.branch ?? null;
  const head = branch === null ? undefined : headsOf(found).get(branch);
  if (head === undefined) return { branch: null, commit: null, hasCommit: false };
  const contained = await mgit.containedCommits(repository, head, [commit, ...commits], { signal });
  return {
    branch,
    commit: contained.find((each) => commits.includes(each)) ?? null,
    hasCommit: contained.includes(commit),
  };
}

/** The branches of a head with their commits. */
function headsOf(head: Head | undefined): ReadonlyMap<string, string> {
  const others = [...(head?.branches ?? [])].flatMap(([ref, commit]): [string, string][] => {
    const name = branchOfRef(ref);
    return name === null ? [] : [[name, commit]];
  });
  const heads = head === undefined || head.branch === null ? others : [[head.branch, head.commit] as const, ...others];
  return new Map(heads.filter(([, commit]) => !/^0+$/.test(commit)));
}

async function headOf(
  mgit: Mgit,
  repository: Repository,
  branches: readonly string[],
  signal: AbortSignal,
): Promise<Head | undefined> {
  const asked = branches.length === 0 ? repository : { ...repository, branches };
  const head = (await mgit.heads([asked], { signal })).get(repository.id);
  if (head instanceof LonghaulError) throw head;
  return head;
}
