import pLimit from 'p-limit';
import { matcherAmong, parsePattern, type Pattern } from '../../domain/git/pattern.ts';
import type { Head } from '../../domain/git/head.ts';
import { providerOf, type Repository, type RepositoryAddress } from '../../domain/git/repository.ts';
import type { ProviderConfig } from '../../domain/config/providers.schema.ts';
import { LonghaulError } from '../../domain/shared/failures.ts';
import { tidyCache } from './cache-limit.ts';
import { forWriting } from '../forges/writing-account.ts';
import { parseRemote } from '../git/clone-url.ts';
import { withHistory } from './commit-cover.ts';
import { cloneInto } from './clone-into.ts';
import { withCommitPack } from './commit-pack.ts';
import { containedCommits } from './contained-commits.ts';
import { listCommittedFiles, readCommittedFile } from './committed-file.ts';
import { createContentSpool } from './content-spool.ts';
import { differentiate } from './differential.ts';
import { createGit, type GitOwner } from '../git/git.ts';
import type { Mgit } from './mgit.ts';
import { createAzureDevopsProvider } from './providers/azure-devops.ts';
import { createBitbucketProvider } from './providers/bitbucket.ts';
import { createGiteaProvider } from './providers/gitea.ts';
import { createGithubProvider } from './providers/github.ts';
import { createGitlabProvider } from './providers/gitlab.ts';
import { createLocalProvider } from './providers/local.ts';
import { createMgitProvider } from './providers/mgit.ts';
import { withPossibleIds } from './providers/possible-ids.ts';
import type { ListedRepository, Provider } from './providers/provider.ts';
import { forgetMirror } from './mirror.ts';
import { findSnapshot } from './snapshot.ts';
import { findTags } from './find-tags.ts';
import { pushBranch, removePushedBranch } from './push-branch.ts';
import { pushTag, removeTag } from './push-tag.ts';
import { resolveHead } from './resolve-remote.ts';
import type { Access } from './source.ts';
import { findWhereabouts, nameOf } from './whereabouts.ts';

export type { Evicted } from './cache-limit.ts';
export type { CommitPack } from './commit-pack.ts';
export type { CommittedFile } from './committed-file.ts';
export { diffLines } from './diff-lines.ts';
export type { Differential, Goal } from './differential.ts';
export type { Mgit } from './mgit.ts';
export type { ListedRepository } from './providers/provider.ts';
export type { NewBranch, NewCommit, NewFile, PushedBranch } from './push-branch.ts';
export type { FoundTag } from './find-tags.ts';
export type { Removal } from './push-ref.ts';
export { objectOfTag } from './push-tag.ts';
export type { AnnotatedTag, KnownTag, PushedTag } from './push-tag.ts';

/** Options of mgit. */
export interface MgitOptions {
  readonly providers: readonly ProviderConfig[];
  /** Absolute path of the folder for mirrors and caches; it may be deleted at any time nothing runs. */
  readonly cacheDir: string;
  /** Source of tokens. Default: the environment of the process. */
  readonly env?: NodeJS.ProcessEnv;
  /** Larger files are skipped. */
  readonly maxFileBytes: number;
  /** The work that its gits belong to. @default none */
  readonly owner?: GitOwner;
}

/** Opens mgit. Accesses nothing before its first use. */
export function createMgit(options: MgitOptions): Mgit {
  const { cacheDir, maxFileBytes, env = process.env } = options;
  const git = createGit(cacheDir, env, options.owner);
  const providers = options.providers.map((config) => withPossibleIds(createProvider(config, env, cacheDir)));
  /** The same with the accounts that write. */
  const writers = options.providers.map((config) => createProvider(forWriting(config), env, cacheDir));
  const names = providers.map(({ name }) => name);
  const tools = { git, cacheDir, maxFileBytes };

  function access(
    { id, cloneUrl }: RepositoryAddress,
    signal: AbortSignal | undefined,
    accounts: readonly Provider[] = providers,
  ): Access {
    const provider = accounts.find(({ name }) => id.startsWith(`${name}/`));
    return {
      id,
      remote: parseRemote(cloneUrl),
      credentials: () => provider?.credentials() ?? Promise.resolve([]),
      turn: (work) => provider?.turn?.(work, signal) ?? work(),
      signal,
    };
  }

  /** The uid of a local repository; a forge would need a request for it. */
  async function localUid(id: string, signal: AbortSignal | undefined): Promise<string | undefined> {
    const isLocal = options.providers.some(({ name, type }) => type === 'local' && name === providerOf(id));
    const provider = isLocal ? providers.find(({ name }) => name === providerOf(id)) : undefined;
    return (await provider?.find(nameOf(id), signal))?.uid;
  }

  /**
   * The heads that providers report without git. If one has to wait, all wait; any other failure affects only its own
   * repositories.
   */
  async function providerHeads(
    repositories: readonly RepositoryAddress[],
    signal: AbortSignal | undefined,
  ): Promise<Map<string, Head | LonghaulError>> {
    const found = new Map<string, Head | LonghaulError>();
    await Promise.all(
      providers.map(async (provider) => {
        const own = repositories.filter(({ id }) => providerOf(id) === provider.name);
        if (own.length === 0) return;
        try {
          for (const [id, head] of (await provider.heads?.(own, signal)) ?? []) found.set(id, head);
        } catch (error) {
          if (!(error instanceof LonghaulError) || error.waitingFor !== undefined) throw error;
          for (const { id } of own) found.set(id, error);
        }
      }),
    );
    return found;
  }

  /** Lists the providers that the patterns select, filtered by the patterns. */
  async function matching<Found extends Repository>(
    texts: readonly string[],
    list: (provider: Provider, patterns: readonly Pattern[]) => Promise<Found[]>,
  ): Promise<Found[]> {
    const patterns = texts.map((text) => parsePattern(text, names));
    const found = await Promise.all(
      providers.map(async (provider) => {
        const own = patterns.filter(({ provider: name }) => name === null || name === provider.name.toLowerCase());
        return own.length === 0 ? [] : list(provider, own);
      }),
    );
    const listed = found.flat();
    const matches = matcherAmong(
      patterns,
      listed.map(({ id }) => id),
    );
    const meant = listed.filter(({ id }) => matches(id));
    const unique = new Map(meant.map((repository) => [repository.id, repository]));
    return [...unique.values()].sort((a, b) => (a.id < b.id ? -1 : 1));
  }

  return {
    list: (texts, { signal, onPassedOver } = {}) =>
      matching(texts, (provider, patterns) => provider.list(patterns, signal, onPassedOver)),

    listWithHeads: (texts, { signal } = {}) =>
      matching<ListedRepository>(texts, (provider, patterns) =>
        provider.listWithHeads ? provider.listWithHeads(patterns, signal) : provider.list(patterns, signal),
      ),

    async find(id, { signal } = {}) {
      const name = providerOf(id);
      const provider = providers.find((candidate) => candidate.name === name);
      if (provider === undefined) {
        throw new LonghaulError('RepositoryNotFound', `No provider ${name} is configured, so ${id} cannot be found.`);
      }
      const found = await provider.find(nameOf(id), signal);
      if (found === null) throw new LonghaulError('RepositoryNotFound', `Provider ${name} has no repository ${id}.`);
      return found;
    },

    async openWork(id, { signal } = {}) {
      const provider = providers.find(({ name }) => name === providerOf(id));
      return (await provider?.openWork?.(nameOf(id), signal)) ?? null;
    },

    whereabouts: (repositories, { signal } = {}) => findWhereabouts(providers, repositories, signal),

    forget: (id) => forgetMirror(cacheDir, id),

    tidy: (maxBytes) => tidyCache(cacheDir, maxBytes),

    async heads(repositories, { concurrency = 16, listed = [], signal } = {}) {
      const plain = repositories.filter(({ branches }) => branches === undefined);
      const known = headsIn(listed, plain);
      const asked = plain.filter(({ id }) => !known.has(id));
      const reported = new Map([...known, ...(await providerHeads(asked, signal))]);
      const limit = pLimit(concurrency);
      const missing = repositories.filter(({ id }) => !reported.has(id));
      const heads = await limit.map(missing, async (repository): Promise<[string, Head | LonghaulError]> => {
        signal?.throwIfAborted();
        try {
          const head = await resolveHead(git, access(repository, signal), repository.branches);
          const uid = await localUid(repository.id, signal);
          return [repository.id, uid === undefined ? head : { ...head, uid }];
        } catch (error) {
          // a forge that asks to wait is not a failure of one repository
          if (error instanceof LonghaulError && error.waitingFor === undefined) return [repository.id, error];
          throw error;
        }
      });
      return new Map([...reported, ...heads]);
    },

    diff: async (repository, since, { signal, ...rest } = {}) =>
      differentiate(tools, access(repository, signal), since, rest),

    snapshot: async (repository, commit, { signal } = {}) =>
      findSnapshot(git, cacheDir, access(repository, signal), commit),

    readFile: async (repository, commit, path, { signal } = {}) =>
      readCommittedFile(tools, access(repository, signal), commit, path),

    listFiles: async (repository, commit, { signal } = {}) =>
      listCommittedFiles(tools, access(repository, signal), commit),

    withCommitPack: async (repository, commit, work, { signal, pushed = [] } = {}) =>
      withCommitPack(tools, access(repository, signal), commit, pushed, work),

    cloneInto: async (repository, clone, folder, { signal, onStep } = {}) =>
      cloneInto(tools, access(repository, signal), clone, folder, onStep),

    containedCommits: async (repository, head, commits, { signal } = {}) =>
      containedCommits(tools, access(repository, signal), head, commits),

    withHistory: async (repository, question, work, { signal } = {}) =>
      withHistory(tools, access(repository, signal), question, work),

    pushTag: async (repository, tag, openPack, { signal } = {}) =>
      pushTag(tools, access(repository, signal, writers), tag, openPack),

    removeTag: async (repository, tag, { signal } = {}) => removeTag(tools, access(repository, signal, writers), tag),

    pushBranch: async (repository, branch, { signal } = {}) =>
      pushBranch(tools, access(repository, signal, writers), branch),

    removeBranch: async (repository, branch, { signal } = {}) =>
      removePushedBranch(tools, access(repository, signal), branch),

    findTags: async (repository, prefix, { signal } = {}) => findTags(git, access(repository, signal), prefix),

    spool: createContentSpool(cacheDir),
  };
}

/** The heads that a listing included for these repositories. At another address git may find something else. */
function headsIn(
  listed: readonly ListedRepository[],
  repositories: readonly RepositoryAddress[],
): Map<string, Head | LonghaulError> {
  const address = new Map(repositories.map(({ id, cloneUrl }) => [id, cloneUrl]));
  const said = listed.filter(({ id, cloneUrl }) => address.get(id) === cloneUrl);
  return new Map(said.flatMap(({ id, head }) => (head ? [[id, head]] : [])));
}

function createProvider(config: ProviderConfig, env: NodeJS.ProcessEnv, cacheDir: string): Provider {
  switch (config.type) {
    case 'github':
      return createGithubProvider(config, env, cacheDir);
    case 'gitlab':
      return createGitlabProvider(config, env);
    case 'gitea':
      return createGiteaProvider(config, env);
    case 'azure-devops':
      return createAzureDevopsProvider(config, env);
    case 'bitbucket':
      return createBitbucketProvider(config, env);
    case 'local':
      return createLocalProvider(config);
    case 'mgit':
      return createMgitProvider(config, env);
  }
}
