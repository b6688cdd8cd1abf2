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
  does: 'indexes what changed at HEAD and at each indexed branch since its receipt; `branches` are indexed [in addition to HEAD](sync-groups.md#branches)',
  examples: [{ repository: 'work/acme/api' }, { repository: 'work/acme/api', branches: ['release/*'] }],
  startedBy: ['people', 'services', 'flows'],
  id: ({ repository, build }) => repositoryLock(idOf(repository), build),
  // the clone URL and the group do not change the result
  question: ({ repository, group: _group, onlyIndexed = false, branches = [], ...rest }) => ({
    ...rest,
    repository: idOf(repository),
    onlyIndexed,
    branches: branches.toSorted(),
  }),
  busy: ({ repository }) => repositoryBusy(idOf(repository)),
  summary: ({ repository }) => `syncRepository ${repositoryName(idOf(repository))}`,
  searchAttributes: ({ repository }) => aboutRepository(idOf(repository)),
  // a worker fetches from any address it is given, even its own disk: services may give only an id
  serviceInput: (z) =>
    z.strictObject({
      repository: repositoryIdSchema(z),
      build: buildDigest(z).optional(),
      onlyIndexed: z.boolean().optional(),
      branches: branchList(z).optional(),
    }),
});

/** Removes one repository, or one branch of it, from the index. */
export const removeRepositoryFlow = defineFlow<RemoveRepositoryInput, RepositoryOutcome>()({
  type: 'removeRepository',
  input: (z) =>
    z.strictObject({
      repository: repositoryIdSchema(z),
      branch: branchName(z).optional(),
      uid: z.string().min(1).max(200).optional(),
    }),
  does: 'removes one repository, or one `branch` of it, from the index',
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
  // no other run ingests this stream, so it waits until the lock is free
  whenRunning: 'wait',
  busy: ({ repository }) => repositoryBusy(repository),
  summary: ({ repository }) => `ingestStream ${repositoryName(repository)}`,
  searchAttributes: ({ repository }) => aboutRepository(repository),
});

function idOf(repository: string | RepositoryAddress): string {
  return typeof repository === 'string' ? repository : repository.id;
}
