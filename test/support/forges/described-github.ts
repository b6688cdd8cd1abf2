import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { Ajv, type ValidateFunction } from 'ajv';
import {
  addPull,
  digestOf,
  type ProjectAsset,
  type ProjectComment,
  type ProjectPull,
  type ProjectRelease,
  type ProjectState,
} from './project.ts';

/** The cut of GitHub's OpenAPI description that `scripts/github-description.mjs` writes. */
const DESCRIPTION = JSON.parse(
  readFileSync(new URL('github-description.json', import.meta.url), 'utf8'),
) as Description;

interface Description {
  readonly operations: Readonly<
    Record<
      string,
      {
        readonly query: readonly { readonly name: string }[];
        readonly body?: { readonly properties?: object };
        readonly status: number;
        readonly answer?: object;
      }
    >
  >;
}

interface Operation {
  readonly path: RegExp;
  readonly names: readonly string[];
  readonly query: readonly string[];
  readonly properties: readonly string[] | null;
  readonly isBody: ValidateFunction | null;
  readonly isAnswer: ValidateFunction | null;
  readonly status: number;
}

const ajv = new Ajv({ strict: false });
const OPERATIONS = Object.entries(DESCRIPTION.operations).map(
  ([key, { query, body, answer, status }]): [string, Operation] => {
    const path = key.split(' ')[1] ?? '';
    return [
      key,
      {
        path: new RegExp(`^${path.replaceAll(/\{ref\}/g, '(.+)').replaceAll(/\{\w+\}/g, '([^/]+)')}$`),
        names: [...path.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => name),
        query: query.map(({ name }) => name),
        properties: body?.properties === undefined ? null : Object.keys(body.properties),
        isBody: body === undefined ? null : ajv.compile(body),
        isAnswer: answer === undefined ? null : ajv.compile(answer),
        status,
      },
    ];
  },
);

/** A refusal in GitHub's form. */
class Refusal extends Error {
  readonly status: number;
  readonly body: object;
  readonly headers: Readonly<Record<string, string>>;
  constructor(status: number, body: object, headers: Readonly<Record<string, string>> = {}) {
    super(JSON.stringify(body));
    this.status = status;
    this.body = body;
    this.headers = headers;
  }
}

const notFound = (): Refusal =>
  new Refusal(404, { message: 'Not Found', documentation_url: 'https://docs.github.com' });
const invalid = (errors: object[]): Refusal => new Refusal(422, { message: 'Validation Failed', errors });

/** GitHub on loopback, as an Enterprise Server, over a project `acme/api`. */
export interface DescribedGithub {
  readonly url: string;
  readonly violations: string[];
  close(): Promise<void>;
}

/** Pages are this small, so that lists have several. */
const LARGEST_PAGE = 2;

/** Starts a GitHub that checks every request and answer against GitHub's own description. */
export async function startDescribedGithub(project: ProjectState): Promise<DescribedGithub> {
  const violations: string[] = [];
  const server = createServer((request, response) => {
    answer(request, response).catch((error: unknown) => {
      violations.push(String(error));
      response.destroy(error as Error);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const asked = new URL(request.url ?? '', url);
    const content = await buffer(request);
    const method = (request.method ?? '').toLowerCase();
    const isUpload = asked.pathname.startsWith('/api/uploads/');
    const path = asked.pathname.replace(/^\/api\/(v3|uploads)/, '');
    const name = `${request.method} ${asked.pathname}${asked.search}`;
    const reply = (status: number, body: unknown, headers: Readonly<Record<string, string>> = {}): void => {
      response.writeHead(status, { 'content-type': 'application/json; charset=utf-8', ...headers });
      response.end(body === undefined ? undefined : JSON.stringify(body));
    };
    const found = OPERATIONS.map(([key, operation]) => ({ key, operation, match: operation.path.exec(path) })).find(
      ({ key, match }) => match !== null && key.startsWith(`${method} `),
    );
    if (found?.match == null) {
      violations.push(`${name} is not in the description`);
      return reply(404, { message: 'Not Found' });
    }
    const { key, operation, match } = found;
    const parameters = Object.fromEntries(
      operation.names.map((parameter, at) => [parameter, decodeURIComponent(match[at + 1] ?? '')]),
    );
    const unknown = [...asked.searchParams.keys()].filter((query) => !operation.query.includes(query));
    if (unknown.length > 0) violations.push(`${name}: no parameter ${unknown.join(', ')}`);
    const body = isUpload || content.length === 0 ? {} : (JSON.parse(content.toString()) as Record<string, unknown>);
    if (!isUpload && content.length > 0) {
      const extra = Object.keys(body).filter((field) => operation.properties?.includes(field) === false);
      if (operation.isBody?.(body) === false || extra.length > 0) {
        violations.push(`${name}: ${ajv.errorsText(operation.isBody?.errors)} ${extra.join(', ')}`);
      }
    }
    try {
      const who = accountOf(request);
      if (path !== '/user') permit(who, method);
      const { value, headers } = paged(
        work(key, { parameters, body, query: asked.searchParams, who, content, request }),
        asked,
      );
      if (operation.isAnswer?.(value) === false) {
        violations.push(`the answer to ${name}: ${ajv.errorsText(operation.isAnswer.errors)}`);
      }
      reply(operation.status, value, headers);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      reply(error.status, error.body, error.headers);
    }
  }

  function accountOf({ headers }: IncomingMessage): string {
    const given = /^token (.+)$/.exec(headers.authorization ?? '')?.[1] ?? '';
    const who = project.accounts[given];
    if (who === undefined) throw new Refusal(401, { message: 'Bad credentials' });
    return who;
  }

  function permit(who: string, method: string): void {
    if (who === 'outsider') throw notFound();
    if (who === 'reader' && method !== 'get') {
      const message = 'Resource not accessible by personal access token';
      throw new Refusal(403, { message }, { 'x-accepted-github-permissions': 'contents=write' });
    }
  }

  function paged(value: unknown, asked: URL): { value: unknown; headers: Record<string, string> } {
    if (!Array.isArray(value)) return { value, headers: {} };
    const size = Math.min(Number(asked.searchParams.get('per_page') ?? 30), LARGEST_PAGE);
    const page = Number(asked.searchParams.get('page') ?? 1);
    const next = new URL(asked);
    next.searchParams.set('page', String(page + 1));
    return {
      value: value.slice((page - 1) * size, page * size) as unknown[],
      headers: page * size < value.length ? { link: `<${next.href}>; rel="next"` } : {},
    };
  }

  interface Asked {
    readonly parameters: Readonly<Record<string, string>>;
    readonly body: Readonly<Record<string, unknown>>;
    readonly query: URLSearchParams;
    readonly who: string;
    readonly content: Buffer;
    readonly request: IncomingMessage;
  }

  function work(key: string, asked: Asked): unknown {
    const { parameters, body, query, who } = asked;
    const text = (field: string): string => {
      const value = body[field];
      return typeof value === 'string' ? value : '';
    };
    const issue = () => project.issues.get(Number(parameters['issue_number'])) ?? raise(notFound());
    const releaseOf = () =>
      project.releases.find(({ id }) => id === Number(parameters['release_id'])) ?? raise(notFound());
    switch (key.replace('/repos/{owner}/{repo}', '')) {
      case 'get /user':
        return { login: who, id: 1 };
      case 'get /pulls': {
        const [owner = '', branch = ''] = (query.get('head') ?? '').split(':');
        return project.pulls
          .filter(({ head, base, isFork, state }) => {
            const isHere = owner === 'acme' || (isFork && owner === 'other');
            const isState = query.get('state') === 'all' || state === (query.get('state') ?? 'open');
            return isHere && head === branch && base === query.get('base') && isState;
          })
          .map(shownPull)
          .toReversed();
      }
      case 'post /pulls': {
        const [head, base] = [text('head'), text('base')];
        for (const [field, branch] of Object.entries({ head, base })) {
          if (!project.branches.has(branch)) throw invalid([{ resource: 'PullRequest', field, code: 'invalid' }]);
        }
        if (
          project.pulls.some(
            (pull) => pull.head === head && pull.base === base && pull.state === 'open' && !pull.isFork,
          )
        ) {
          throw invalid([
            { resource: 'PullRequest', code: 'custom', message: `A pull request already exists for acme:${head}.` },
          ]);
        }
        return shownPull(
          addPull(project, { head, base, title: text('title'), body: text('body'), author: who, isFork: false }),
        );
      }
      case 'patch /pulls/{pull_number}': {
        const pull = project.pulls.find(({ number }) => number === Number(parameters['pull_number']));
        Object.assign(pull ?? raise(notFound()), body);
        return shownPull(pull ?? raise(notFound()));
      }
      case 'get /issues/{issue_number}/comments':
        return project.comments.filter(({ on }) => on === issue().number).map(shownComment);
      case 'post /issues/{issue_number}/comments': {
        if (text('body').length > 65_536)
          throw invalid([{ resource: 'IssueComment', field: 'data', code: 'unprocessable' }]);
        const comment = { id: project.next++, on: issue().number, author: who, body: text('body') };
        project.comments.push(comment);
        return shownComment(comment);
      }
      case 'patch /issues/comments/{comment_id}': {
        const comment = project.comments.find(({ id }) => id === Number(parameters['comment_id']));
        if (comment === undefined) throw notFound();
        if (comment.author !== who) throw new Refusal(403, { message: 'Forbidden' });
        comment.body = text('body');
        return shownComment(comment);
      }
      case 'get /labels':
        return [...project.labels.keys()].map((name) => ({ name }));
      case 'post /labels': {
        if (project.labels.has(text('name')))
          throw invalid([{ resource: 'Label', code: 'already_exists', field: 'name' }]);
        project.labels.set(text('name'), { color: text('color'), description: text('description') });
        return { name: text('name') };
      }
      case 'get /issues/{issue_number}/labels':
        return [...issue().labels].map((name) => ({ name }));
      case 'post /issues/{issue_number}/labels':
        for (const name of body['labels'] as string[]) issue().labels.add(name);
        return [...issue().labels].map((name) => ({ name }));
      case 'delete /issues/{issue_number}/labels/{name}':
        if (!issue().labels.delete(parameters['name'] ?? ''))
          throw new Refusal(404, { message: 'Label does not exist' });
        return [...issue().labels].map((name) => ({ name }));
      case 'get /commits/{ref}/statuses':
        return project.checks
          .filter(({ commit }) => commit === parameters['ref'])
          .map(shownCheck)
          .toReversed();
      case 'post /statuses/{sha}': {
        const commit = parameters['sha'] ?? '';
        if (commit !== project.commit) throw new Refusal(422, { message: `No commit found for SHA: ${commit}` });
        const check = {
          commit,
          name: text('context'),
          state: text('state'),
          description: text('description'),
          url: (body['target_url'] as string | undefined) ?? null,
        };
        project.checks.push(check);
        return shownCheck(check);
      }
      case 'get /git/ref/{ref}': {
        const ref = parameters['ref'] ?? '';
        if (!project.tags.has(ref.replace(/^tags\//, ''))) throw notFound();
        return { ref: `refs/${ref}`, object: { type: 'commit', sha: project.commit } };
      }
      case 'get /releases/tags/{tag}':
        return shownRelease(project.releases.find(({ tag }) => tag === parameters['tag']) ?? raise(notFound()));
      case 'post /releases': {
        const tag = text('tag_name');
        if (project.releases.some((release) => release.tag === tag)) {
          throw invalid([{ resource: 'Release', code: 'already_exists', field: 'tag_name' }]);
        }
        // as GitHub does, from the default branch
        project.tags.add(tag);
        const release = {
          id: project.next++,
          tag,
          title: text('name'),
          notes: text('body'),
          isPrerelease: body['prerelease'] === true,
          isLatest: false,
          assets: [],
        };
        project.releases.push(release);
        markLatest(release, body['make_latest'] ?? 'true');
        return shownRelease(release);
      }
      case 'patch /releases/{release_id}': {
        const release = releaseOf();
        release.title = text('name');
        release.notes = text('body');
        release.isPrerelease = body['prerelease'] === true;
        markLatest(release, body['make_latest']);
        return shownRelease(release);
      }
      case 'get /releases/{release_id}/assets':
        return releaseOf().assets.map(shownAsset);
      case 'post /releases/{release_id}/assets':
        return shownAsset(upload(releaseOf(), asked));
      case 'delete /releases/assets/{asset_id}': {
        const id = Number(parameters['asset_id']);
        const release = project.releases.find(({ assets }) => assets.some((asset) => asset.id === id));
        if (release === undefined) throw notFound();
        release.assets = release.assets.filter((asset) => asset.id !== id);
        return undefined;
      }
      default:
        throw new Error(`the tests have no answer to ${key}`);
    }
  }

  function upload(
    release: ProjectRelease,
    { query, content, request: { headers, url: address } }: Asked,
  ): ProjectAsset {
    const name = query.get('name') ?? '';
    if (!address?.startsWith('/api/uploads/')) throw notFound();
    if (headers['content-length'] === undefined) throw new Refusal(400, { message: 'Bad Content-Length' });
    if (headers['content-type'] === undefined) throw new Refusal(415, { message: 'Missing Content-Type' });
    if (release.assets.some((asset) => asset.name === name)) {
      throw invalid([{ resource: 'ReleaseAsset', code: 'already_exists', field: 'name' }]);
    }
    const asset = { id: project.next++, name, content, isComplete: true };
    release.assets.push(asset);
    return asset;
  }

  const shownPull = ({ number, head, base, isFork, author, title, body, state }: ProjectPull): object => {
    const owner = isFork ? 'other' : 'acme';
    return {
      number,
      html_url: `${url}/acme/api/pull/${number}`,
      state,
      merged_at: null,
      title,
      body: body === '' ? null : body,
      user: { login: author },
      head: { ref: head, label: `${owner}:${head}`, repo: { full_name: `${owner}/api` } },
      base: { ref: base, label: `acme:${base}` },
    };
  };
  const shownComment = ({ id, on, author, body }: ProjectComment): object => ({
    id,
    html_url: `${url}/acme/api/issues/${on}#issuecomment-${id}`,
    body,
    user: { login: author },
  });
  const shownCheck = ({ name, state, description, url: page }: ProjectState['checks'][number]): object => ({
    context: name,
    state,
    description: description === '' ? null : description,
    target_url: page,
  });
  /** As GitHub does: one release at most is the latest. */
  const markLatest = (release: ProjectRelease, given: unknown): void => {
    if (given === 'true') for (const each of project.releases) each.isLatest = each === release;
    else if (given === 'false') release.isLatest = false;
  };
  const shownRelease = ({ id, tag, title, notes, isPrerelease }: ProjectRelease): object => ({
    id,
    tag_name: tag,
    html_url: `${url}/acme/api/releases/tag/${tag}`,
    name: title,
    body: notes,
    prerelease: isPrerelease,
    draft: false,
  });
  const shownAsset = ({ id, name, content, isComplete }: ProjectAsset): object => ({
    id,
    name,
    size: content.length,
    state: isComplete ? 'uploaded' : 'open',
    digest: isComplete ? `sha256:${digestOf(content)}` : null,
    browser_download_url: `${url}/acme/api/releases/download/${name}`,
  });

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

function raise(error: Error): never {
  throw error;
}
