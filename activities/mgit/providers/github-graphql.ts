import type { Head } from '../../../domain/git/head.ts';
import { nullOid } from '../diff.ts';
import { type GithubClient, isRequestError } from '../../forges/github-client.ts';

/** An answer of GitHub's GraphQL: data, and errors about the parts that are null. */
export interface GraphqlAnswer<Data> {
  readonly data: Data | null;
  readonly errors: readonly GraphqlError[];
}

/** An error in a GraphQL answer. */
export interface GraphqlError {
  /** The kind of error, such as `NOT_FOUND` or `RATE_LIMITED`. */
  readonly type?: string;
  /** Where in `data` the value is missing. */
  readonly path?: readonly (string | number)[];
  readonly message: string;
}

/** A repository in {@link HEAD_FRAGMENT}. */
export interface ShownHead {
  readonly databaseId: number | null;
  readonly nameWithOwner: string;
  readonly defaultBranchRef: {
    readonly name: string;
    readonly target: {
      readonly oid: string;
      readonly committedDate?: string;
      readonly tree?: { readonly oid: string };
    };
  } | null;
}

/** The fragment `head` of a query. */
export const HEAD_FRAGMENT = `fragment head on Repository {
  databaseId
  nameWithOwner
  defaultBranchRef { name target { oid ... on Commit { committedDate tree { oid } } } }
}`;

/** The HEAD in an answer, without the repository's identity. */
export function headShown({ defaultBranchRef }: ShownHead): Head {
  const { oid, committedDate, tree } = defaultBranchRef?.target ?? {};
  return {
    commit: oid ?? nullOid('sha1'),
    branch: defaultBranchRef?.name ?? null,
    ...(tree ? { tree: tree.oid } : {}),
    ...(committedDate === undefined ? {} : { committedAt: committedDate }),
  };
}

/** Sends one request; errors about parts are in the answer. Throws what the client throws. */
export async function askGraphql<Data>(
  client: GithubClient,
  query: string,
  variables: Readonly<Record<string, string | null>>,
): Promise<GraphqlAnswer<Data>> {
  try {
    return { data: await client.graphql<Data>(query, variables), errors: [] };
  } catch (error) {
    if (!(error instanceof Error) || error.name !== 'GraphqlResponseError') throw error;
    const { data, errors } = error as Error & { data?: Data | null; errors: GraphqlError[] };
    return { data: data ?? null, errors };
  }
}

/** True for the answer of a forge without GraphQL. */
export function hasNoGraphql(error: unknown): boolean {
  return isRequestError(error) && [404, 405, 501].includes(error.status);
}
