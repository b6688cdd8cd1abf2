import { z } from 'zod';
import {
  lineFromForge,
  LONGEST_BODY,
  MOST_ITEMS,
  type OpenItem,
  type OpenWork,
} from '../../../domain/forge/open-work.ts';
import { nextLink, type RestClient } from '../../forges/rest-client.ts';

const user = z.object({ username: z.string() });
const item = z.object({
  iid: z.int(),
  title: z.string(),
  description: z.string().nullish(),
  author: user.nullish(),
  assignees: z.array(user).nullish(),
  labels: z.array(z.string()).nullish(),
  user_notes_count: z.int().nullish(),
  draft: z.boolean().nullish(),
  created_at: z.string(),
  updated_at: z.string(),
  web_url: z.string(),
});
const about = z.object({ topics: z.array(z.string()).nullish() });

/** What is open in the project at a path of GitLab; null when there is none. */
export async function gitlabOpenWork(
  client: RestClient,
  path: string,
  hasAccount: boolean,
  signal: AbortSignal | undefined,
): Promise<OpenWork | null> {
  const project = `/projects/${encodeURIComponent(path)}`;
  const found = await client.get(project, about, signal);
  if (found === null) return null;
  let isWhole = true;
  async function open(kind: OpenItem['kind']): Promise<OpenItem[]> {
    let count = 0;
    const list = kind === 'pull' ? 'merge_requests' : 'issues';
    const items = await client.list(
      `${project}/${list}?state=opened&order_by=updated_at&per_page=100`,
      {
        page: z.array(item),
        items: (page) => page,
        next(page, headers) {
          count += page.length;
          const next = nextLink(headers);
          if (next === null || count < MOST_ITEMS) return next;
          isWhole = false;
          return null;
        },
      },
      signal,
    );
    // a project may have its issues or merge requests switched off
    return (items ?? []).map((one) => ({
      kind,
      number: one.iid,
      title: lineFromForge(one.title),
      body: (one.description ?? '').slice(0, LONGEST_BODY),
      author: one.author?.username ?? '',
      assignees: (one.assignees ?? []).map(({ username }) => username),
      labels: (one.labels ?? []).map(lineFromForge),
      comments: one.user_notes_count ?? 0,
      isDraft: one.draft ?? false,
      createdAt: one.created_at,
      updatedAt: one.updated_at,
      url: one.web_url,
    }));
  }
  const items = [...(await open('issue')), ...(await open('pull'))];
  items.sort((a, b) => Date.parse(b.updatedAt) - Date.parse(a.updatedAt));
  const account = hasAccount ? ((await client.get('/user', user, signal))?.username ?? null) : null;
  return { items, isWhole, topics: found.topics ?? [], account };
}
