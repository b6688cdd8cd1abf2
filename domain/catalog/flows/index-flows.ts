import type { CatalogFleetResult } from './fleet.ts';
import { type Busy, defineFlow } from '../../shared/flow.ts';
import { confirmationSchema } from '../../shared/confirmation.ts';
import type {
  FillInput,
  PruneInput,
  PruneResult,
  ReembedInput,
  ReembedResult,
  SwitchInput,
  SwitchResult,
} from './build-flows.ts';
import { buildDigest, parallel } from './inputs.ts';
import { storedQueries } from './stored-queries.ts';

/** The lock of flows that add, delete or switch builds: one run at a time. */
const BUILDS_LOCK = 'index-builds';

function indexBusy(): Busy {
  return { type: 'IndexBusy', message: 'Another run is changing the builds of the index.' };
}

/** Rebuilds the index, compares both builds, and switches. */
export const reembedIndexFlow = defineFlow<ReembedInput, ReembedResult>()({
  type: 'reembedIndex',
  input: (z) =>
    z.strictObject({
      model: z.string().min(1).max(100).optional(),
      queries: storedQueries(z).default([]),
      yes: z.boolean().default(false),
      parallel: parallel(z),
    }),
  does: 'makes a new [build](builds.md) while the live one serves searches, compares both and switches to the new one',
  examples: [{ model: 'onnx', queries: [], yes: false }],
  startedBy: ['people', 'services'],
  id: () => BUILDS_LOCK,
  // a run that waits for a confirmation is not the same as one that does not
  question: ({ parallel: _parallel, ...rest }) => rest,
  busy: indexBusy,
  updates: { confirm: confirmationSchema },
});

/** Indexes into a build what is missing in it. */
export const fillBuildFlow = defineFlow<FillInput, CatalogFleetResult>()({
  type: 'fillBuild',
  input: (z) => z.strictObject({ build: buildDigest(z), parallel: parallel(z) }),
  does: 'a part of `reembedIndex`: indexes everything that the live build has into another build',
  examples: [{ build: '0123456789abcdef', parallel: 8 }],
  startedBy: ['flows'],
  id: ({ build }) => `fill/${build}`,
  question: ({ build }) => build,
  busy: indexBusy,
  summary: ({ build }) => `fill build ${build}`,
});

/** Makes another build live. */
export const switchIndexFlow = defineFlow<SwitchInput, SwitchResult>()({
  type: 'switchIndex',
  input: (z) => z.strictObject({ to: z.union([buildDigest(z), z.literal('previous')]) }),
  does: 'makes another build live, in one step',
  examples: [{ to: 'previous' }, { to: '0123456789abcdef' }],
  startedBy: ['people', 'services'],
  id: () => BUILDS_LOCK,
  busy: indexBusy,
});

/** Deletes builds that are not needed. */
export const pruneIndexFlow = defineFlow<PruneInput, PruneResult>()({
  type: 'pruneIndex',
  input: (z) => z.strictObject({ previous: z.boolean().default(false) }),
  does: 'deletes the builds that are not needed',
  examples: [{ previous: false }],
  startedBy: ['people', 'services'],
  id: () => BUILDS_LOCK,
  busy: indexBusy,
});
