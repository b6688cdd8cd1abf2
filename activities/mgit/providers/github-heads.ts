import pLimit from 'p-limit';
import type { Head } from '../../../domain/git/head.ts';
import { LonghaulError } from '../../../domain/shared/failures.ts';
import { type GithubClient, isRequestError } from '../../forges/github-client.ts';
import {
  askGraphql,
  type GraphqlAnswer,
  type GraphqlError,
  HEAD_FRAGMENT,
  hasNoGraphql,
  headShown,
  type ShownHead,
} from './github-graphql.ts';

/** A repository by its names on GitHub. */
export interface GithubName {
  readonly id: string;
  readonly owner: string;
  readonly name: string;
}

/** The answer for each repository, by alias; null together with an error of the same path. */
type Answer = GraphqlAnswer<Readonly<Record<string, ShownHead | null>>>;

/** Repositories per request. */
const BATCH = 100;
/** Parallel requests; one takes GitHub a second or two. */
const AT_ONCE = 4;

/**
 * HEADs of repositories, a hundred per request. A repository that GitHub refuses to show has its failure as entry; one
 * without an answer is left out, and all of them if there is no GraphQL. Throws what the client throws.
 */
export async function askHeads(
  client: GithubClient,
  base: string,
  uidPrefix: string,
  names: readonly GithubName[],
): Promise<Map<string, Head | LonghaulError>> {
  const batches = Array.from({ length: Math.ceil(names.length / BATCH) }, (_, at) =>
    names.slice(at * BATCH, (at + 1) * BATCH),
  );
  const heads = new Map<string, Head | LonghaulError>();
  let hasGraphql = true;

  async function ask(batch: readonly GithubName[]): Promise<void> {
    if (!hasGraphql) return;
    const { data, errors } = await query(client, batch).catch((error: unknown): Answer => {
      if (!hasNoGraphql(error)) throw error;
      hasGraphql = false;
      return { data: null, errors: [] };
    });
    for (const [at, { id, owner, name }] of batch.entries()) {
      const found = data?.[`r${at}`];
      const failure = errors.find(({ path }) => path?.[0] === `r${at}`);
      if (found) heads.set(id, headOf(found, { base, uidPrefix, asked: `${owner}/${name}` }));
      else if (failure) {
        const named = failureOfGraphql(id, failure);
        if (named) heads.set(id, named);
      }
    }
  }

  const asked = await Promise.allSettled(pLimitAll(batches, ask));
  const failed = asked.flatMap((result) => (result.status === 'rejected' ? [result.reason as unknown] : []));
  // a batch that GitHub fails to answer is left out; a refused request is thrown
  const reason = failed.find((error) => !isRequestError(error) || error.status < 500);
  if (reason !== undefined) throw reason;
  return heads;
}

function pLimitAll<Item>(items: readonly Item[], work: (item: Item) => Promise<void>): Promise<void>[] {
  const limit = pLimit(AT_ONCE);
  return items.map((item) => limit(() => work(item)));
}

function query(client: GithubClient, batch: readonly GithubName[]): Promise<Answer> {
  const variables = batch.map((_, at) => `$o${at}: String!, $n${at}: String!`).join(', ');
  const aliases = batch.map((_, at) => `r${at}: repository(owner: $o${at}, name: $n${at}) { ...head }`).join('\n');
  const values = batch.flatMap(({ owner, name }, at) => [
    [`o${at}`, owner],
    [`n${at}`, name],
  ]);
  return askGraphql(
    client,
    `query heads(${variables}) {\n${aliases}\n}\n${HEAD_FRAGMENT}`,
    Object.fromEntries(values) as Record<string, string>,
  );
}

function headOf(
  shown: ShownHead,
  { base, uidPrefix, asked }: { readonly base: string; readonly uidPrefix: string; readonly asked: string },
): Head {
  const { databaseId, nameWithOwner } = shown;
  return {
    ...headShown(shown),
    ...(nameWithOwner === asked ? {} : { redirectedTo: `${base}/${nameWithOwner}.git` }),
    ...(databaseId === null ? {} : { uid: `${uidPrefix}${databaseId}` }),
  };
}

/** Names GitHub's error about a repository; null when it is not about the repository. */
function failureOfGraphql(id: string, { type, message }: GraphqlError): LonghaulError | null {
  const said = message.slice(0, 300);
  switch (type) {
    case 'NOT_FOUND':
      return new LonghaulError('RepositoryNotFound', `There is no repository ${id}: ${said}`);
    case 'FORBIDDEN':
    case 'INSUFFICIENT_SCOPES':
      return new LonghaulError('AuthenticationFailed', `The token may not read ${id}: ${said}`);
    default:
      return null;
  }
}
