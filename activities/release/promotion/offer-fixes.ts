import { Readable } from 'node:stream';
import type { Repository } from '../../../domain/git/repository.ts';
import type { ChangeMove } from '../../../domain/release/train/train.ts';
import type { Backport } from '../../../domain/release/promotion/hotfix-steps.ts';
import { LonghaulError } from '../../../domain/shared/failures.ts';
import type { Mgit } from '../../mgit/index.ts';
import { type PublishTools, refusalOf, whereThereIsAForge } from './publish.ts';

/** A hotfix to offer to the default branch. */
export interface OfferHotfix {
  readonly repository: string;
  readonly version: string;
  /** Full oid of the released commit. */
  readonly commit: string;
}

/** What became of the offer of a hotfix. A refusal is a result: nothing else waits for the offer. */
export interface OfferedHotfix {
  /** `contained`: the default branch has the fix, as the commit or as its patch. `missing`: it was refused. */
  readonly status: 'offered' | 'contained' | 'missing';
  /** A line for people. */
  readonly said: string;
}

/** A hotfix to offer to an open generation. */
export interface OfferBackport {
  readonly repository: string;
  /** The version of the hotfix. */
  readonly hotfix: string;
  /** When it was promoted, ISO 8601: the time of the commit. */
  readonly at: string;
  /** Full oid of the default branch's head, on which the contract was read. */
  readonly from: string;
  readonly backport: Backport;
}

/** What offering needs. */
type OfferTools = Pick<PublishTools, 'mgit' | 'forges'>;

/** See `CommitActivities.offerHotfix`. */
export async function offerHotfix(
  tools: OfferTools,
  { repository: id, version, commit }: OfferHotfix,
  signal: AbortSignal,
): Promise<OfferedHotfix> {
  const { mgit } = tools;
  try {
    const repository = await mgit.find(id, { signal });
    const base = await defaultHead(mgit, repository, signal);
    if (base !== null && (await isContained(mgit, repository, { commit, in: base.commit }, signal))) {
      return { status: 'contained', said: `the branch ${base.branch} has it` };
    }
    const head = `longhaul/merge-${version}`;
    await mgit.pushBranch(repository, { name: head, from: commit, mayHaveGrown: true }, { signal });
    const said = await openPull(
      tools,
      repository,
      {
        head,
        base: base?.branch ?? null,
        title: `fix: merge the hotfix ${version}`,
        body: `${version} was released from ${commit}. This brings its fix to ${base?.branch}.`,
      },
      signal,
    );
    return { status: 'offered', said };
  } catch (error) {
    return { status: 'missing', said: `missing (${refusalOf(error).message})` };
  }
}

/** True when a commit of the remote contains another one: as an ancestor, or as its patch. */
async function isContained(
  mgit: Mgit,
  repository: Repository,
  { commit, in: head }: { readonly commit: string; readonly in: string },
  signal: AbortSignal,
): Promise<boolean> {
  const cover = await mgit.withCommitPack(
    repository,
    head,
    ({ pack }) => {
      const question = {
        commit: head,
        openPack: () => Promise.resolve(Readable.from(pack)),
        commits: [commit],
        patches: true,
      };
      return mgit.withHistory(repository, question, (history) => history.cover(), { signal });
    },
    { signal },
  );
  return ['ancestor', 'patch'].includes(cover.get(commit) ?? '');
}

/** See `CommitActivities.offerBackport`. */
export async function offerBackport(
  tools: OfferTools,
  asked: OfferBackport,
  signal: AbortSignal,
): Promise<string | null> {
  try {
    return await pushBackport(tools, asked, signal);
  } catch (error) {
    return `missing (${refusalOf(error).message})`;
  }
}

/** Pushes the branch and opens the pull request; null for a generation that was released without Longhaul. */
async function pushBackport(
  tools: OfferTools,
  { repository: id, hotfix, at, from, backport: { version, changes, path, text } }: OfferBackport,
  signal: AbortSignal,
): Promise<string | null> {
  const { mgit } = tools;
  const repository = await mgit.find(id, { signal });
  const tags = await mgit.findTags(repository, version, { signal });
  if (tags.some(({ name }) => name === version)) return null;
  const head = `longhaul/${hotfix}-in-${version}`;
  const ids = changes.join(', ');
  const title = `chore: add ${ids} of the hotfix ${hotfix} to ${version}`;
  const commit = { message: title, time: Math.floor(Date.parse(at) / 1_000), files: [{ path, content: text }] };
  try {
    await mgit.pushBranch(repository, { name: head, from, commit }, { signal });
  } catch (error) {
    // an earlier run has offered it, from an earlier head
    if (!(error instanceof LonghaulError && error.type === 'BranchConflict')) throw error;
  }
  const base = (await defaultHead(mgit, repository, signal))?.branch ?? null;
  const body =
    `${hotfix} was released with ${ids}. This adds it to the contract of ${version}, which then needs a proof of its own: ` +
    `\`longhaul evolution start ${version} --change ${changes[0] ?? ''}\`, when the fix is merged.`;
  return openPull(tools, repository, { head, base, title, body }, signal);
}

/** Changes to move from the generation of a train to the next one. */
export interface OfferMove {
  readonly repository: string;
  /** When the train leaves, ISO 8601. */
  readonly departure: string;
  /** The time of the commit, ISO 8601. */
  readonly at: string;
  /** Full oid of the default branch's head, on which the contracts were read. */
  readonly from: string;
  readonly move: ChangeMove;
}

/** See `CommitActivities.offerMove`. */
export async function offerMove(tools: OfferTools, asked: OfferMove, signal: AbortSignal): Promise<string> {
  const { repository: id, departure, at, from, move } = asked;
  const { mgit } = tools;
  try {
    const repository = await mgit.find(id, { signal });
    const head = `longhaul/train-${departure.slice(0, 10)}-${move.from}`;
    const ids = move.changes.join(', ');
    const title = `chore: move ${ids} from ${move.from} to ${move.to}`;
    const files = move.files.map(({ path, text }) => ({ path, content: text }));
    const commit = { message: title, time: Math.floor(Date.parse(at) / 1_000), files };
    await mgit.pushBranch(repository, { name: head, from, commit }, { signal });
    const base = (await defaultHead(mgit, repository, signal))?.branch ?? null;
    const body =
      `The release train with ${move.from} leaves at ${departure.slice(0, 16)}Z, and ${ids} ` +
      `${move.changes.length === 1 ? 'is' : 'are'} not proven. Merge this to release ${move.from} without, and to have ` +
      `${move.changes.length === 1 ? 'it' : 'them'} on the train with ${move.to}; or prove what is missing.`;
    return await openPull(tools, repository, { head, base, title, body }, signal);
  } catch (error) {
    if (signal.aborted) throw error;
    return `missing (${refusalOf(error).message})`;
  }
}

/** A pull request to open; `base` is null for a repository without a default branch. */
interface WantedPull {
  readonly head: string;
  readonly base: string | null;
  readonly title: string;
  readonly body: string;
}

/** Opens a pull request of a pushed branch. Returns its address, or the branch where there are no pull requests. */
async function openPull(
  { forges }: OfferTools,
  repository: Repository,
  { head, base, title, body }: WantedPull,
  signal: AbortSignal,
): Promise<string> {
  const pull =
    base === null
      ? null
      : await whereThereIsAForge(() =>
          forges.of({ id: repository.id }).putPull(repository, { head, base, title, body }, signal),
        );
  return pull?.url ?? `branch ${head}`;
}

/** The default branch as the remote has it; null when it has none. */
async function defaultHead(
  mgit: Mgit,
  repository: Repository,
  signal: AbortSignal,
): Promise<{ readonly branch: string; readonly commit: string } | null> {
  const found = (await mgit.heads([repository], { signal })).get(repository.id);
  if (found instanceof LonghaulError) throw found;
  return found === undefined || found.branch === null ? null : { branch: found.branch, commit: found.commit };
}
