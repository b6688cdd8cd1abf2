import { ApplicationFailure } from '@temporalio/workflow';
import type { DuePart, PartEnd } from '../../domain/release/promotion/publication.ts';
import type { PromotedBefore, ReleaseCommit } from '../../domain/release/promotion/promotion.ts';
import { inLanes } from '../shared/lanes.ts';
import { commitActivities, lastingCommitActivities, lastingLedgerActivities } from './activities.ts';
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

/**
 * Publishes what follows a promotion: notes, the release at the forge with its files, announcements, and the offer of a
 * hotfix. Each step finds what an earlier run did, and is repeated for as long as a server is away. A file that the forge
 * refuses does not keep the others from being published; then this fails with the first refusal. A refused announcement
 * or offer is a line of the result. Returns lines for people.
 */
export async function publishPromotion({
  given,
  released,
  proofs,
  isHotfix,
  promoted,
}: Publishing): Promise<readonly string[]> {
  const { repository, version, kind, by } = given;
  const { commit } = released.packed;
  const { notes } = await lastingCommitActivities.writeNotes.executeWithOptions({ summary: 'write the notes' }, [
    { ...released, proofs },
  ]);
  const release = await lastingCommitActivities.publishRelease.executeWithOptions({ summary: 'publish the release' }, [
    { repository, version, notes },
  ]);
  const url = release?.url ?? null;
  const due = await lastingLedgerActivities.duePublications.executeWithOptions({ summary: 'what is missing' }, [
    { repository, version },
  ]);
  const ends = new Map<DuePart, PartEnd>();
  await inLanes(due, LANES, async (part) => {
    const { name } = part;
    const end =
      part.kind === 'asset'
        ? await lastingCommitActivities.uploadAsset.executeWithOptions({ summary: `upload ${name}`.slice(0, 200) }, [
            { repository, version, asset: part },
          ])
        : await commitActivities.announcePromotion.executeWithOptions({ summary: `announce to ${name}` }, [
            { channel: name, repository, version, kind, commit, by, at: promoted.at, url },
          ]);
    await lastingLedgerActivities.recordPart.executeWithOptions({ summary: `record ${name}`.slice(0, 200) }, [
      { repository, version, part, end },
    ]);
    ends.set(part, end);
  });
  // last, because the default branch takes it in the end: nothing that was released waits for it
  const offered = isHotfix
    ? await lastingCommitActivities.offerHotfix.executeWithOptions({ summary: 'offer the fix' }, [
        { repository, version, commit },
      ])
    : null;
  const backports = isHotfix ? await offerBackports(released, promoted) : [];
  const parts = due.flatMap((part) => {
    const end = ends.get(part);
    return end === undefined ? [] : [{ part, end }];
  });
  const published = [
    `notes: ${notes}`,
    ...(url === null ? [] : [`release: ${url}`]),
    ...parts.map(({ part, end }) => lineOf(part, end)),
    ...(offered === null ? [] : [`fix for the default branch: ${offered.said}`]),
    ...backports,
  ];
  await lastingLedgerActivities.recordPublication.executeWithOptions({ summary: 'record the publication' }, [
    { repository, version, notes, published, by },
  ]);
  for (const { part, end } of parts) {
    if (part.kind !== 'asset' || end.refusal === null) continue;
    const { type, message } = end.refusal;
    throw ApplicationFailure.create({
      type,
      message: `${version} is promoted, but its asset ${part.name} is missing: ${message}`.slice(0, 1_000),
      nonRetryable: true,
    });
  }
  return published;
}

function lineOf(part: DuePart, { status, url, refusal }: PartEnd): string {
  const what = part.kind === 'asset' ? `asset ${part.name}` : `announcement to ${part.name}`;
  if (refusal !== null) return `${what}: missing (${refusal.message})`;
  if (status === 'kept' && part.kind === 'asset') return `${what}: blob ${part.digest}`;
  return `${what}: ${url ?? 'sent'}`;
}
