import { spawn } from 'node:child_process';
import { createHash, createVerify } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { mkdir, rename } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { dirname, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as pause } from 'node:timers/promises';
import { answerQuery, type GraphqlForge, type ShownRepository } from './forge-graphql.ts';
import { type EnforcedLimits, enforce, type Enforcement } from './forge-limits.ts';
import { git, SCRATCH_ENV } from './scratch-git.ts';

/**
 * A forge on loopback that speaks the part of GitHub's REST API that finds repositories, with its pages, ETags and
 * refusals, the GraphQL for lists and heads, and serves the repositories over HTTP with git's own `http-backend`.
 */
export interface Forge {
  /** The web address, under which repositories are `<url>/<organization>/<repository>.git`. */
  readonly url: string;
  /** `<root>/<organization>/<repository>.git`: repositories here are served and listed. */
  readonly root: string;
  /** Every request so far: `GET /api/v3/user/orgs?page=2`. */
  readonly requests: string[];
  /** Organizations that exist but do not have the token's user as a member. */
  readonly foreign: Set<string>;
  /** Owners that are users: `/orgs/<name>` is not found. */
  readonly users: Set<string>;
  readonly archived: Set<string>;
  readonly forks: Set<string>;
  /** Renames or transfers `organization/repository`; the old name redirects to the new one, as at GitHub. */
  rename(from: string, to: string): Promise<void>;
  /** Stops the redirect of a former name. */
  forget(name: string): void;
  /** Repositories that the token may list but not read: SAML protects them. */
  readonly forbidden: Set<string>;
  /** Repositories that GraphQL fails to look up. */
  readonly unlucky: Set<string>;
  /** Whether there is GraphQL. */
  hasGraphql: boolean;
  /** The enforcement of limits; null without limits. */
  readonly enforcement: Enforcement | null;
  /** Faults of API requests. */
  refuse: Faults | null;
  /** Faults of git requests. */
  refuseGit: Faults | null;
  /** Maximum number of items per REST page. */
  largestPage: number;
  /** The number of a repository `organization/repository`. */
  number(name: string): number;
  close(): Promise<void>;
}

/** A fault of a request: a refusal, a broken connection, a late answer; of git also work that is done without an answer. */
export type Fault = Refusal | 'cut' | 'lost' | { readonly delayMs: number };

/** The fault of each request; null for none. */
type Faults = (request: string) => Fault | null;

/** The refusal instead of an answer. */
export interface Refusal {
  readonly status: number;
  readonly message: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** The accepted credentials. */
export interface ForgeAccess {
  /** The token. @default no authentication */
  readonly token?: string;
  /** The token that git pushes with, and may read with. @default `token` */
  readonly writeToken?: string;
  /** A GitHub App: its installation gets the token only for a valid JWT. */
  readonly app?: { readonly id: string; readonly installation: number; readonly publicKey: string };
  /** The enforced limits. @default none */
  readonly limits?: EnforcedLimits;
  /** What git's server supports. @default everything */
  readonly git?: GitServer;
}

/** The abilities of a git server. */
export interface GitServer {
  readonly allowFilter: boolean;
  readonly allowAnySHA1InWant: boolean;
  /** The version of the protocol at most; 0: the client's header is lost, as behind some proxies. */
  readonly protocol: 0 | 1 | 2;
}

const EVERYTHING: GitServer = { allowFilter: true, allowAnySHA1InWant: true, protocol: 2 };

/** Starts a forge over a folder. */
export async function startForge(
  root: string,
  { token, writeToken = token, app, limits, git: abilities = EVERYTHING }: ForgeAccess = {},
): Promise<Forge> {
  const server = createServer((request, response) => {
    const path = request.url ?? '';
    forge.requests.push(`${request.method} ${path}`);
    const [, gitName = '', rest = ''] = /^\/([^/]+\/[^/]+)\.git(\/.*)$/.exec(path) ?? [];
    const target = sentOnTo(gitName);
    if (target !== null) {
      response.writeHead(301, { location: `${url}/${target}.git${rest}` }).end();
      return;
    }
    const answer = path.startsWith('/api/') ? answerApi(request, response) : answerGit(request, response);
    answer.catch((error: unknown) => response.destroy(error as Error));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

  const forge: Forge = {
    url,
    root,
    requests: [],
    foreign: new Set(),
    users: new Set(),
    archived: new Set(),
    forks: new Set(),
    forbidden: new Set(),
    unlucky: new Set(),
    hasGraphql: true,
    enforcement: limits ? enforce(limits) : null,
    refuse: null,
    refuseGit: null,
    largestPage: 100,
    number: (name) => numberOf(forge, name),
    rename: async (from, to) => {
      const number = numberOf(forge, from);
      await mkdir(dirname(join(root, to)), { recursive: true });
      await rename(join(root, `${from}.git`), join(root, `${to}.git`));
      numbers(forge).delete(from);
      numbers(forge).set(to, number);
      renamed.set(from, to);
    },
    forget: (name) => void renamed.delete(name),
    close: async () => {
      if (!server.listening) return;
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };

  const renamed = new Map<string, string>();
  /** The target of a redirect; null when a repository has the old name. */
  const sentOnTo = (name: string): string | null =>
    existsSync(join(root, `${name}.git`)) ? null : (renamed.get(name) ?? null);
  /** The repository in GraphQL by its name or a former name. */
  const shown = (owner: string, name: string): ShownRepository => {
    const asked = `${owner}/${name}`;
    const full = sentOnTo(asked) ?? asked;
    if (forge.unlucky.has(full)) return 'SERVICE_UNAVAILABLE';
    if (forge.forbidden.has(full)) return 'FORBIDDEN';
    if (!existsSync(join(root, `${full}.git`))) return 'NOT_FOUND';
    return {
      databaseId: numberOf(forge, full),
      name: full.slice(full.indexOf('/') + 1),
      nameWithOwner: full,
      owner: { __typename: forge.users.has(owner) ? 'User' : 'Organization', login: full.split('/')[0] },
      url: `${url}/${full}`,
      isArchived: forge.archived.has(full),
      isFork: forge.forks.has(full),
      defaultBranchRef: headOf(join(root, `${full}.git`)),
    };
  };
  const organizations = (): string[] => (existsSync(root) ? readdirSync(root).sort() : []);
  const namesOf = (owner: string): string[] =>
    readdirSync(join(root, owner))
      .filter((name) => name.endsWith('.git'))
      .sort()
      .map((name) => name.slice(0, -'.git'.length));
  const repositories = (owner: string): object[] => namesOf(owner).map((name) => describe(forge, owner, name));
  const owned: GraphqlForge['owned'] = (login) =>
    organizations().includes(login)
      ? {
          isUser: forge.users.has(login),
          names: namesOf(login)
            .map((name) => ({ name, number: numberOf(forge, `${login}/${name}`) }))
            .sort((a, b) => a.number - b.number),
        }
      : null;

  /** True when the request has been answered. */
  async function isRefused(faults: Faults | null, request: string, response: ServerResponse): Promise<boolean> {
    const refusal = faults?.(request) ?? null;
    if (refusal === null) return false;
    if (refusal === 'lost') {
      loseAnswer(response);
      return false;
    }
    if (refusal === 'cut') response.destroy();
    else if ('status' in refusal) send(response, refusal.status, { message: refusal.message }, refusal.headers);
    else await pause(refusal.delayMs);
    return refusal === 'cut' || 'status' in refusal;
  }

  async function answerGit(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (await isRefused(forge.refuseGit, `${request.method} ${request.url}`, response)) return;
    const isPush = request.url?.includes('git-receive-pack') === true;
    const isWriter = passwordOf(request) === writeToken;
    await serveGit(request, response, root, isPush || isWriter ? writeToken : token, abilities);
  }

  async function answerApi(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const asked = new URL(request.url ?? '', url);
    const path = asked.pathname.replace(/^\/api(\/v3)?/, '');
    const resource = path === '/graphql' ? 'graphql' : 'rest';
    const limited = forge.enforcement?.begin(request, response, resource) ?? null;
    if (limited !== null) return send(response, limited.status, { message: limited.message }, limited.headers);
    const { enforcement } = forge;
    if (enforcement) chargeOf.set(response, (isFree) => enforcement.charge(resource, isFree));
    if (await isRefused(forge.refuse, `${request.method} ${path}`, response)) return;
    const [, scheme = '', given = ''] = /^(\S+) (.+)$/.exec(request.headers.authorization ?? '') ?? [];
    const installation = /^\/app\/installations\/(\d+)\/access_tokens$/.exec(path);
    if (installation && request.method === 'POST') {
      if (!app || Number(installation[1]) !== app.installation || !isSigned(given, app))
        return badCredentials(response);
      return send(response, 201, {
        token,
        expires_at: new Date(Date.now() + 3_600_000).toISOString(),
        permissions: {},
      });
    }
    if (token !== undefined && (given !== token || !/^(token|bearer)$/i.test(scheme))) return badCredentials(response);

    if (path === '/graphql' && forge.hasGraphql && asked.pathname === '/api/graphql') {
      const query = JSON.parse(await text(request)) as Parameters<typeof answerQuery>[0];
      return send(response, 200, await answerQuery(query, { find: shown, owned }));
    }
    const [, kind, owner = '', third] = path.split('/');
    const sendItems = (items: readonly object[], wrap?: (page: readonly object[]) => unknown): void =>
      sendPage(response, { asked, largest: forge.largestPage }, items, wrap);
    if (path === '/user/orgs') {
      const own = organizations().filter((name) => !forge.foreign.has(name) && !forge.users.has(name));
      return sendItems(own.map((login) => ({ login })));
    }
    if (path === '/user/repos') return sendItems([]);
    if (path === '/installation/repositories') {
      const all = organizations().flatMap(repositories);
      return sendItems(all, (page) => ({ total_count: all.length, repositories: page }));
    }
    if (third === 'repos' && (kind === 'orgs' || kind === 'users') && organizations().includes(owner)) {
      if (forge.users.has(owner) === (kind === 'users')) return sendItems(repositories(owner));
    }
    if (kind === 'repos' && third && existsSync(join(root, owner, `${third}.git`))) {
      return send(response, 200, describe(forge, owner, third));
    }
    const target = kind === 'repos' && third ? sentOnTo(`${owner}/${third}`) : null;
    if (target !== null) {
      const location = `${url}/api/v3/repositories/${numberOf(forge, target)}`;
      return send(response, 301, { message: 'Moved Permanently', url: location }, { location });
    }
    if (kind === 'repositories') {
      const [named] = [...numbers(forge)].find(([, number]) => number === Number(owner)) ?? [];
      const [of = '', name = ''] = named?.split('/') ?? [];
      if (named !== undefined && existsSync(join(root, `${named}.git`))) {
        return send(response, 200, describe(forge, of, name));
      }
    }
    return send(response, 404, { message: 'Not Found' });
  }

  return forge;
}

/** HEAD of a bare repository, as in GraphQL; null when it has no commit. */
function headOf(path: string): object | null {
  const ref = /^ref: (refs\/heads\/.+)$/m.exec(readFileSync(join(path, 'HEAD'), 'utf8'))?.[1] ?? '';
  const packed = existsSync(join(path, 'packed-refs')) ? readFileSync(join(path, 'packed-refs'), 'utf8') : '';
  const loose = existsSync(join(path, ref)) ? readFileSync(join(path, ref), 'utf8').trim() : null;
  const oid =
    loose ??
    packed
      .split('\n')
      .find((line) => line.endsWith(` ${ref}`))
      ?.split(' ')[0];
  if (oid === undefined) return null;
  const [tree = '', committedDate = ''] = (commits.get(oid) ?? git(path, 'log', '-1', '--format=%T %cI', oid)).split(
    ' ',
  );
  commits.set(oid, `${tree} ${committedDate}`);
  const target = { __typename: 'Commit', oid, committedDate, tree: { oid: tree } };
  return { name: ref.replace('refs/heads/', ''), target };
}

/** Cached tree and time of commits: a thousand repositories with the same commit need git once. */
const commits = new Map<string, string>();

const known = new WeakMap<Forge, Map<string, number>>();

/** The numbers of repositories by name. */
function numbers(forge: Forge): Map<string, number> {
  const given = known.get(forge) ?? new Map<string, number>();
  known.set(forge, given);
  return given;
}

/** The number of a repository, which survives a rename. */
function numberOf(forge: Forge, name: string): number {
  const given = numbers(forge);
  const number = given.get(name) ?? given.size + 1_001;
  given.set(name, number);
  return number;
}

function describe(forge: Forge, owner: string, name: string): object {
  const full = `${owner}/${name}`;
  return {
    id: numberOf(forge, full),
    name,
    full_name: full,
    owner: { login: owner },
    clone_url: `${forge.url}/${full}.git`,
    default_branch: 'main',
    // GitHub includes it for everyone who may clone
    temp_clone_token: 'AABBCCDDEEFFTEMPORARY',
    archived: forge.archived.has(full),
    fork: forge.forks.has(full),
  };
}

/** Lets the connection break where the answer would be. */
function loseAnswer(response: ServerResponse): void {
  response.writeHead = () => response;
  response.write = () => true;
  response.end = () => response.destroy();
}

/** Counts the cost of a response when its status is known. */
const chargeOf = new WeakMap<ServerResponse, (isFree: boolean) => Record<string, string>>();

function sendPage(
  response: ServerResponse,
  { asked, largest }: { readonly asked: URL; readonly largest: number },
  items: readonly object[],
  wrap: (page: readonly object[]) => unknown = (page) => page,
): void {
  const size = Math.min(Number(asked.searchParams.get('per_page') ?? 30), largest);
  const page = Number(asked.searchParams.get('page') ?? 1);
  const last = Math.max(1, Math.ceil(items.length / size));
  const next = new URL(asked);
  next.searchParams.set('page', String(page + 1));
  const link: Record<string, string> = page < last ? { link: `<${next.href}>; rel="next"` } : {};
  const body = wrap(items.slice((page - 1) * size, page * size));
  const etag = `W/"${createHash('sha256')
    .update(JSON.stringify([body, link]))
    .digest('hex')}"`;
  if (response.req.headers['if-none-match'] === etag) return send(response, 304, null, { etag });
  return send(response, 200, body, { ...link, etag });
}

function badCredentials(response: ServerResponse): void {
  return send(response, 401, { message: 'Bad credentials' });
}

function send(
  response: ServerResponse,
  status: number,
  body: unknown,
  headers: Readonly<Record<string, string>> = {},
): void {
  const charged = chargeOf.get(response)?.(status === 304) ?? {};
  response.writeHead(status, { 'content-type': 'application/json; charset=utf-8', ...charged, ...headers });
  response.end(status === 304 ? undefined : JSON.stringify(body));
}

function isSigned(jwt: string, app: { readonly id: string; readonly publicKey: string }): boolean {
  const [header = '', payload = '', signature = ''] = jwt.split('.');
  const claims = JSON.parse(Buffer.from(payload, 'base64url').toString()) as { iss: unknown; exp: number };
  const verify = createVerify('RSA-SHA256').update(`${header}.${payload}`);
  return (
    String(claims.iss) === app.id &&
    claims.exp * 1_000 > Date.now() &&
    verify.verify(app.publicKey, signature, 'base64url')
  );
}

/** Passes a request to `git http-backend`, as a web server does. */
export async function serveGit(
  request: IncomingMessage,
  response: ServerResponse,
  root: string,
  token: string | undefined,
  { allowFilter, allowAnySHA1InWant, protocol }: GitServer = EVERYTHING,
): Promise<void> {
  const { pathname, searchParams } = new URL(request.url ?? '', 'http://forge');
  if (token !== undefined && passwordOf(request) !== token) {
    response.writeHead(401, { 'www-authenticate': 'Basic realm="forge"' });
    response.end();
    return;
  }
  const cgi = spawn('git', ['http-backend'], {
    env: {
      ...SCRATCH_ENV,
      GIT_PROJECT_ROOT: root,
      GIT_HTTP_EXPORT_ALL: '1',
      GIT_CONFIG_COUNT: '2',
      GIT_CONFIG_KEY_0: 'uploadpack.allowFilter',
      GIT_CONFIG_VALUE_0: String(allowFilter),
      GIT_CONFIG_KEY_1: 'uploadpack.allowAnySHA1InWant',
      GIT_CONFIG_VALUE_1: String(allowAnySHA1InWant),
      PATH_INFO: decodeURIComponent(pathname),
      QUERY_STRING: searchParams.toString(),
      REQUEST_METHOD: request.method,
      CONTENT_TYPE: request.headers['content-type'] ?? '',
      ...(request.headers['content-length'] === undefined ? {} : { CONTENT_LENGTH: request.headers['content-length'] }),
      HTTP_CONTENT_ENCODING: request.headers['content-encoding'] ?? '',
      GIT_PROTOCOL: protocol === 0 ? '' : protocol === 1 ? 'version=1' : String(request.headers['git-protocol'] ?? ''),
    },
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  cgi.stdin.on('error', () => undefined);
  response.on('close', () => cgi.kill());
  request.pipe(cgi.stdin);
  let head = Buffer.alloc(0);
  let started = false;
  for await (const chunk of cgi.stdout as AsyncIterable<Buffer>) {
    if (started) {
      if (!response.write(chunk)) await once(response, 'drain');
      continue;
    }
    head = Buffer.concat([head, chunk]);
    const end = head.indexOf('\r\n\r\n');
    if (end < 0) continue;
    started = true;
    const lines = head.toString('latin1', 0, end).split('\r\n');
    const headers = new Map(lines.map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 2)]));
    const status = Number(headers.get('Status')?.slice(0, 3) ?? 200);
    headers.delete('Status');
    response.writeHead(status, Object.fromEntries(headers));
    response.write(head.subarray(end + 4));
  }
  response.end();
}

/** The token that git sends; null for another user, or none. */
function passwordOf({ headers: { authorization = '' } }: IncomingMessage): string | null {
  const basic = Buffer.from(authorization.replace(/^Basic /i, ''), 'base64').toString();
  return basic.startsWith('x-access-token:') ? basic.slice('x-access-token:'.length) : null;
}
