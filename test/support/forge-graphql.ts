import { schema as published } from '@octokit/graphql-schema';
import { buildSchema, graphql, type GraphQLSchema } from 'graphql';

/** What GitHub's GraphQL shows of a repository, by the names of its schema; a string is the type of the error instead. */
export type ShownRepository = Readonly<Record<string, unknown>> | 'NOT_FOUND' | 'FORBIDDEN' | 'SERVICE_UNAVAILABLE';

let schema: GraphQLSchema | null = null;

/** The errors of which GitHub tells, in its words. */
const ERRORS = {
  NOT_FOUND: (name: string) => `Could not resolve to a Repository with the name '${name}'.`,
  FORBIDDEN: () => 'Resource protected by organization SAML enforcement. You must grant your OAuth token access.',
  SERVICE_UNAVAILABLE: () => 'Something went wrong while looking up the repository.',
} as const;

/** Answers a query of repositories as GitHub's published schema says that it must be asked and answered. */
export async function answerQuery(
  asked: { readonly query: string; readonly variables?: Readonly<Record<string, unknown>> },
  find: (owner: string, name: string) => ShownRepository,
): Promise<object> {
  schema ??= buildSchema(published.idl, { assumeValid: true });
  const { data, errors } = await graphql({
    schema,
    source: asked.query,
    variableValues: asked.variables ?? {},
    rootValue: {
      repository: ({ owner, name }: { owner: string; name: string }) => {
        const found = find(owner, name);
        if (typeof found === 'object') return { __typename: 'Repository', ...found };
        throw Object.assign(new Error(ERRORS[found](`${owner}/${name}`)), { type: found });
      },
    },
  });
  const shown = errors?.map(({ message, path, locations, originalError }) => {
    const type = (originalError as { type?: string } | undefined)?.type;
    return { ...(type === undefined || type === 'SERVICE_UNAVAILABLE' ? {} : { type }), path, locations, message };
  });
  return { data: data ?? null, ...(shown ? { errors: shown } : {}) };
}
