import type { CatalogFleetResult } from './fleet.ts';
import { defineFlow } from '../../shared/flow.ts';
import { confirmationSchema } from '../../shared/confirmation.ts';
import type { OnboardInput, RemoveInput, SyncRepositoriesInput, VerifyInput } from './flows.ts';
import {
  branchName,
  hasPatternsOrAll,
  parallel,
  patternList,
  PATTERNS_OR_ALL,
  patternsId,
  patternsSummary,
} from './inputs.ts';

// Two runs over the same patterns ask the same question: inputs left out of `question` only say how to do the work.

/** Indexes the matching repositories that are not indexed yet. */
export const onboardRepositoriesFlow = defineFlow<OnboardInput, CatalogFleetResult>()({
  type: 'onboardRepositories',
  input: (z) =>
    z.strictObject({ patterns: patternList(z), confirm: z.boolean().default(false), parallel: parallel(z) }),
  does: 'runs `mgit list`, waits for a person when `confirm` is true, then starts one `syncRepository` for each repository that is not indexed',
  examples: [{ patterns: ['acme/*'], confirm: true, parallel: 8 }],
  startedBy: ['people', 'services', 'flows'],
  id: ({ patterns }) => patternsId('onboard', patterns),
  question: ({ patterns }) => patterns.toSorted(),
  summary: ({ patterns }) => patternsSummary('onboard', patterns),
  updates: { confirm: confirmationSchema },
});

/** Brings the matching indexed repositories, or all, up to date. */
export const syncRepositoriesFlow = defineFlow<SyncRepositoriesInput, CatalogFleetResult>()({
  type: 'syncRepositories',
  input: (z) =>
    z
      .strictObject({
        patterns: patternList(z).optional(),
        all: z.boolean().default(false),
        parallel: parallel(z),
      })
      .refine(hasPatternsOrAll, PATTERNS_OR_ALL),
  does: 'looks up HEAD and the indexed branches of every indexed repository; starts one `syncRepository` for each repository where one of them moved',
  examples: [{ all: true }, { patterns: ['acme/*'], parallel: 8 }],
  startedBy: ['people', 'services', 'flows'],
  id: ({ patterns }) => patternsId('sync', patterns),
  question: ({ patterns = [] }) => patterns.toSorted(),
  summary: ({ patterns }) => patternsSummary('sync', patterns),
});

/** Removes the matching repositories, or one branch of them, from the index. */
export const removeRepositoriesFlow = defineFlow<RemoveInput, CatalogFleetResult>()({
  type: 'removeRepositories',
  input: (z) => z.strictObject({ patterns: patternList(z), branch: branchName(z).optional(), parallel: parallel(z) }),
  does: 'removes repositories, or one `branch` of them, from the index',
  examples: [{ patterns: ['acme/old-*'] }, { patterns: ['acme/*'], branch: 'release/9' }],
  startedBy: ['people', 'services', 'flows'],
  id: ({ patterns, branch }) => patternsId('remove', patterns, branch),
  question: ({ patterns, branch = null }) => [patterns.toSorted(), branch],
  summary: ({ patterns }) => patternsSummary('remove', patterns),
});

/** Compares the index with git. */
export const verifyCatalogFlow = defineFlow<VerifyInput, CatalogFleetResult>()({
  type: 'verifyCatalog',
  input: (z) =>
    z
      .strictObject({
        patterns: patternList(z).optional(),
        all: z.boolean().default(false),
        full: z.boolean().default(false),
        repair: z.boolean().default(false),
        parallel: parallel(z),
      })
      .refine(hasPatternsOrAll, PATTERNS_OR_ALL),
  does: 'checks the index against git, and repairs it ([below](#verifying))',
  examples: [{ all: true, full: false, repair: false }, { patterns: ['acme/*'] }],
  startedBy: ['people', 'services'],
  id: ({ patterns, ...depth }) => patternsId(verification(depth), patterns),
  question: ({ patterns = [], full, repair }) => [patterns.toSorted(), full, repair],
  summary: ({ patterns, ...depth }) => patternsSummary(verification(depth), patterns),
});

function verification({ full, repair }: { readonly full: boolean; readonly repair: boolean }): string {
  return ['verify', ...(full ? ['full'] : []), ...(repair ? ['repair'] : [])].join('-');
}
