import type { Head } from '../../../domain/git/head.ts';
import { type GithubClient, isRequestError } from '../../forges/github-client.ts';
import { askGraphql, HEAD_FRAGMENT, hasNoGraphql, headShown, type ShownHead } from './github-graphql.ts';

/** A repository in REST's format, with its HEAD. */
export interface ListedOnGithub {
  readonly id: number;
  readonly name: string;
  readonly owner: { readonly login: string };
  readonly clone_url: string;
  readonly default_branch: string | null;
  readonly archived: boolean;
  readonly fork: boolean;
  readonly head: Head;
}

interface Shown extends ShownHead {
  readonly name: string;
  readonly url: string;
  readonly isArchived: boolean;
  readonly isFork: boolean;
  readonly owner: { readonly login: string };
}

interface Listing {
  readonly repositoryOwner: {
    readonly repositories: {
      readonly nodes: readonly (Shown | null)[] | null;
      readonly pageInfo: { readonly hasNextPage: boolean; readonly endCursor: string | null };
    };
  } | null;
}

// ordered by creation, so that new repositories do not shift pages
const LISTING = `query listing($login: String!, $after: String) {
  repositoryOwner(login: $login) {
    repositories(
      first: 100
      after: $after
      ownerAffiliations: [OWNER]
      orderBy: { field: CREATED_AT, direction: ASC }
    ) {
      nodes { ...head name url isArchived isFork owner { login } }
      pageInfo { hasNextPage endCursor }
    }
  }
}
${HEAD_FRAGMENT}`;

/**
 * Every repository of an organization or user with its HEAD, a hundred per request, which costs one point. Null when
 * GraphQL cannot list all of them: it is unavailable, it fails, or it hides one. Throws what the client throws when
 * access is refused.
 */
export async function listByGraphql(
  client: GithubClient,
  uidPrefix: string,
  login: string,
): Promise<ListedOnGithub[] | null> {
  const listed: ListedOnGithub[] = [];
  for (let after: string | null = null; ;) {
    const page = await pageAfter(client, login, after);
    if (page === null || page.nodes === null) return null;
    for (const shown of page.nodes) {
      if (shown === null || shown.databaseId === null) return null;
      listed.push(listedFrom(shown, shown.databaseId, uidPrefix));
    }
    const { hasNextPage, endCursor } = page.pageInfo;
    if (!hasNextPage) return listed;
    if (endCursor === null) return null;
    after = endCursor;
  }
}

type Page = NonNullable<Listing['repositoryOwner']>['repositories'];

async function pageAfter(client: GithubClient, login: string, after: string | null): Promise<Page | null> {
  try {
    const { data, errors } = await askGraphql<Listing>(client, LISTING, { login, after });
    return errors.length > 0 ? null : (data?.repositoryOwner?.repositories ?? null);
  } catch (error) {
    if (hasNoGraphql(error) || (isRequestError(error) && error.status >= 500)) return null;
    throw error;
  }
}

function listedFrom(shown: Shown, number: number, uidPrefix: string): ListedOnGithub {
  const { name, owner, url, isArchived, isFork, defaultBranchRef } = shown;
  return {
    id: number,
    name,
    owner,
    clone_url: `${url}.git`,
    default_branch: defaultBranchRef?.name ?? null,
    archived: isArchived,
    fork: isFork,
    head: { ...headShown(shown), uid: `${uidPrefix}${number}` },
  };
}
