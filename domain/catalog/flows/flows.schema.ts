import { z } from 'zod';
import { isBranchName } from '../../git/branch.ts';
import { branchList, syncGroup } from '../groups/sync-groups.schema.ts';
import { NO_REPOSITORY, NOT_A_REPOSITORY_ID, isRepositoryId } from '../../git/repository.ts';

const patternList = z.array(z.string().min(1).max(300)).min(1, 'give at least one pattern').max(1_000);
const parallel = z.int().min(1).max(64).default(8);
const digest = z.string().regex(/^[0-9a-f]{16}$/, 'must be the digest of a build: see `longhaul index builds`');
const repositoryId = z.string().refine(isRepositoryId, NOT_A_REPOSITORY_ID);
const branch = z.string().refine(isBranchName, 'must be the name of a branch');
const address = z.strictObject({
  id: repositoryId,
  cloneUrl: z.string().min(1),
  uid: z.string().min(1).max(200).optional(),
});

const PATTERNS_OR_ALL = 'give either patterns or "all": true';
const oneOfPatternsAndAll = ({ patterns, all }: { patterns?: string[] | undefined; all: boolean }): boolean =>
  all !== (patterns !== undefined);

/** Questions that are kept to compare builds with (docs/search.md). */
const storedQueries = z
  .array(
    z.strictObject({
      query: z.string().min(1).max(1_000),
      repo: z.string().min(1).max(300).optional(),
      expect: z.array(z.string().min(1).max(4_096)).max(50).optional(),
    }),
  )
  .max(500);

/** A file of stored queries. */
export const queriesFile = z.strictObject({ queries: storedQueries.min(1, 'give at least one query') });

/** The inputs of the catalog's flows, by workflow type: what each flow checks before anything else. */
export const FLOW_INPUTS = {
  onboardRepositories: z.strictObject({ patterns: patternList, confirm: z.boolean().default(false), parallel }),
  syncRepositories: z
    .strictObject({ patterns: patternList.optional(), all: z.boolean().default(false), parallel })
    .refine(oneOfPatternsAndAll, PATTERNS_OR_ALL),
  syncRepository: z.strictObject({
    repository: z.union([repositoryId, address]),
    build: digest.optional(),
    onlyIndexed: z.boolean().optional(),
    group: z.string().min(1).max(200).optional(),
    branches: branchList.optional(),
  }),
  removeRepositories: z.strictObject({ patterns: patternList, branch: branch.optional(), parallel }),
  verifyCatalog: z
    .strictObject({
      patterns: patternList.optional(),
      all: z.boolean().default(false),
      full: z.boolean().default(false),
      repair: z.boolean().default(false),
      parallel,
    })
    .refine(oneOfPatternsAndAll, PATTERNS_OR_ALL),
  verifyRepository: z.strictObject({
    repository: z.union([repositoryId, z.literal(NO_REPOSITORY)]),
    repair: z.boolean().default(false),
  }),
  removeRepository: z.strictObject({ repository: repositoryId, branch: branch.optional() }),
  followRepository: z.strictObject({
    repository: repositoryId,
    quietSeconds: z.number().min(0).max(3_600).default(10),
  }),
  reembedIndex: z.strictObject({
    model: z.string().min(1).max(100).optional(),
    queries: storedQueries.default([]),
    yes: z.boolean().default(false),
    parallel,
  }),
  fillBuild: z.strictObject({ build: digest, parallel }),
  switchIndex: z.strictObject({ to: z.union([digest, z.literal('previous')]) }),
  pruneIndex: z.strictObject({ previous: z.boolean().default(false) }),
  applySyncGroups: z.strictObject({
    document: z.string().min(1, 'give the text of sync-groups.yaml'),
    source: z.strictObject({
      file: z.string().min(1).max(4_096),
      commit: z
        .string()
        .regex(/^[0-9a-f]{40}([0-9a-f]{24})?$/, 'must be a whole commit id')
        .nullable()
        .default(null),
      by: z.string().min(1).max(200),
    }),
    prune: z.boolean().default(false),
  }),
  syncGroup,
  ingestStream: z.strictObject({
    repository: repositoryId,
    stream: z.string().regex(/^[0-9a-f]{64}$/, 'must be a SHA-256 in lower-case hex'),
  }),
} as const;

/** A workflow type whose input is checked by {@link FLOW_INPUTS}. */
export type CheckedFlow = keyof typeof FLOW_INPUTS;

/** The flows that services may start over HTTP (docs/gateway.md). */
export const STARTABLE_FLOWS = [
  'applySyncGroups',
  'onboardRepositories',
  'syncRepositories',
  'syncRepository',
  'removeRepositories',
  'verifyCatalog',
  'reembedIndex',
  'switchIndex',
  'pruneIndex',
  'followRepository',
] as const satisfies readonly CheckedFlow[];
/** One of {@link STARTABLE_FLOWS}. */
export type StartableFlow = (typeof STARTABLE_FLOWS)[number];

/** What services may give these flows: a repository by its id only. A worker fetches from any address that it is given, its own disk too. */
export const SERVICE_INPUTS = {
  ...FLOW_INPUTS,
  syncRepository: FLOW_INPUTS.syncRepository.omit({ group: true }).extend({ repository: repositoryId }),
} as const;

/** The updates that services may send to runs over HTTP, by name. Who answered, the gateway says. */
export const FLOW_UPDATES = { confirm: z.strictObject({ proceed: z.boolean() }) } as const;
/** One of {@link FLOW_UPDATES}. */
export type FlowUpdate = keyof typeof FLOW_UPDATES;

/** What services may signal runs over HTTP: one JSON object. */
export const signalInput = z.record(z.string(), z.unknown());
