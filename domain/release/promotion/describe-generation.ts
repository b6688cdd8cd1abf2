import { describeSuperseded, type GenerationView } from '../evolutions/describe.ts';
import { doubtLines } from './approval.ts';

/** A generation of a list. */
export interface ListedGeneration {
  readonly version: string;
  readonly status: string;
  readonly description: string;
  /** How many changes it has, and how many of them are proven. */
  readonly changes: number;
  readonly proven: number;
  /** ISO 8601; null for a draft. */
  readonly promotedAt: string | null;
  /** True for a file of the working folder that the ledger does not have. */
  readonly isLocal: boolean;
}

/** What `longhaul generation list` prints. */
export function describeGenerations(generations: readonly ListedGeneration[]): string {
  if (generations.length === 0) return 'No generations. Create one with: longhaul generation new v1.0.0';
  return generations
    .map(({ version, status, description, changes, proven, isLocal }) =>
      [
        `${version} (${isLocal ? `${status}, local` : status})`,
        `${isLocal ? changes : `${proven}/${changes}`} ${isLocal ? 'changes' : 'proven'}`,
        ...(description === '' ? [] : [description]),
      ].join('  '),
    )
    .join('\n');
}

/** What `longhaul generation show` prints. */
export function describeGeneration(generation: GenerationView): string {
  const { version, status, promotedAt, approval, changes, evolutions } = generation;
  const head = [`Generation: ${version}`, `Status: ${status}`];
  if (promotedAt !== null) {
    return [...head, `Promoted at: ${promotedAt.slice(0, 19)}Z`, ...doubtLines(approval)].join('\n');
  }
  // the last one of a change counts
  const proofs = new Map(evolutions.filter((each) => each.status === 'pass').map(({ change, tag }) => [change, tag]));
  const lines = changes.map(({ id, status: end }) => {
    const proof = end === 'proven' ? proofs.get(id) : undefined;
    return proof === undefined ? `  ○ ${id} (not proven)` : `  ✓ ${id} (proven by ${proof})`;
  });
  return [...head, 'Changes:', ...lines, ...describeSuperseded(evolutions)].join('\n');
}

/** A generation, and its tag on the remote. */
export interface GenerationStatus extends GenerationView {
  /** Null when the remote has none. */
  readonly remoteTag: { readonly object: string; readonly commit: string } | null;
}

/** What `longhaul generation status` prints: what stands where, and the command that goes on. */
export function describeStatus(status: GenerationStatus): string {
  const { version, promotedAt, promotedBy, commit, evolutions, remoteTag, hotfixOf, branch, missing } = status;
  const pending = evolutions.filter((each) => each.status === 'pending').map(({ tag, change }) => `${tag} (${change})`);
  const state = promotedAt === null ? status.status : `promoted at ${promotedAt.slice(0, 16)}Z by ${promotedBy ?? ''}`;
  return [
    `Generation: ${version}${hotfixOf === null ? '' : ` (hotfix of ${hotfixOf}, branch ${branch ?? ''})`}`,
    `Ledger: ${state}${commit === null ? '' : `, ${commit.slice(0, 12)}`}`,
    `Remote: ${remoteTag === null ? 'no tag' : `tag ${version} at ${remoteTag.commit.slice(0, 12)}`}`,
    ...doubtLines(status.approval),
    ...(pending.length === 0 ? [] : [`Pending: ${pending.join(', ')}`]),
    ...missing.map(({ kind, name, problem }) => `Missing: ${kind} ${name}${problem === null ? '' : ` (${problem})`}`),
    `Next: ${nextStep(status)}`,
  ].join('\n');
}

function nextStep(status: GenerationStatus): string {
  const { version, promotedAt, commit, changes, evolutions, remoteTag, hotfixOf, missing } = status;
  const promote = `longhaul ${hotfixOf === null ? 'generation' : 'hotfix'} promote ${version}`;
  if (promotedAt !== null) {
    if (remoteTag === null)
      return `the tag was removed by hand: longhaul generation withdraw ${version} --why …, then ${promote}`;
    if (remoteTag.commit !== commit) return 'the tag was moved by hand: find out who did';
    return missing.length === 0 ? 'nothing: it is released' : `${promote} --commit ${version}`;
  }
  if (remoteTag !== null) {
    return `${promote} --commit ${version}, if Longhaul made the tag; else remove or rename the tag ${version} of the remote`;
  }
  const pending = evolutions.find((each) => each.status === 'pending');
  if (pending !== undefined) return `longhaul run PIPELINE --evolution ${pending.tag}`;
  const open = changes.find((change) => change.status !== 'proven');
  if (open !== undefined) return `longhaul evolution start ${version} --change ${open.id}`;
  const failure = evolutions.find(
    (each) => each.status === 'fail' && each.supersededBy === null && changes.some(({ id }) => id === each.change),
  );
  // a hotfix needs one passing evolution of its change, whatever failed
  if (failure === undefined || hotfixOf !== null) return promote;
  return `longhaul evolution start ${version} --change ${failure.change}: no later evolution supersedes the failure ${failure.tag}`;
}
