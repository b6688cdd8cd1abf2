import { activityInfo } from '@temporalio/activity';
import { repositoryName } from '../../../domain/git/repository.ts';
import type {
  PartEnd,
  PartRefusal,
  PublishedRelease,
  ReleaseAsset,
} from '../../../domain/release/promotion/publication.ts';
import type { PromotionKind } from '../../../domain/release/promotion/gates.ts';
import type { AlertChannelConfig } from '../../../domain/shared/channels.schema.ts';
import { redact } from '../../../domain/shared/redact.ts';
import { FAILURES, LonghaulError } from '../../../domain/shared/failures.ts';
import { send } from '../../alerts/channels.ts';
import type { BlobStore } from '../../blobs/blob-store.ts';
import type { Forges } from '../../forges/open-forge.ts';
import type { Mgit } from '../../mgit/index.ts';
import { isHighest } from '../../../domain/release/promotion/release-before.ts';

/** A release to publish. */
export interface PublishRelease {
  readonly repository: string;
  /** The tag, which the remote has. */
  readonly version: string;
  /** Digest of the Markdown. */
  readonly notes: string;
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

/** What publishing needs. */
export interface PublishTools {
  readonly mgit: Mgit;
  readonly blobs: BlobStore;
  readonly forges: Forges;
}

/** See `CommitActivities.publishRelease`. */
export async function publishRelease(
  { mgit, blobs, forges }: PublishTools,
  { repository: id, version, notes: digest }: PublishRelease,
  signal: AbortSignal,
): Promise<PublishedRelease | null> {
  const notes = Buffer.concat((await (await blobs.open(digest)).toArray()) as Buffer[]).toString('utf8');
  try {
    const release = await whereThereIsAForge(async () => {
      const forge = forges.of({ id });
      const repository = await mgit.find(id, { signal });
      // a hotfix of an older line is not the latest release
      const isLatest = isHighest(version, await mgit.findTags(repository, 'v', { signal }));
      return forge.putRelease(repository, { tag: version, title: version, notes, isLatest }, signal);
    });
    return release === null ? null : { url: release.url, refusal: null };
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
export async function sendAnnouncement(
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
export function refusalOf(error: unknown): PartRefusal {
  if (!(error instanceof LonghaulError) || FAILURES[error.type].tries !== 1) throw error;
  const { type, message } = error;
  return { type, message: redact(message) };
}

/** Null for a provider that has only git. */
export async function whereThereIsAForge<Result>(work: () => Promise<Result>): Promise<Result | null> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof LonghaulError && error.type === 'NoForge') return null;
    throw error;
  }
}
