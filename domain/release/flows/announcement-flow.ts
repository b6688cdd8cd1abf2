import { isRepositoryId, NOT_A_REPOSITORY_ID, repositoryName } from '../../git/repository.ts';
import { defineFlow } from '../../shared/flow.ts';
import { canonicalVersion, NOT_A_VERSION, VERSION_FORM } from '../contracts/version.ts';
import type { PromotionKind } from '../promotion/gates.ts';
import type { PartEnd } from '../promotion/publication.ts';
import { releaseAttributes } from './attributes.ts';
import { digest, personName } from '../../shared/request.ts';
import { oid } from './inputs.ts';

/** Input of `announcePromotion`. */
export interface AnnouncePromotionInput {
  readonly repository: string;
  /** Version of the promoted generation: `v1.5.0`. */
  readonly version: string;
  readonly kind: PromotionKind;
  /** Name of the alert channel. */
  readonly channel: string;
  /** Full oid of the released commit. */
  readonly commit: string;
  /** When it was promoted, ISO 8601. */
  readonly at: string;
  /** Address of the release at the forge; null for none. */
  readonly url: string | null;
  /** Digest of the notes of the release. */
  readonly notes: string;
  /** Attempts of earlier runs. */
  readonly attempts: number;
  /** Who promoted it. @default 'unknown' */
  readonly by?: string;
}

/** Announces a promotion to one channel. */
export const announcePromotionFlow = defineFlow<AnnouncePromotionInput, PartEnd>()({
  type: 'announcePromotion',
  act: { event: 'publication', resource: 'generation', action: 'announce', named: ['version'] },
  input: (z) =>
    z.strictObject({
      repository: z.string().refine(isRepositoryId, NOT_A_REPOSITORY_ID),
      version: z.string().regex(VERSION_FORM, NOT_A_VERSION).transform(canonicalVersion),
      kind: z.enum(['standard', 'hotfix']),
      channel: z.string().min(1).max(200),
      commit: oid(z),
      at: z.iso.datetime(),
      url: z.string().max(2_000).nullable(),
      notes: digest(z),
      attempts: z.int().min(0),
      by: personName(z),
    }),
  does: 'announces [a promotion](release.md#files-and-announcements) to one channel, for as long as it takes; the promotion starts it',
  examples: [
    {
      repository: 'work/acme/api',
      version: 'v1.5.0',
      kind: 'standard',
      channel: 'chat',
      commit: '0'.repeat(40),
      at: '2026-01-01T00:00:00.000Z',
      url: null,
      notes: '0'.repeat(64),
      attempts: 0,
    },
  ],
  startedBy: ['flows'],
  id: ({ repository, version, channel }) => `announcement/${repository}/${version}/${channel}`,
  whenRunning: 'refuse',
  busy: ({ version, channel }) => ({ type: 'PipelineBusy', message: `${version} is being announced to ${channel}.` }),
  summary: ({ repository, version, channel }) =>
    `announce ${version} of ${repositoryName(repository)} to ${channel}`.slice(0, 200),
  searchAttributes: releaseAttributes,
  signals: { left: (z) => z.undefined() },
  person: 'by',
});
