import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { serveGit, type Refusal } from './forge.ts';

/** A repository of a {@link DescribedForge}. */
export interface HostedRepository {
  /** `organization[/group…]/repository`, as the forge writes it in addresses. */
  path: string;
  /** Its number, which survives a rename. */
  readonly number: number;
  archived: boolean;
  fork: boolean;
  /** True when it has no git repository to fetch. */
  disabled: boolean;
}

/** The used part of a forge's API, according to its published description. */
export interface Dialect {
  /** Paths of the API, each with the query parameters in its description. */
  readonly routes: readonly Route[];
  /** The accepted `Authorization` headers, of the API and of git. */
  readonly authorization: { readonly api: string; readonly git: string };
  /** The answer to an unauthenticated request. */
  readonly unauthorized: Answer;
  /** The answer to a request for something that does not exist. */
  readonly notFound: Answer;
  /** The repository of a git request, and the rest of its path; null for the API. */
  gitPath(path: string): { readonly repository: string; readonly rest: string } | null;
}

/** One path of an API. */
export interface Route {
  /** With a group for each parameter. */
  readonly path: RegExp;
  readonly query: readonly string[];
  /** Parameters are decoded. Null means `notFound`. */
  answer(forge: DescribedForge, parameters: readonly string[], asked: URL): Answer | null;
}

/** The body of an answer: JSON, unless it is a text. */
export interface Answer {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: unknown;
}

/**
 * A forge on loopback that answers as the published description of its API says, refuses requests outside the
 * description, and serves `<root>/<path>.git` with git's own `http-backend`.
 */
export interface DescribedForge {
  readonly url: string;
  readonly root: string;
  /** By number. */
  readonly repositories: Map<number, HostedRepository>;
  /** Former paths, with the number of the repository that had it. */
  readonly former: Map<string, number>;
  /** Owners that are users, not groups. */
  readonly users: Set<string>;
  /** Every request so far: `GET /api/v4/projects?membership=true`. */
  readonly requests: string[];
  /** The highest number of concurrent requests so far, including git's. */
  mostAtOnce: number;
  /** Requests that are not in the description. */
  readonly violations: string[];
  /** Returns the refusal of a request; null to answer it. */
  refuse: ((path: string) => Refusal | null) | null;
  /** Awaited before git is answered. */
  held: Promise<void> | null;
  /** Changes an answer. */
  tamper: ((body: string) => string) | null;
  host(path: string, more?: Partial<Omit<HostedRepository, 'path' | 'number'>>): HostedRepository;
  rename(from: string, to: string): void;
  close(): Promise<void>;
}

/** Starts a forge over a folder. */
export async function startDescribedForge(dialect: Dialect, root: string): Promise<DescribedForge> {
  let underWay = 0;
  const server = createServer((request, response) => {
    const path = request.url ?? '';
    forge.mostAtOnce = Math.max(forge.mostAtOnce, ++underWay);
    response.once('close', () => underWay--);
    forge.requests.push(`${request.method} ${path}`);
    const ofGit = dialect.gitPath(path);
    if (ofGit === null) return answerApi(request, response);
    serve(decodeURIComponent(ofGit.repository), ofGit.rest, request, response).catch((error: unknown) =>
      response.destroy(error as Error),
    );
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');

  let next = 1_001;
  const forge: DescribedForge = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    root,
    repositories: new Map(),
    former: new Map(),
    users: new Set(),
    requests: [],
    mostAtOnce: 0,
    violations: [],
    refuse: null,
    held: null,
    tamper: null,
    host(path, more = {}) {
      const number = next++;
      const hosted = { path, number, archived: false, fork: false, disabled: false, ...more };
      forge.repositories.set(number, hosted);
      return hosted;
    },
    rename(from, to) {
      const hosted = [...forge.repositories.values()].find(({ path }) => path === from);
      if (hosted === undefined) throw new Error(`There is no ${from}`);
      forge.former.set(from, hosted.number);
      hosted.path = to;
    },
    close: async () => {
      if (!server.listening) return;
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };

  function answerApi(request: IncomingMessage, response: ServerResponse): void {
    const asked = new URL(request.url ?? '', forge.url);
    const send = ({ status = 200, headers = {}, body }: Answer): void => {
      const text = typeof body === 'string' ? body : JSON.stringify(body);
      const type = typeof body === 'string' ? 'text/html' : 'application/json; charset=utf-8';
      response.writeHead(status, { 'content-type': type, ...headers });
      response.end(status === 200 && forge.tamper ? forge.tamper(text) : text);
    };
    const refusal = forge.refuse?.(asked.pathname) ?? null;
    if (refusal !== null) {
      const { status, message, headers = {} } = refusal;
      return send({ status, body: headers['content-type'] === 'text/html' ? message : { message }, headers });
    }
    for (const { path, query, answer } of dialect.routes) {
      const found = path.exec(asked.pathname);
      if (found === null) continue;
      const unknown = [...asked.searchParams.keys()].filter((key) => !query.includes(key));
      if (request.method !== 'GET' || unknown.length > 0) break;
      if (request.headers.authorization !== dialect.authorization.api) return send(dialect.unauthorized);
      return send(answer(forge, found.slice(1).map(decodeURIComponent), asked) ?? dialect.notFound);
    }
    forge.violations.push(`${request.method} ${asked.href}`);
    send({ status: 400, body: { message: 'The description knows no such request' } });
  }

  async function serve(path: string, rest: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (request.headers.authorization !== dialect.authorization.git) {
      response.writeHead(401, { 'www-authenticate': 'Basic realm="forge"' }).end();
    } else if (!existsSync(join(root, `${path}.git`))) {
      response.writeHead(404).end();
    } else {
      request.url = `/${path}.git${rest}`;
      await forge.held;
      await serveGit(request, response, root, undefined);
    }
  }

  return forge;
}

/** One page of many, and the number of the next one. */
export function pageOf<Item>(
  items: readonly Item[],
  asked: URL,
  size: string,
  most: number,
): { page: Item[]; next: number | null } {
  const length = Math.min(Number(asked.searchParams.get(size) ?? 10), most);
  const number = Number(asked.searchParams.get('page') ?? 1);
  const page = items.slice((number - 1) * length, number * length);
  return { page, next: number * length < items.length ? number + 1 : null };
}

/** The same address with another value in its query. */
export function withQuery(asked: URL, name: string, value: string | number): URL {
  const changed = new URL(asked);
  changed.searchParams.set(name, String(value));
  return changed;
}
