import { Readable } from 'node:stream';
import { activityInfo } from '@temporalio/activity';
import { type Repository, repositoryName } from '../../../domain/git/repository.ts';
import type {
  PartEnd,
  PartRefusal,
  PublishedRelease,
  ReleaseAsset,
} from '../../../domain/release/promotion/publication.ts';
import type { Backport } from '../../../domain/release/promotion/hotfix-steps.ts';
import type { PromotionKind } from '../../../domain/release/promotion/gates.ts';
import type { AlertChannelConfig } from '../../../domain/shared/channels.schema.ts';
import { redact } from '../../../domain/shared/redact.ts';
import { FAILURES, LonghaulError } from '../../../domain/shared/failures.ts';
import { send } from '../../alerts/channels.ts';
import type { BlobStore } from '../../blobs/blob-store.ts';
import type { Forges } from '../../forges/open-forge.ts';
import type { Mgit } from '../../mgit/index.ts';
import { isHighest } from './release-before.ts';

/** A release to publish. */
export interface PublishRelease {
  readonly repository: string;
  /** The tag, which the remote has. */
  readonly version: string;
  /** Digest of the Markdown. */
  readonly notes: string;
}

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

/** A branch that offers a change. */
interface OfferedBranch {
  readonly branch: string;
  /** Address of its pull request; null for a provider without pull requests. */
  readonly url: string | null;
}

/** A file to add to a published release. */
export interface UploadAsset {
  readonly repository: string;
  /** The tag of the release. */
  readonly version: string;
  readonly asset: ReleaseAsset;
}

/** A promotion to announce to a channel. */
export interface AnnouncePromotion {
  /** Name of the channel. */
  readonly channel: string;
  readonly repository: string;
  readonly version: string;
  readonly kind: PromotionKind;
  /** Full oid of the released commit. */
  readonly commit: string;
  readonly by: string;
  /** When it was promoted, ISO 8601. */
  readonly at: string;
  /** Address of the release at the forge; null for none. */
  readonly url: string | null;
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

/** What publishing needs. */
interface PublishTools {
  readonly mgit: Mgit;
  readonly blobs: BlobStore;
  readonly forges: Forges;
}

/** See `CommitActivities.publishRelease`. */
export async function publishRelease(
  { mgit, blobs, forges }: PublishTools,
  { repository: id, version, notes: digest }: PublishRelease,
  signal: AbortSignal,
): Promise<PublishedRelease> {
  const notes = Buffer.concat((await (await blobs.open(digest)).toArray()) as Buffer[]).toString('utf8');
  try {
    const release = await whereThereIsAForge(async () => {
      const forge = forges.of({ id });
      const repository = await mgit.find(id, { signal });
      // a hotfix of an older line is not the latest release
      const isLatest = isHighest(version, await mgit.findTags(repository, 'v', { signal }));
      return forge.putRelease(repository, { tag: version, title: version, notes, isLatest }, signal);
    });
    return { url: release?.url ?? null, refusal: null };
  } catch (error) {
    return { url: null, refusal: refusalOf(error) };
  }
}

/** See `CommitActivities.uploadAsset`. */
export async function uploadAsset(
  { mgit, blobs, forges }: PublishTools,
  { repository: id, version, asset: { name, digest, size } }: UploadAsset,
  signal: AbortSignal,
): Promise<PartEnd> {
  return ended(async () => {
    const repository = await mgit.find(id, { signal });
    const content = { size, sha256: digest, open: () => blobs.open(digest) };
    return forges.of({ id }).putAsset(repository, { tag: version, name, ...content }, signal);
  });
}

/** See `CommitActivities.announcePromotion`. */
export async function announcePromotion(
  { channels, env }: { readonly channels: readonly AlertChannelConfig[]; readonly env: NodeJS.ProcessEnv },
  { channel: name, ...promotion }: AnnouncePromotion,
  signal: AbortSignal,
): Promise<PartEnd> {
  const { repository, version, kind, commit, by, at, url } = promotion;
  const what = kind === 'hotfix' ? `The hotfix ${version}` : version;
  const lines = [
    `Longhaul: ${what} of ${repositoryName(repository)} is promoted`,
    `by ${by}, at ${commit.slice(0, 12)}`,
    ...(url === null ? [] : [url]),
  ];
  const id = `promoted/${repository}/${version}/${at}`;
  return ended(async () => {
    const channel = channels.find((one) => one.name === name);
    if (channel === undefined) {
      throw new LonghaulError('InvalidConfiguration', `The alert channel ${name} is not configured here.`);
    }
    await send(channel, { id, body: { id, event: 'promoted', ...promotion }, text: lines.join('\n') }, env, signal);
    return { url: null };
  });
}

/** The end of an attempt. Failures that may pass are thrown. */
async function ended(work: () => Promise<{ readonly url: string | null }>): Promise<PartEnd> {
  const { attempt: attempts } = activityInfo();
  try {
    const { url } = await work();
    return { status: 'published', attempts, url, refusal: null };
  } catch (error) {
    if (error instanceof LonghaulError && error.type === 'NoForge') {
      return { status: 'kept', attempts, url: null, refusal: null };
    }
    return { status: 'pending', attempts, url: null, refusal: refusalOf(error) };
  }
}

/** A failure that a repetition does not change. Others are thrown. */
function refusalOf(error: unknown): PartRefusal {
  if (!(error instanceof LonghaulError) || FAILURES[error.type].tries !== 1) throw error;
  const { type, message } = error;
  return { type, message: redact(message) };
}

/** See `CommitActivities.offerHotfix`. */
export async function offerHotfix(
  { mgit, forges }: PublishTools,
  { repository: id, version, commit }: OfferHotfix,
  signal: AbortSignal,
): Promise<OfferedHotfix> {
  try {
    const repository = await mgit.find(id, { signal });
    const found = (await mgit.heads([repository], { signal })).get(id);
    if (found instanceof LonghaulError) throw found;
    const base = found?.branch ?? null;
    if (base !== null && (await isContained(mgit, repository, { commit, in: found?.commit ?? '' }, signal))) {
      return { status: 'contained', said: `the branch ${base} has it` };
    }
    const head = `longhaul/merge-${version}`;
    await mgit.pushBranch(repository, { name: head, from: commit, mayHaveGrown: true }, { signal });
    const body = `${version} was released from ${commit}. This brings its fix to ${base}.`;
    const pull =
      base === null
        ? null
        : await whereThereIsAForge(() =>
            forges
              .of({ id })
              .putPull(repository, { head, base, title: `fix: merge the hotfix ${version}`, body }, signal),
          );
    return { status: 'offered', said: pull?.url ?? `branch ${head}` };
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
  tools: PublishTools,
  asked: OfferBackport,
  signal: AbortSignal,
): Promise<string | null> {
  try {
    const offered = await pushBackport(tools, asked, signal);
    return offered && (offered.url ?? `branch ${offered.branch}`);
  } catch (error) {
    return `missing (${refusalOf(error).message})`;
  }
}

/** Pushes the branch and opens the pull request; null for a generation that was released without Longhaul. */
async function pushBackport(
  { mgit, forges }: PublishTools,
  { repository: id, hotfix, at, from, backport: { version, changes, path, text } }: OfferBackport,
  signal: AbortSignal,
): Promise<OfferedBranch | null> {
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
  const base = await defaultBranch(mgit, repository, signal);
  const body =
    `${hotfix} was released with ${ids}. This adds it to the contract of ${version}, which then needs a proof of its own: ` +
    `\`longhaul evolution start ${version} --change ${changes[0] ?? ''}\`, when the fix is merged.`;
  const pull =
    base === null
      ? null
      : await whereThereIsAForge(() => forges.of({ id }).putPull(repository, { head, base, title, body }, signal));
  return { branch: head, url: pull?.url ?? null };
}

async function defaultBranch(
  mgit: Mgit,
  repository: Awaited<ReturnType<Mgit['find']>>,
  signal: AbortSignal,
): Promise<string | null> {
  const found = (await mgit.heads([repository], { signal })).get(repository.id);
  if (found instanceof LonghaulError) throw found;
  return found?.branch ?? null;
}

/** Null for a provider that has only git. */
async function whereThereIsAForge<Result>(work: () => Promise<Result>): Promise<Result | null> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof LonghaulError && error.type === 'NoForge') return null;
    throw error;
  }
}
