import { ApplicationFailure, CancellationScope } from '@temporalio/workflow';
import {
  describePart,
  type DuePart,
  type PartEnd,
  type PublishedRelease,
} from '../../domain/release/promotion/publication.ts';
import type { PromotedBefore, ReleaseCommit } from '../../domain/release/promotion/promotion.ts';
import { inLanes } from '../shared/lanes.ts';
import { lastingCommitActivities, lastingLedgerActivities } from './activities.ts';
import { announceSoon } from './await-announcement.ts';
import type { Promotion } from './evaluate-promotion.ts';
import { offerBackports } from './offer-backports.ts';

/** Uploads in parallel. */
const LANES = 4;

/** A promotion whose results are to be published. */
export interface Publishing {
  readonly given: Promotion;
  readonly released: ReleaseCommit;
  /** Digest of its proofs. */
  readonly proofs: string;
  /** True for a hotfix, however it was promoted. */
  readonly isHotfix: boolean;
  readonly promoted: Pick<PromotedBefore, 'at'>;
}

/** Of a provider without releases. */
const NO_RELEASE: PublishedRelease = { url: null, refusal: null };

/** The lines of a publication so far, in the order in which people read them. */
interface Published {
  release: string[];
  /** `end`: null for an announcement that goes on. */
  readonly parts: { readonly part: DuePart; readonly end: PartEnd | null }[];
  offers: string[];
}

/**
 * Publishes what follows a promotion: notes, the release at the forge with its files, announcements, and the offer of a
 * hotfix. Each step finds what an earlier run did, and is repeated for as long as a server is away; an announcement that
 * takes longer goes on in a flow of its own. What a forge refuses does not keep the rest from being published; then this
 * fails with the first refusal. A refused announcement or offer is a line of the result. What was published is recorded
 * also when this is cancelled. Returns lines for people.
 */
export async function publishPromotion(publishing: Publishing): Promise<readonly string[]> {
  const { given, released, proofs } = publishing;
  const { repository, version, by } = given;
  const { notes } = await lastingCommitActivities.writeNotes.executeWithOptions({ summary: 'write the notes' }, [
    { ...released, proofs },
  ]);
  const published: Published = { release: [], parts: [], offers: [] };
  let due: readonly DuePart[] = [];
  const lines = (): readonly string[] => [
    `notes: ${notes}`,
    ...published.release,
    ...due
      .flatMap((part) => published.parts.filter((ended) => ended.part === part))
      .map(({ part, end }) => describePart(part, end)),
    ...published.offers,
  ];
  try {
    const release =
      (await lastingCommitActivities.publishRelease.executeWithOptions({ summary: 'publish the release' }, [
        { repository, version, notes },
      ])) ?? NO_RELEASE;
    published.release = releaseLines(release);
    due = await lastingLedgerActivities.duePublications.executeWithOptions({ summary: 'what is missing' }, [
      { repository, version },
    ]);
    await publishParts(publishing, { notes, release, due, published });
    failForRefusal(version, release, published.parts);
  } finally {
    await CancellationScope.nonCancellable(() =>
      lastingLedgerActivities.recordPublication.executeWithOptions({ summary: 'record the publication' }, [
        { repository, version, notes, published: lines(), by },
      ]),
    );
  }
  return lines();
}

/** What is published, and where it is noted. */
interface Parts {
  /** Digest of the notes. */
  readonly notes: string;
  readonly release: PublishedRelease;
  readonly due: readonly DuePart[];
  readonly published: Published;
}

/** Files, announcements and offers. An announcement that a channel does not take soon goes on by itself. */
async function publishParts(publishing: Publishing, { notes, release, due, published }: Parts): Promise<void> {
  const { given, released, isHotfix, promoted } = publishing;
  const { repository, version, kind, by } = given;
  const { commit } = released.packed;
  const finish = async (part: DuePart, end: PartEnd): Promise<void> => {
    await lastingLedgerActivities.recordPart.executeWithOptions({ summary: `record ${part.name}`.slice(0, 200) }, [
      { repository, version, part, end },
    ]);
    published.parts.push({ part, end });
  };
  const files = async (): Promise<void> => {
    await inLanes(due, LANES, async (part) => {
      if (part.kind !== 'asset') return;
      const { refusal } = release;
      // without its release no file can be added
      if (refusal !== null) return finish(part, { status: 'pending', attempts: 0, url: null, refusal });
      const summary = `upload ${part.name}`.slice(0, 200);
      const end = await lastingCommitActivities.uploadAsset.executeWithOptions({ summary }, [
        { repository, version, asset: part },
      ]);
      await finish(part, end);
    });
  };
  const announcements = due.filter(({ kind: of }) => of === 'announcement');
  const announce = (): Promise<void> =>
    inLanes(announcements, announcements.length, async (part) => {
      const { name: channel, attempts } = part;
      const { url } = release;
      const about = { repository, version, kind, channel, commit, by, at: promoted.at, url, notes, attempts };
      published.parts.push({ part, end: await announceSoon(about) });
    });
  const ends = await Promise.allSettled([files(), announce()]);
  const failed = ends.find((end) => end.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
  if (isHotfix) published.offers = await offer(released, promoted);
}

/** Offers a hotfix to the default branch, and to open generations. */
async function offer(released: ReleaseCommit, promoted: Pick<PromotedBefore, 'at'>): Promise<string[]> {
  const { repository, version, packed } = released;
  const { said } = await lastingCommitActivities.offerHotfix.executeWithOptions({ summary: 'offer the fix' }, [
    { repository, version, commit: packed.commit },
  ]);
  return [`fix for the default branch: ${said}`, ...(await offerBackports(released, promoted))];
}

/** Fails when the forge refused the release, or a file of it. */
function failForRefusal(version: string, release: PublishedRelease, parts: Published['parts']): void {
  const refused = [
    { what: 'release', refusal: release.refusal },
    ...parts
      .filter(({ part }) => part.kind === 'asset')
      .map(({ part, end }) => ({ what: `asset ${part.name}`, refusal: end?.refusal ?? null })),
  ];
  for (const { what, refusal } of refused) {
    if (refusal === null) continue;
    throw ApplicationFailure.create({
      type: refusal.type,
      message: `${version} is promoted, but its ${what} is missing: ${refusal.message}`.slice(0, 1_000),
      nonRetryable: true,
    });
  }
}

function releaseLines({ url, refusal }: PublishedRelease): string[] {
  if (refusal !== null) return [`release: missing (${refusal.message})`];
  return url === null ? [] : [`release: ${url}`];
}
