import { providerOf, type Repository, type Whereabouts } from '../../domain/git/repository.ts';
import { LonghaulError } from '../../domain/shared/failures.ts';
import type { Provider, RepositoryName } from './providers/provider.ts';

type Known = Pick<Repository, 'id' | 'uid'>;
type Found = Map<string, Whereabouts | LonghaulError>;

/** From this many repositories of a provider on, one listing is cheaper than a request for each. */
const MANY = 8;
const ANYTHING = { project: '*', repository: '*' };

/** See `Mgit.whereabouts`. */
export async function findWhereabouts(
  providers: readonly Provider[],
  repositories: readonly Known[],
  signal: AbortSignal | undefined,
): Promise<Found> {
  const found: Found = new Map();
  const ofProvider = Map.groupBy(repositories, ({ id }) => providerOf(id));
  await Promise.all(
    [...ofProvider].map(async ([name, known]) => {
      const provider = providers.find((candidate) => candidate.name === name);
      if (provider === undefined) {
        for (const { id } of known) found.set(id, { state: 'no-provider' });
        return;
      }
      try {
        await askProvider(provider, known, found, signal);
      } catch (error) {
        if (!(error instanceof LonghaulError)) throw error;
        // repositories not found yet: an incomplete answer proves nothing about the rest
        for (const { id } of known) if (!found.has(id)) found.set(id, error);
      }
    }),
  );
  return found;
}

async function askProvider(
  provider: Provider,
  known: readonly Known[],
  found: Found,
  signal: AbortSignal | undefined,
): Promise<void> {
  const listed = new Map<string, Repository[]>();
  const list = async (ids: readonly Known[]): Promise<void> => {
    const names = [...new Set(ids.map(({ id }) => organizationOf(id)))].filter((name) => !listed.has(name));
    if (names.length === 0) return;
    const patterns = names.map((name) => ({ text: `${name}/*/*`, provider: null, organization: name, ...ANYTHING }));
    const all = Map.groupBy(await provider.list(patterns, signal), ({ id }) => organizationOf(id));
    for (const name of names) listed.set(name, all.get(name) ?? []);
  };

  if (known.length >= MANY) {
    await list(known);
    const there = new Map([...listed.values()].flat().map((repository) => [repository.id, repository]));
    for (const { id } of known) {
      const repository = there.get(id);
      if (repository) found.set(id, { state: 'there', repository });
    }
  }
  const sought = known.filter(({ id }) => !found.has(id));
  const located = await provider.locate(
    sought.map(({ id, uid }) => ({ ...nameOf(id), ...(uid === undefined ? {} : { uid }) })),
    signal,
  );
  await list(sought.filter((_, at) => !located[at]));
  for (const [at, { id }] of sought.entries()) {
    const repository = located[at] ?? null;
    if (repository !== null) {
      found.set(id, repository.id === id ? { state: 'there', repository } : { state: 'moved', repository });
    } else {
      // an empty root may be an unmounted disk, an empty organization a token without access
      found.set(id, { state: 'gone', certain: (listed.get(organizationOf(id)) ?? []).length > 0 });
    }
  }
}

function organizationOf(id: string): string {
  return nameOf(id).organization.toLowerCase();
}

/** The name of a repository within its provider. */
export function nameOf(id: string): RepositoryName {
  const [, organization = '', ...rest] = id.split('/');
  const [project, repository] = rest.length === 2 ? rest : [null, rest.join('/')];
  return { organization, project: project ?? null, repository: repository ?? '' };
}
