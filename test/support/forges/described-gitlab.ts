import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { z } from 'zod';
import {
  addPull,
  digestOf,
  type ProjectComment,
  type ProjectPull,
  type ProjectRelease,
  type ProjectState,
} from './project.ts';

/** GitLab on loopback over a project `acme/api`. */
export interface DescribedGitlab {
  readonly url: string;
  /** Requests outside the documentation, and quick actions that a text has run. */
  readonly violations: string[];
  close(): Promise<void>;
}

class Refusal extends Error {
  readonly status: number;
  readonly said: unknown;
  constructor(status: number, said: unknown) {
    super(JSON.stringify(said));
    this.status = status;
    this.said = said;
  }
}

interface Asked {
  /** Of the path, decoded. */
  readonly at: readonly string[];
  readonly query: URLSearchParams;
  readonly body: Readonly<Record<string, unknown>>;
  readonly content: Buffer;
  readonly who: string;
}

interface Route {
  readonly method: string;
  readonly path: RegExp;
  /** The parameters that GitLab's documentation lists for it, as far as they are in use. */
  readonly query?: readonly string[];
  readonly body?: z.ZodType;
  readonly status?: number;
  /** The role that the project's member needs. */
  readonly writes?: boolean;
  answer(asked: Asked): unknown;
}

const PAGES = ['page', 'per_page'];
const LARGEST_PAGE = 2;
const QUICK_ACTION = /^\s*(?:>\s*)*\/(close|merge|label|assign|approve|reopen|title|draft)\b/m;
const STATES = ['pending', 'running', 'success', 'failed', 'canceled', 'skipped'] as const;

/** Starts a GitLab that follows the rules of GitLab's REST API documentation, and refuses parameters that it does not list. */
export async function startDescribedGitlab(project: ProjectState): Promise<DescribedGitlab> {
  const violations: string[] = [];
  const packages: {
    readonly id: number;
    readonly version: string;
    files: { id: number; name: string; content: Buffer }[];
  }[] = [];
  const links = new Map<string, { id: number; name: string; url: string }[]>();
  const server = createServer((request, response) => {
    answer(request, response).catch((error: unknown) => {
      violations.push(String(error));
      response.destroy(error as Error);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

  const notFound = (what: string): never => {
    throw new Refusal(404, `404 ${what} Not Found`);
  };
  const runActions = (text: string): void => {
    const action = QUICK_ACTION.exec(text)?.[1];
    if (action !== undefined) violations.push(`a text ran the quick action ${action}`);
  };
  const pullOf = (iid: string | undefined): ProjectPull =>
    project.pulls.find(({ number }) => number === Number(iid)) ?? notFound('Merge Request');
  const issueOf = (kind: string | undefined, iid: string | undefined) => {
    if (kind === 'merge_requests') pullOf(iid);
    else if (project.pulls.some(({ number }) => number === Number(iid))) notFound('Issue');
    return project.issues.get(Number(iid)) ?? notFound('Issue');
  };
  const releaseOf = (tag: string | undefined): ProjectRelease =>
    project.releases.find((release) => release.tag === tag) ?? notFound('');
  const text = (value: unknown): string => (typeof value === 'string' ? value : '');

  const shownPull = ({ number, head, base, isFork, author, title, body, state }: ProjectPull): object => ({
    iid: number,
    id: number + 1_000,
    web_url: `${url}/acme/api/-/merge_requests/${number}`,
    state: state === 'open' ? 'opened' : 'closed',
    title,
    description: body,
    author: { username: author },
    source_branch: head,
    target_branch: base,
    source_project_id: isFork ? 8 : 7,
    target_project_id: 7,
  });
  const shownNote = ({ id, author, body }: ProjectComment): object => ({
    id,
    body,
    author: { username: author },
    system: false,
  });
  const shownRelease = ({ tag, title, notes }: ProjectRelease): object => ({
    tag_name: tag,
    name: title,
    description: notes,
    _links: { self: `${url}/acme/api/-/releases/${tag}` },
  });

  const project7 = '/projects/([^/]+)';
  const discussion = `${project7}/(issues|merge_requests)/(\\d+)`;
  const route = (method: string, path: string, rest: Omit<Route, 'method' | 'path'>): Route => ({
    method,
    path: new RegExp(`^/api/v4${path}$`),
    ...rest,
  });
  const color = z.string().regex(/^#[0-9a-f]{6}$/);
  const ROUTES: readonly Route[] = [
    route('GET', '/user', { answer: ({ who }) => ({ username: who, id: 1 }) }),
    route('GET', `${project7}/merge_requests`, {
      query: ['state', 'scope', 'source_branch', 'target_branch', ...PAGES],
      answer: ({ query }) =>
        project.pulls
          .filter(({ head, base, state }) => {
            const isState = query.get('state') === 'all' || state === 'open';
            return head === query.get('source_branch') && base === query.get('target_branch') && isState;
          })
          .map(shownPull),
    }),
    route('POST', `${project7}/merge_requests`, {
      writes: true,
      status: 201,
      body: z.strictObject({
        source_branch: z.string(),
        target_branch: z.string(),
        title: z.string().min(1).max(255),
        description: z.string().max(1_048_576),
      }),
      answer: ({ body, who }) => {
        const [head, base] = [text(body['source_branch']), text(body['target_branch'])];
        const open = project.pulls.find(
          (pull) => pull.head === head && pull.base === base && pull.state === 'open' && !pull.isFork,
        );
        if (open !== undefined) {
          throw new Refusal(409, [`Another open merge request already exists for this source branch: !${open.number}`]);
        }
        for (const branch of [head, base]) {
          if (!project.branches.has(branch)) throw new Refusal(400, `Branch ${branch} does not exist`);
        }
        runActions(text(body['description']));
        return shownPull(
          addPull(project, {
            head,
            base,
            isFork: false,
            author: who,
            title: text(body['title']),
            body: text(body['description']),
          }),
        );
      },
    }),
    route('PUT', `${project7}/merge_requests/(\\d+)`, {
      writes: true,
      body: z.union([
        z.strictObject({ title: z.string().min(1).max(255), description: z.string() }),
        z.strictObject({ add_labels: z.string() }),
        z.strictObject({ remove_labels: z.string() }),
      ]),
      answer: ({ at: [, iid], body }) => {
        const pull = pullOf(iid);
        if (body['title'] === undefined) changeLabels('merge_requests', iid, body);
        else Object.assign(pull, { title: body['title'], body: body['description'] });
        runActions(text(body['description']));
        return shownPull(pull);
      },
    }),
    route('GET', discussion, {
      answer: ({ at: [, kind, iid] }) => ({ iid: Number(iid), labels: [...issueOf(kind, iid).labels] }),
    }),
    route('PUT', `${project7}/(issues)/(\\d+)`, {
      writes: true,
      body: z.union([z.strictObject({ add_labels: z.string() }), z.strictObject({ remove_labels: z.string() })]),
      answer: ({ at: [, kind, iid], body }) => {
        changeLabels(kind, iid, body);
        return { iid: Number(iid) };
      },
    }),
    route('GET', `${discussion}/notes`, {
      query: ['sort', 'order_by', ...PAGES],
      answer: ({ at: [, kind, iid] }) => {
        const { number } = issueOf(kind, iid);
        return project.comments.filter(({ on }) => on === number).map(shownNote);
      },
    }),
    route('POST', `${discussion}/notes`, {
      writes: true,
      status: 201,
      body: z.strictObject({ body: z.string().min(1).max(1_000_000) }),
      answer: ({ at: [, kind, iid], body, who }) => {
        const comment = { id: project.next++, on: issueOf(kind, iid).number, author: who, body: text(body['body']) };
        runActions(comment.body);
        project.comments.push(comment);
        return shownNote(comment);
      },
    }),
    route('PUT', `${discussion}/notes/(\\d+)`, {
      writes: true,
      body: z.strictObject({ body: z.string().min(1) }),
      answer: ({ at: [, , , id], body, who }) => {
        const comment = project.comments.find((one) => one.id === Number(id)) ?? notFound('Note');
        if (comment.author !== who) throw new Refusal(403, '403 Forbidden');
        comment.body = text(body['body']);
        runActions(comment.body);
        return shownNote(comment);
      },
    }),
    route('GET', `${project7}/labels`, {
      query: PAGES,
      answer: () => [...project.labels.keys()].map((name) => ({ name })),
    }),
    route('POST', `${project7}/labels`, {
      writes: true,
      status: 201,
      body: z.strictObject({ name: z.string(), color, description: z.string() }),
      answer: ({ body }) => {
        const name = text(body['name']);
        if (project.labels.has(name)) throw new Refusal(409, 'Label already exists');
        project.labels.set(name, { color: text(body['color']), description: text(body['description']) });
        return { name };
      },
    }),
    route('GET', `${project7}/repository/commits/([0-9a-f]{40})/statuses`, {
      query: PAGES,
      answer: ({ at: [, sha] }) =>
        project.checks
          .filter(({ commit }) => commit === sha)
          .map(({ name, state, description, url: page }) => ({ name, status: state, description, target_url: page }))
          .toReversed(),
    }),
    route('POST', `${project7}/statuses/([0-9a-f]{40})`, {
      writes: true,
      status: 201,
      body: z.strictObject({
        state: z.enum(STATES),
        name: z.string(),
        description: z.string().max(255),
        target_url: z.url().max(255).optional(),
      }),
      answer: ({ at: [, sha = ''], body }) => {
        if (sha !== project.commit) notFound('Commit');
        const [name, state] = [text(body['name']), text(body['state'])];
        const description = text(body['description']);
        const page = (body['target_url'] as string | undefined) ?? null;
        const known = project.checks.find((check) => check.name === name && check.commit === sha);
        if (known?.state === state) {
          Object.assign(known, { description, url: page });
          throw new Refusal(400, `Cannot transition status via :enqueue from :${state}`);
        }
        project.checks.push({ commit: sha, name, state, description, url: page });
        return { name, status: state };
      },
    }),
    route('GET', `${project7}/repository/tags/([^/]+)`, {
      answer: ({ at: [, tag = ''] }) => (project.tags.has(tag) ? { name: tag } : notFound('Tag')),
    }),
    route('GET', `${project7}/releases/([^/]+)`, { answer: ({ at: [, tag] }) => shownRelease(releaseOf(tag)) }),
    route('POST', `${project7}/releases`, {
      writes: true,
      status: 201,
      body: z.strictObject({ tag_name: z.string(), name: z.string(), description: z.string() }),
      answer: ({ body }) => {
        const tag = text(body['tag_name']);
        if (project.releases.some((release) => release.tag === tag)) throw new Refusal(409, 'Release already exists');
        if (!project.tags.has(tag)) throw new Refusal(422, 'Ref is not specified');
        const [title, notes] = [text(body['name']), text(body['description'])];
        const release = { id: project.next++, tag, title, notes, isPrerelease: false, isLatest: false, assets: [] };
        project.releases.push(release);
        return shownRelease(release);
      },
    }),
    route('PUT', `${project7}/releases/([^/]+)`, {
      writes: true,
      body: z.strictObject({ name: z.string(), description: z.string() }),
      answer: ({ at: [, tag], body }) => {
        const release = releaseOf(tag);
        Object.assign(release, { title: body['name'], notes: body['description'] });
        return shownRelease(release);
      },
    }),
    route('GET', `${project7}/releases/([^/]+)/assets/links`, {
      query: PAGES,
      answer: ({ at: [, tag] }) => links.get(releaseOf(tag).tag) ?? [],
    }),
    route('POST', `${project7}/releases/([^/]+)/assets/links`, {
      writes: true,
      status: 201,
      body: z.strictObject({
        name: z.string(),
        url: z.url(),
        link_type: z.enum(['other', 'runbook', 'image', 'package']),
      }),
      answer: ({ at: [, tag], body }) => {
        const release = releaseOf(tag);
        const known = links.get(release.tag) ?? [];
        if (known.some(({ name }) => name === body['name'])) {
          throw new Refusal(400, { name: ['has already been taken'] });
        }
        const link = { id: project.next++, name: text(body['name']), url: text(body['url']) };
        links.set(release.tag, [...known, link]);
        syncAssets();
        return link;
      },
    }),
    route('DELETE', `${project7}/releases/([^/]+)/assets/links/(\\d+)`, {
      writes: true,
      answer: ({ at: [, tag = '', id] }) => {
        links.set(
          tag,
          (links.get(tag) ?? []).filter((link) => link.id !== Number(id)),
        );
        syncAssets();
        return { id: Number(id) };
      },
    }),
    route('GET', `${project7}/packages`, {
      query: ['package_type', 'package_name', ...PAGES],
      answer: ({ query }) =>
        query.get('package_name') === 'release-assets'
          ? packages.map(({ id, version }) => ({ id, version, name: 'release-assets', package_type: 'generic' }))
          : [],
    }),
    route('GET', `${project7}/packages/(\\d+)/package_files`, {
      query: PAGES,
      answer: ({ at: [, id] }) =>
        (packages.find((one) => one.id === Number(id)) ?? notFound('Package')).files.map((file) => ({
          id: file.id,
          file_name: file.name,
          size: file.content.length,
          file_sha256: digestOf(file.content),
        })),
    }),
    route('DELETE', `${project7}/packages/(\\d+)/package_files/(\\d+)`, {
      writes: true,
      status: 204,
      answer: ({ at: [, id, file] }) => {
        const found = packages.find((one) => one.id === Number(id)) ?? notFound('Package');
        found.files = found.files.filter((one) => one.id !== Number(file));
        syncAssets();
        return undefined;
      },
    }),
    route('PUT', `${project7}/packages/generic/release-assets/([A-Za-z0-9._+-]+)/([A-Za-z0-9._-]+)`, {
      writes: true,
      status: 201,
      answer: ({ at: [, version = '', name = ''], content }) => {
        const known = packages.find((one) => one.version === version);
        const made = known ?? { id: project.next++, version, files: [] };
        if (known === undefined) packages.push(made);
        // a file of the same name may exist: downloads get the latest
        made.files.push({ id: project.next++, name, content });
        syncAssets();
        return { message: '201 Created' };
      },
    }),
  ];

  /** What a release links to, as an observer downloads it. */
  function syncAssets(): void {
    for (const release of project.releases) {
      release.assets = (links.get(release.tag) ?? []).flatMap(({ id, name, url: address }) => {
        const [, version = '', file = ''] =
          /\/packages\/generic\/release-assets\/([^/]+)\/([^/]+)$/.exec(address) ?? [];
        const files = packages.find((one) => one.version === version)?.files ?? [];
        const latest = files.findLast((one) => one.name === file);
        return latest === undefined ? [] : [{ id, name, content: latest.content, isComplete: true }];
      });
    }
  }

  function changeLabels(kind: string | undefined, iid: string | undefined, body: Asked['body']): void {
    const { labels } = issueOf(kind, iid);
    for (const name of text(body['add_labels']).split(',').filter(Boolean)) labels.add(name);
    for (const name of text(body['remove_labels']).split(',').filter(Boolean)) labels.delete(name);
  }

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const asked = new URL(request.url ?? '', url);
    const content = await buffer(request);
    const name = `${request.method} ${asked.pathname}${asked.search}`;
    const reply = (status: number, body: unknown, headers: Readonly<Record<string, string>> = {}): void => {
      response.writeHead(status, { 'content-type': 'application/json', ...headers });
      response.end(body === undefined ? undefined : JSON.stringify(body));
    };
    const found = ROUTES.map((one) => ({ one, match: one.path.exec(asked.pathname) })).find(
      ({ one, match }) => match !== null && one.method === request.method,
    );
    if (found?.match == null) {
      violations.push(`${name} is not documented`);
      return reply(404, { error: '404 Not Found' });
    }
    const { one, match } = found;
    const unknown = [...asked.searchParams.keys()].filter((key) => !(one.query ?? []).includes(key));
    if (unknown.length > 0) violations.push(`${name}: no parameter ${unknown.join(', ')}`);
    const isJson = request.headers['content-type'] === 'application/json';
    const body = isJson && one.body ? (JSON.parse(content.toString()) as Record<string, unknown>) : {};
    const problem = one.body?.safeParse(body).error;
    if (problem) violations.push(`${name}: ${problem.message}`);
    try {
      const who = project.accounts[/^Bearer (.+)$/.exec(request.headers.authorization ?? '')?.[1] ?? ''];
      if (who === undefined) throw new Refusal(401, '401 Unauthorized');
      const at = match.slice(1).map(decodeURIComponent);
      if (asked.pathname.startsWith('/api/v4/projects/')) {
        if (at[0] !== 'acme/api' || who === 'outsider') notFound('Project');
        if (one.writes && who === 'reader') throw new Refusal(403, '403 Forbidden');
      }
      const value = one.answer({ at, query: asked.searchParams, body, content, who });
      const size = Math.min(Number(asked.searchParams.get('per_page') ?? 20), LARGEST_PAGE);
      const page = Number(asked.searchParams.get('page') ?? 1);
      if (!Array.isArray(value)) return reply(one.status ?? 200, value);
      const next = new URL(asked);
      next.searchParams.set('page', String(page + 1));
      const headers: Record<string, string> = page * size < value.length ? { link: `<${next.href}>; rel="next"` } : {};
      return reply(200, value.slice((page - 1) * size, page * size), headers);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      return reply(error.status, { message: error.said });
    }
  }

  return {
    url,
    violations,
    close: async () => {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}
