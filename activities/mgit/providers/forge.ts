import pLimit from 'p-limit';
import { hasWildcard, matchesOrganization, type Pattern } from '../../../domain/git/pattern.ts';
import { isPlainSegment, isRepositoryId, type Repository, repositoryId } from '../../../domain/git/repository.ts';
import { LonghaulError } from '../../../domain/shared/failures.ts';
import type { ForgeTurn } from '../forge/turn.ts';
import type { Provider, RepositoryName, SoughtRepository } from './provider.ts';

/** A repository as a forge describes it. */
export interface FoundRepository extends RepositoryName {
  /** The segments of its address below the forge's own. What the forge itself says it is cloned from is not believed. */
  readonly path: readonly string[];
  /** The branch that HEAD names; null when the forge does not say. */
  readonly defaultBranch: string | null;
  /** What the forge counts its repositories by: it stays through renames and transfers. */
  readonly number: string;
}

/** What differs from one forge to the next. */
export interface Forge {
  /** The provider's name in `longhaul.yaml`. */
  readonly name: string;
  /** Base of the web site, from which repositories are cloned. */
  readonly url: string;
  /** At least every repository that the patterns mean. */
  list(patterns: readonly Pattern[], signal: AbortSignal | undefined): Promise<readonly FoundRepository[]>;
  /** What answers under a name, which a renamed repository may do too; null when nothing does. */
  atName(name: RepositoryName, signal: AbortSignal | undefined): Promise<FoundRepository | null>;
  /** The repository with a number; null when there is none. `name` is the last one it had. */
  byNumber(number: string, name: RepositoryName, signal: AbortSignal | undefined): Promise<FoundRepository | null>;
  /** The value of git's `Authorization` header; null when nobody proves who asks. */
  gitAuthorization(): string | null;
  /** Lets git speak to the forge when there is a place for it. */
  readonly turn: ForgeTurn;
}

/** Organizations or repositories that are asked for at the same time. */
export const AT_ONCE = 8;

/** A provider of what a forge has. Names that could be no part of an id are passed over. */
export function createForgeProvider(forge: Forge): Provider {
  const { name, url } = forge;
  const uidPrefix = `${new URL(url).host}:`;

  function repositoryOf(found: FoundRepository): Repository | null {
    const { organization, project, repository, path, defaultBranch, number } = found;
    const id = repositoryId(name, organization, project, repository);
    if (!isRepositoryId(id) || !path.every(isName) || !isNamed(found)) return null;
    return {
      id,
      provider: name,
      organization,
      project,
      repository,
      cloneUrl: `${url}/${path.map(encodeURIComponent).join('/')}`,
      defaultBranch,
      uid: `${uidPrefix}${number}`,
    };
  }

  async function atName(sought: RepositoryName, signal: AbortSignal | undefined): Promise<Repository | null> {
    const found = isNamed(sought) ? await forge.atName(sought, signal) : null;
    return found && repositoryOf(found);
  }

  async function byUid(sought: SoughtRepository, signal: AbortSignal | undefined): Promise<Repository | null> {
    if (!sought.uid?.startsWith(uidPrefix)) return null;
    const found = await forge.byNumber(sought.uid.slice(uidPrefix.length), sought, signal);
    return found && repositoryOf(found);
  }

  return {
    name,
    async list(patterns, signal) {
      const found = await forge.list(patterns, signal);
      return found.map(repositoryOf).filter((repository) => repository !== null);
    },
    async find(sought, signal) {
      const found = await atName(sought, signal);
      // a renamed repository answers under its new name, which is another id
      const asked = repositoryId(name, sought.organization, sought.project, sought.repository);
      return found?.id.toLowerCase() === asked.toLowerCase() ? found : null;
    },
    locate: (wanted, signal) =>
      pLimit(AT_ONCE).map(wanted, async (sought) => (await atName(sought, signal)) ?? (await byUid(sought, signal))),
    turn: (work, signal) => forge.turn(work, signal),
    credentials: async () => {
      const authorization = forge.gitAuthorization();
      return authorization === null ? [] : [[`http.${url}/.extraHeader`, `Authorization: ${authorization}`]];
    },
  };
}

/** The organizations that patterns name, in lower case, and whether one of them leaves it open. */
export function organizationsOf(patterns: readonly Pattern[]): { readonly named: string[]; readonly open: boolean } {
  const named = patterns.map(({ organization }) => organization).filter((organization) => !hasWildcard(organization));
  return { named: [...new Set(named)], open: named.length < patterns.length };
}

/** Those of the configured organizations that patterns may mean. */
export function meantOf(organizations: readonly string[], patterns: readonly Pattern[]): string[] {
  return organizations.filter((organization) => patterns.some((pattern) => matchesOrganization(pattern, organization)));
}

/** Why a wildcard cannot be answered without a token. */
export function seesNothing(provider: string): LonghaulError {
  return new LonghaulError(
    'AuthenticationFailed',
    `Provider ${provider} has no token, so nobody can say which organizations it sees: name one, or set tokenEnv.`,
  );
}

function isNamed({ organization, project, repository }: RepositoryName): boolean {
  return [organization, ...(project === null ? [] : [project]), repository].every(isName);
}

function isName(segment: string): boolean {
  return isPlainSegment(segment) && !segment.includes('/');
}
