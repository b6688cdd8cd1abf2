import pLimit from 'p-limit';
import type { OpenWork } from '../../../domain/forge/open-work.ts';
import { hasWildcard, matchesOrganization, type Pattern } from '../../../domain/git/pattern.ts';
import { isPlainSegment, type Repository, repositoryId } from '../../../domain/git/repository.ts';
import { LonghaulError } from '../../../domain/shared/failures.ts';
import type { ForgeTurn } from '../../forges/turn.ts';
import { passOverName } from './possible-ids.ts';
import type { Provider, RepositoryName, SoughtRepository } from './provider.ts';

/** A repository as a forge describes it. */
export interface FoundRepository extends RepositoryName {
  /** The segments of its address below the forge's own. The forge's clone address is not trusted. */
  readonly path: readonly string[];
  /** The default branch; null when the forge does not report it. */
  readonly defaultBranch: string | null;
  /** The forge's numeric id of the repository: it survives renames and transfers. */
  readonly number: string;
}

/** The parts that differ between forges. */
export interface ForgeApi {
  /** The provider's name in `longhaul.yaml`. */
  readonly name: string;
  /** Base of the web site, from which repositories are cloned. */
  readonly url: string;
  /** At least every repository that the patterns match. */
  list(patterns: readonly Pattern[], signal: AbortSignal | undefined): Promise<readonly FoundRepository[]>;
  /** What the forge returns for a name, possibly a renamed repository; null when nothing. */
  atName(name: RepositoryName, signal: AbortSignal | undefined): Promise<FoundRepository | null>;
  /** The repository with a numeric id; null when there is none. `name` is its last known name. */
  byNumber(number: string, name: RepositoryName, signal: AbortSignal | undefined): Promise<FoundRepository | null>;
  /** See {@link Provider.openWork}. */
  readonly openWork?: (name: RepositoryName, signal: AbortSignal | undefined) => Promise<OpenWork | null>;
  /** The value of git's `Authorization` header; null without credentials. */
  gitAuthorization(): string | null;
  /** Runs git against the forge when a slot is free. */
  readonly turn: ForgeTurn;
}

/** Organizations or repositories that are requested in parallel. */
export const AT_ONCE = 8;

/** A provider for a forge. Names that cannot be part of an id are passed over. */
export function createForgeProvider(forge: ForgeApi): Provider {
  const { name, url } = forge;
  const uidPrefix = `${new URL(url).host}:`;

  function idOf({ organization, project, repository }: RepositoryName): string {
    return repositoryId(name, organization, project, repository);
  }

  function repositoryOf(found: FoundRepository): Repository | null {
    const { organization, project, repository, path, defaultBranch, number } = found;
    if (!path.every(isName) || !isNamed(found)) return null;
    return {
      id: idOf(found),
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

  const openWork = forge.openWork?.bind(forge);
  return {
    name,
    ...(openWork && {
      openWork: (sought, signal) => (isNamed(sought) ? openWork(sought, signal) : Promise.resolve(null)),
    }),
    async list(patterns, signal, onPassedOver) {
      const found = await forge.list(patterns, signal);
      return found.flatMap((one) => {
        const repository = repositoryOf(one);
        if (repository !== null) return [repository];
        passOverName(onPassedOver, `${url}/${one.path.join('/')}`, idOf(one));
        return [];
      });
    },
    async find(sought, signal) {
      const found = await atName(sought, signal);
      // a renamed repository is returned under its new name, which is another id
      return found?.id.toLowerCase() === idOf(sought).toLowerCase() ? found : null;
    },
    locate: (requested, signal) =>
      pLimit(AT_ONCE).map(requested, async (sought) => (await atName(sought, signal)) ?? (await byUid(sought, signal))),
    turn: (work, signal) => forge.turn(work, signal),
    credentials: async () => {
      const authorization = forge.gitAuthorization();
      return authorization === null ? [] : [[`http.${url}/.extraHeader`, `Authorization: ${authorization}`]];
    },
  };
}

/** The organizations that patterns name, in lower case, and whether a pattern has a wildcard organization. */
export function organizationsOf(patterns: readonly Pattern[]): { readonly named: string[]; readonly open: boolean } {
  const named = patterns.map(({ organization }) => organization).filter((organization) => !hasWildcard(organization));
  return { named: [...new Set(named)], open: named.length < patterns.length };
}

/** Those of the configured organizations that patterns can match. */
export function meantOf(organizations: readonly string[], patterns: readonly Pattern[]): string[] {
  return organizations.filter((organization) => patterns.some((pattern) => matchesOrganization(pattern, organization)));
}

/** The error for a wildcard organization without a token. */
export function seesNothing(provider: string): LonghaulError {
  return new LonghaulError(
    'AuthenticationFailed',
    `Provider ${provider} has no token, so its organizations cannot be listed: name one, or set tokenEnv.`,
  );
}

function isNamed({ organization, project, repository }: RepositoryName): boolean {
  return [organization, ...(project === null ? [] : [project]), repository].every(isName);
}

function isName(segment: string): boolean {
  return isPlainSegment(segment) && !segment.includes('/');
}
