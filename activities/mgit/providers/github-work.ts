import {
  lineFromForge,
  LONGEST_BODY,
  MOST_ITEMS,
  type OpenItem,
  type OpenWork,
} from '../../../domain/forge/open-work.ts';
import type { GithubClient } from '../../forges/github-client.ts';
import type { RepositoryName } from './provider.ts';

/** What is open in a repository of GitHub; null when there is none. Unchanged pages cost nothing. */
export async function githubOpenWork(
  client: GithubClient,
  { organization: owner, repository: repo }: RepositoryName,
  hasAccount: boolean,
): Promise<OpenWork | null> {
  const about = await client.request('GET /repos/{owner}/{repo}', { owner, repo }).catch(unlessMissing);
  if (about === null) return null;
  let count = 0;
  let isWhole = true;
  // GitHub lists pull requests as issues too
  const found = await client.paginate(
    'GET /repos/{owner}/{repo}/issues',
    { owner, repo, state: 'open', sort: 'updated', per_page: 100 },
    ({ data, headers }, done) => {
      count += data.length;
      if (count >= MOST_ITEMS && headers.link?.includes('rel="next"')) {
        isWhole = false;
        done();
      }
      return data.map((one): OpenItem => ({
        kind: one.pull_request === undefined ? 'issue' : 'pull',
        number: one.number,
        title: lineFromForge(one.title),
        body: (one.body ?? '').slice(0, LONGEST_BODY),
        author: one.user?.login ?? '',
        assignees: (one.assignees ?? []).map(({ login }) => login),
        labels: one.labels.map((label) => lineFromForge(typeof label === 'string' ? label : label.name)),
        comments: one.comments,
        isDraft: one.draft ?? false,
        createdAt: one.created_at,
        updatedAt: one.updated_at,
        url: one.html_url,
      }));
    },
  );
  // an app has no user
  const account = hasAccount ? (await client.request('GET /user')).data.login : null;
  return { items: found, isWhole, topics: about.data.topics ?? [], account };
}

function unlessMissing(error: unknown): null {
  if ((error as { readonly status?: number }).status === 404) return null;
  throw error;
}
