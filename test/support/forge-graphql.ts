import { schema as published } from '@octokit/graphql-schema';
import { buildSchema, graphql, type GraphQLSchema } from 'graphql';

/** A repository in GitHub's GraphQL, with the names of its schema; a string is the type of an error instead. */
export type ShownRepository = Readonly<Record<string, unknown>> | 'NOT_FOUND' | 'FORBIDDEN' | 'SERVICE_UNAVAILABLE';

let schema: GraphQLSchema | null = null;

/** GitHub's error messages. */
const ERRORS = {
  NOT_FOUND: (name: string) => `Could not resolve to a Repository with the name '${name}'.`,
  FORBIDDEN: () => 'Resource protected by organization SAML enforcement. You must grant your OAuth token access.',
  SERVICE_UNAVAILABLE: () => 'Something went wrong while looking up the repository.',
} as const;

/** The data of a forge for GraphQL queries. */
export interface GraphqlForge {
  /** The repository with a name. */
  readonly find: (owner: string, name: string) => ShownRepository;
  /** The repositories of an organization or user, in the order of creation; null for an unknown login. */
  readonly owned: (login: string) => { readonly isUser: boolean; readonly names: readonly OwnedName[] } | null;
}

/** A repository of an owner, and its number, which grows with each. */
export interface OwnedName {
  readonly name: string;
  readonly number: number;
}

/** Answers a query of repositories according to GitHub's published schema. */
export async function answerQuery(
  asked: { readonly query: string; readonly variables?: Readonly<Record<string, unknown>> },
  { find, owned }: GraphqlForge,
): Promise<object> {
  schema ??= buildSchema(published.idl, { assumeValid: true });
  const repository = (owner: string, name: string): object => {
    const found = find(owner, name);
    if (typeof found === 'object') return { __typename: 'Repository', ...found };
    return Object.assign(new Error(ERRORS[found](`${owner}/${name}`)), { type: found });
  };
  const { data, errors } = await graphql({
    schema,
    source: asked.query,
    variableValues: asked.variables ?? {},
    rootValue: {
      repository: ({ owner, name }: { owner: string; name: string }) => repository(owner, name),
      repositoryOwner: ({ login }: { login: string }) => {
        const has = owned(login);
        return (
          has && {
            __typename: has.isUser ? 'User' : 'Organization',
            login,
            repositories: (page: PageAsked) => pageOf(has.names, page, (name) => repository(login, name)),
          }
        );
      },
    },
  });
  const shown = errors?.map(({ message, path, locations, originalError }) => {
    const type = (originalError as { type?: string } | undefined)?.type;
    return { ...(type === undefined || type === 'SERVICE_UNAVAILABLE' ? {} : { type }), path, locations, message };
  });
  return { data: data ?? null, ...(shown ? { errors: shown } : {}) };
}

interface PageAsked {
  readonly first?: number | null;
  readonly after?: string | null;
  readonly orderBy?: { readonly field: string; readonly direction: string } | null;
}

/**
 * A page of an owner's repositories, like GitHub's connections: at most a hundred, after a cursor that stays valid
 * after changes.
 */
function pageOf(
  names: readonly OwnedName[],
  { first, after, orderBy }: PageAsked,
  show: (name: string) => object,
): object {
  if (first === undefined || first === null) {
    throw Object.assign(new Error('You must provide a `first` or `last` value to properly paginate.'), {
      type: 'MISSING_PAGINATION_BOUNDARIES',
    });
  }
  if (first < 1 || first > 100) {
    throw Object.assign(new Error(`Requesting ${first} records exceeds the \`first\` limit of 100 records.`), {
      type: 'EXCESSIVE_PAGINATION',
    });
  }
  if (orderBy?.field !== 'CREATED_AT' || orderBy.direction !== 'ASC') throw new Error('this forge knows no such order');
  const from = after ? Number(Buffer.from(after, 'base64').toString().replace('cursor:', '')) : 0;
  const later = names.filter(({ number }) => number > from);
  const page = later.slice(0, first);
  const end = page.at(-1);
  return {
    nodes: page.map(({ name }) => show(name)),
    totalCount: names.length,
    pageInfo: {
      hasNextPage: page.length < later.length,
      hasPreviousPage: from > 0,
      endCursor: end ? Buffer.from(`cursor:${end.number}`).toString('base64') : null,
    },
  };
}
