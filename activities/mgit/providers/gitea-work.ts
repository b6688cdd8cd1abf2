import { z } from 'zod';
import { lineFromForge, LONGEST_BODY, MOST_ITEMS, type OpenWork } from '../../../domain/forge/open-work.ts';
import { nextLink, type RestClient } from '../../forges/rest-client.ts';
import type { RepositoryName } from './provider.ts';

const user = z.object({ login: z.string() });
const issue = z.object({
  number: z.int(),
  title: z.string(),
  body: z.string().nullish(),
  user: user.nullish(),
  assignees: z.array(user).nullish(),
  labels: z.array(z.object({ name: z.string() })).nullish(),
  comments: z.int(),
  created_at: z.string(),
  updated_at: z.string(),
  html_url: z.string(),
  pull_request: z.object({ draft: z.boolean().nullish() }).nullish(),
});
const topics = z.object({ topics: z.array(z.string()).nullish() });

/** What is open in a repository of Gitea; null when there is none. */
export async function giteaOpenWork(
  client: RestClient,
  { organization, repository }: RepositoryName,
  hasAccount: boolean,
  signal: AbortSignal | undefined,
): Promise<OpenWork | null> {
  const path = `/repos/${encodeURIComponent(organization)}/${encodeURIComponent(repository)}`;
  let count = 0;
  let isWhole = true;
  // issues and pull requests
  const found = await client.list(
    `${path}/issues?state=open&sort=recentupdate&limit=50`,
    {
      page: z.array(issue),
      items: (page) => page,
      next(page, headers) {
        count += page.length;
        const next = nextLink(headers);
        isWhole = next === null || count < MOST_ITEMS;
        return isWhole ? next : null;
      },
    },
    signal,
  );
  if (found === null) return null;
  return {
    items: found.map((one) => ({
      kind: one.pull_request ? 'pull' : 'issue',
      number: one.number,
      title: lineFromForge(one.title),
      body: (one.body ?? '').slice(0, LONGEST_BODY),
      author: one.user?.login ?? '',
      assignees: (one.assignees ?? []).map(({ login }) => login),
      labels: (one.labels ?? []).map(({ name }) => lineFromForge(name)),
      comments: one.comments,
      isDraft: one.pull_request?.draft ?? false,
      createdAt: one.created_at,
      updatedAt: one.updated_at,
      url: one.html_url,
    })),
    isWhole,
    topics: (await client.get(`${path}/topics`, topics, signal))?.topics ?? [],
    account: hasAccount ? ((await client.get('/user', user, signal))?.login ?? null) : null,
  };
}
