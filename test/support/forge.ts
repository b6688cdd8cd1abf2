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
 * A forge on loopback that speaks the part of GitHub's REST API that finds repositories, with its pages, ETags and refusals,
 * the GraphQL that lists them and tells their heads, and serves the repositories over HTTP with git's own `http-backend`.
 */
export interface Forge {
  /** The web address, under which repositories are `<url>/<organization>/<repository>.git`. */
  readonly url: string;
  /** `<root>/<organization>/<repository>.git`: what lies here is served and listed. */
  readonly root: string;
  /** Every request so far: `GET /api/v3/user/orgs?page=2`. */
  readonly requests: string[];
  /** Organizations that exist but that the token's user is no member of. */
  readonly foreign: Set<string>;
  /** Owners that are users: `/orgs/<name>` is not found. */
  readonly users: Set<string>;
  readonly archived: Set<string>;
  readonly forks: Set<string>;
  /** Renames or transfers `organization/repository`; the old name is sent on to the new one, as GitHub does. */
  rename(from: string, to: string): Promise<void>;
  /** Sends nobody on from a former name any more. */
  forget(name: string): void;
  /** Repositories that the token may list but not read: SAML protects them. */
  readonly forbidden: Set<string>;
  /** Repositories that GraphQL fails to look up. */
  readonly unlucky: Set<string>;
  /** Whether there is GraphQL. */
  hasGraphql: boolean;
  /** Who enforces the limits; null where there are none. */
  readonly enforcement: Enforcement | null;
  /** What happens to requests of the API. */
  refuse: Faults | null;
  /** What happens to requests of git. */
  refuseGit: Faults | null;
  /** Items of REST a page, at most. */
  largestPage: number;
  /** What it counts a repository `organization/repository` by. */
  number(name: string): number;
  close(): Promise<void>;
}

/** What happens to a request: a refusal, a cut connection, or an answer that comes late. */
export type Fault = Refusal | 'cut' | { readonly delayMs: number };

/** What happens to each request; null for an answer at once. */
type Faults = (request: string) => Fault | null;

/** What the forge says instead of an answer. */
export interface Refusal {
  readonly status: number;
  readonly message: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Who is let in. */
export interface ForgeAccess {
  /** The token; left out, everybody is let in. */
  readonly token?: string;
  /** A GitHub App: its installation gets the token for a valid JWT only. */
  readonly app?: { readonly id: string; readonly installation: number; readonly publicKey: string };
  /** The limits that are enforced; none when left out. */
  readonly limits?: EnforcedLimits;
}

/** Starts a forge over a folder. */
export async function startForge(root: string, { token, app, limits }: ForgeAccess = {}): Promise<Forge> {
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
  /** The name that somebody is sent on to; null when the old one is still, or again, there. */
  const sentOnTo = (name: string): string | null =>
    existsSync(join(root, `${name}.git`)) ? null : (renamed.get(name) ?? null);
  /** What GraphQL shows under a name, which a renamed repository answers to as well. */
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

  /** True when there will be no other answer. */
  async function isRefused(faults: Faults | null, request: string, response: ServerResponse): Promise<boolean> {
    const refusal = faults?.(request) ?? null;
    if (refusal === null) return false;
    if (refusal === 'cut') response.destroy();
    else if ('status' in refusal) send(response, refusal.status, { message: refusal.message }, refusal.headers);
    else await pause(refusal.delayMs);
    return refusal === 'cut' || 'status' in refusal;
  }

  async function answerGit(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (await isRefused(forge.refuseGit, `${request.method} ${request.url}`, response)) return;
    await serveGit(request, response, root, token);
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

/** What HEAD of a bare repository names, as GraphQL shows it; null when there is no commit. */
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

/** Tree and time of commits that were shown before: a thousand repositories with one commit ask git once. */
const commits = new Map<string, string>();

const known = new WeakMap<Forge, Map<string, number>>();

/** The numbers that a forge gave to repositories by name. */
function numbers(forge: Forge): Map<string, number> {
  const given = known.get(forge) ?? new Map<string, number>();
  known.set(forge, given);
  return given;
}

/** What stays the same when a repository is renamed. */
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
    // GitHub says it to whoever may clone
    temp_clone_token: 'AABBCCDDEEFFTEMPORARY',
    archived: forge.archived.has(full),
    fork: forge.forks.has(full),
  };
}

/** What a response costs, once it is known whether it does. */
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

/** Hands a request to `git http-backend`, as a web server does. */
export async function serveGit(
  request: IncomingMessage,
  response: ServerResponse,
  root: string,
  token: string | undefined,
): Promise<void> {
  const { pathname, searchParams } = new URL(request.url ?? '', 'http://forge');
  const basic = Buffer.from((request.headers.authorization ?? '').replace(/^Basic /i, ''), 'base64').toString();
  if (token !== undefined && basic !== `x-access-token:${token}`) {
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
      GIT_CONFIG_VALUE_0: 'true',
      GIT_CONFIG_KEY_1: 'uploadpack.allowAnySHA1InWant',
      GIT_CONFIG_VALUE_1: 'true',
      PATH_INFO: decodeURIComponent(pathname),
      QUERY_STRING: searchParams.toString(),
      REQUEST_METHOD: request.method,
      CONTENT_TYPE: request.headers['content-type'] ?? '',
      ...(request.headers['content-length'] === undefined ? {} : { CONTENT_LENGTH: request.headers['content-length'] }),
      HTTP_CONTENT_ENCODING: request.headers['content-encoding'] ?? '',
      GIT_PROTOCOL: String(request.headers['git-protocol'] ?? ''),
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
