import { providerOf, type Repository, type Whereabouts } from '../../domain/catalog/repository.ts';
import { LonghaulError } from '../../domain/failures.ts';
import type { Provider, RepositoryName } from './providers/provider.ts';

type Known = Pick<Repository, 'id' | 'uid'>;
type Found = Map<string, Whereabouts | LonghaulError>;

/** From this many repositories of a provider on, a listing is cheaper than asking for each. */
const MANY = 8;

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
        // whoever was not found yet: half an answer proves nothing about the rest
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
  const listing = async (organization: string): Promise<Repository[]> => {
    const name = organization.toLowerCase();
    const pattern = { text: `${name}/*/*`, provider: null, organization: name, project: '*', repository: '*' };
    const all = listed.get(name) ?? (await provider.list([pattern], signal));
    const own = all.filter((repository) => repository.organization.toLowerCase() === name);
    listed.set(name, own);
    return own;
  };

  if (known.length >= MANY) {
    for (const organization of new Set(known.map(({ id }) => nameOf(id).organization))) {
      const there = new Map((await listing(organization)).map((repository) => [repository.id, repository]));
      for (const { id } of known) {
        const repository = there.get(id);
        if (repository) found.set(id, { state: 'there', repository });
      }
    }
  }
  const sought = known.filter(({ id }) => !found.has(id));
  const located = await provider.locate(
    sought.map(({ id, uid }) => ({ ...nameOf(id), ...(uid === undefined ? {} : { uid }) })),
    signal,
  );
  for (const [at, { id }] of sought.entries()) {
    const repository = located[at] ?? null;
    if (repository !== null) {
      found.set(id, repository.id === id ? { state: 'there', repository } : { state: 'moved', repository });
    } else {
      // an empty root may be a disk that is not mounted, an empty organization a token that sees nothing
      const certain = (await listing(nameOf(id).organization)).length > 0;
      found.set(id, { state: 'gone', certain });
    }
  }
}

/** The name of a repository within its provider. */
export function nameOf(id: string): RepositoryName {
  const [, organization = '', ...rest] = id.split('/');
  const [project, repository] = rest.length === 2 ? rest : [null, rest.join('/')];
  return { organization, project: project ?? null, repository: repository ?? '' };
}
