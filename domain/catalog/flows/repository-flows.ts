import type { RepositoryOutcome } from './fleet.ts';
import { NO_REPOSITORY, type RepositoryAddress, repositoryName } from '../../git/repository.ts';
import { defineFlow } from '../../shared/flow.ts';
import type { RepositoryVerification } from '../index/verification.ts';
import type { IngestStreamInput, RemoveRepositoryInput, SyncRepositoryInput, VerifyRepositoryInput } from './flows.ts';
import {
  aboutRepository,
  branchList,
  branchName,
  buildDigest,
  repositoryBusy,
  repositoryIdSchema,
  repositoryLock,
} from './inputs.ts';

/** Brings one repository up to date. */
export const syncRepositoryFlow = defineFlow<SyncRepositoryInput, RepositoryOutcome>()({
  type: 'syncRepository',
  input: (z) =>
    z.strictObject({
      repository: z.union([
        repositoryIdSchema(z),
        z.strictObject({
          id: repositoryIdSchema(z),
          cloneUrl: z.string().min(1),
          uid: z.string().min(1).max(200).optional(),
        }),
      ]),
      build: buildDigest(z).optional(),
      onlyIndexed: z.boolean().optional(),
      group: z.string().min(1).max(200).optional(),
      branches: branchList(z).optional(),
    }),
  does: 'indexes what changed since the receipt, of HEAD and of each indexed branch; `branches` are indexed [as well as HEAD](sync-groups.md#branches)',
  examples: [{ repository: 'work/acme/api' }, { repository: 'work/acme/api', branches: ['release/*'] }],
  startedBy: ['people', 'services', 'flows'],
  id: ({ repository, build }) => repositoryLock(idOf(repository), build),
  // where it is cloned from and which group it is for change nothing of what is asked
  question: ({ repository, group: _group, onlyIndexed = false, branches = [], ...rest }) => ({
    ...rest,
    repository: idOf(repository),
    onlyIndexed,
    branches: branches.toSorted(),
  }),
  busy: ({ repository }) => repositoryBusy(idOf(repository)),
  summary: ({ repository }) => `syncRepository ${repositoryName(idOf(repository))}`,
  searchAttributes: ({ repository }) => aboutRepository(idOf(repository)),
  // a worker fetches from any address that it is given, its own disk too: services give an id
  serviceInput: (z) =>
    z.strictObject({
      repository: repositoryIdSchema(z),
      build: buildDigest(z).optional(),
      onlyIndexed: z.boolean().optional(),
      branches: branchList(z).optional(),
    }),
});

/** Takes one repository, or one branch of it, out of the index. */
export const removeRepositoryFlow = defineFlow<RemoveRepositoryInput, RepositoryOutcome>()({
  type: 'removeRepository',
  input: (z) => z.strictObject({ repository: repositoryIdSchema(z), branch: branchName(z).optional() }),
  does: 'takes one repository, or one `branch` of it, out of the index',
  examples: [{ repository: 'work/acme/api' }],
  startedBy: ['flows'],
  id: ({ repository }) => repositoryLock(repository),
  busy: ({ repository }) => repositoryBusy(repository),
  summary: ({ repository }) => `removeRepository ${repositoryName(repository)}`,
  searchAttributes: ({ repository }) => aboutRepository(repository),
});

/** Compares the index of one repository with git. */
export const verifyRepositoryFlow = defineFlow<VerifyRepositoryInput, RepositoryVerification>()({
  type: 'verifyRepository',
  input: (z) =>
    z.strictObject({
      repository: z.union([repositoryIdSchema(z), z.literal(NO_REPOSITORY)]),
      repair: z.boolean().default(false),
    }),
  does: 'compares the index of one repository with git, object by object',
  examples: [{ repository: 'work/acme/api', repair: false }],
  startedBy: ['flows'],
  id: ({ repository }) => repositoryLock(repository),
  busy: ({ repository }) => repositoryBusy(repository),
  summary: ({ repository }) => `verifyRepository ${repositoryName(repository)}`,
  searchAttributes: ({ repository }) => aboutRepository(repository),
});

/** Ingests a change stream of another producer. */
export const ingestStreamFlow = defineFlow<IngestStreamInput, RepositoryOutcome>()({
  type: 'ingestStream',
  input: (z) =>
    z.strictObject({
      repository: repositoryIdSchema(z),
      stream: z.string().regex(/^[0-9a-f]{64}$/, 'must be a SHA-256 in lower-case hex'),
    }),
  does: 'ingests the change stream of another producer, which `longhaul index stdin` stored',
  examples: [{ repository: 'stdin/acme/api', stream: '0'.repeat(64) }],
  startedBy: ['people'],
  id: ({ repository }) => repositoryLock(repository),
  // no other run does what a stream asks for: it waits for its turn
  whenRunning: 'wait',
  busy: ({ repository }) => repositoryBusy(repository),
  summary: ({ repository }) => `ingestStream ${repositoryName(repository)}`,
  searchAttributes: ({ repository }) => aboutRepository(repository),
});

function idOf(repository: string | RepositoryAddress): string {
  return typeof repository === 'string' ? repository : repository.id;
}
