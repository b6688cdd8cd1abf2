import { OutputLimitError, pick, type ProgramResult, runProgram } from '../../../platform/program.ts';
import { hasCode } from '../../../platform/error-code.ts';
import type { MgitProviderConfig } from '../../../domain/config/providers.schema.ts';
import { hasWildcard, type Pattern } from '../../../domain/git/pattern.ts';
import { type Repository, repositoryId } from '../../../domain/git/repository.ts';
import { LonghaulError } from '../../../domain/shared/failures.ts';
import { redact } from '../../../domain/shared/redact.ts';
import { withoutCredentials } from '../../git/clone-url.ts';
import type { Provider } from './provider.ts';

/** Variables of the user's session. All others, such as tokens of other providers, are passed only if configured. */
const SESSION = [
  'PATH',
  'HOME',
  'USER',
  'LOGNAME',
  'SHELL',
  'LANG',
  'LC_ALL',
  'TZ',
  'TMPDIR',
  'SSH_AUTH_SOCK',
  'XDG_CONFIG_HOME',
  'XDG_CACHE_HOME',
  'XDG_DATA_HOME',
  'XDG_STATE_HOME',
  'XDG_RUNTIME_DIR',
  'HTTP_PROXY',
  'HTTPS_PROXY',
  'ALL_PROXY',
  'NO_PROXY',
  'http_proxy',
  'https_proxy',
  'all_proxy',
  'no_proxy',
  'SSL_CERT_FILE',
  'SSL_CERT_DIR',
  'NODE_EXTRA_CA_CERTS',
  'GIT_SSL_CAINFO',
];

/** Repositories that an installed mgit finds: `mgit list PATTERN --format json`. */
export function createMgitProvider(config: MgitProviderConfig, env: NodeJS.ProcessEnv): Provider {
  const { name, command, provider, passEnv } = config;
  const visible = pick(env, [...SESSION, ...passEnv]);

  async function query(pattern: string, signal: AbortSignal | undefined): Promise<Repository[]> {
    const args = ['list', pattern, '--format', 'json', ...(provider === undefined ? [] : ['-p', provider])];
    const { stdout, stderr } = await run(args, signal);
    return readListing(stdout, stderr).map((entry, at) => repositoryOf(name, entry, at));
  }

  async function run(args: readonly string[], signal: AbortSignal | undefined): Promise<ProgramResult> {
    const result = await start(args, signal);
    if (result.code === 0) return result;
    const said = redact(`${result.stderr}\n${result.stdout}`).trim().slice(-1_000);
    throw failed(`ended with ${result.code ?? result.killedBy}: ${said}`);
  }

  async function start(args: readonly string[], signal: AbortSignal | undefined): Promise<ProgramResult> {
    try {
      return await runProgram(command, args, { env: visible, signal });
    } catch (error) {
      signal?.throwIfAborted();
      if (hasCode(error, 'ENOENT')) throw failed('is not installed', error);
      if (error instanceof OutputLimitError) throw failed(`listed too much: ${error.message}`, error);
      throw error;
    }
  }

  function failed(how: string, cause?: unknown): LonghaulError {
    return new LonghaulError('DiscoveryFailed', `The program ${command} of provider ${name} ${how}`, { cause });
  }

  const list: Provider['list'] = async (patterns, signal) => {
    const queries = new Set(patterns.map((pattern) => queryOf(pattern, provider !== undefined)));
    const found: Repository[] = [];
    for (const pattern of queries) found.push(...(await query(pattern, signal)));
    return found;
  };

  const find: Provider['find'] = async ({ organization, project, repository }, signal) => {
    const id = repositoryId(name, organization, project, repository);
    const pattern = { text: id, provider: name, organization, project: project ?? '*', repository };
    return (await list([pattern], signal)).find((found) => found.id === id) ?? null;
  };

  return {
    name,
    list,
    find,
    async locate(requested, signal) {
      // mgit's listing has no id that survives a rename
      const located: (Repository | null)[] = [];
      for (const sought of requested) located.push(await find(sought, signal));
      return located;
    },
    credentials: () => Promise.resolve([]),
  };
}

/**
 * A query that finds at least what the pattern matches. Without a provider mgit reads a leading wildcard as a provider
 * name, so everything is requested then. A leading dash must not look like an option.
 */
function queryOf({ organization, project, repository }: Pattern, hasProvider: boolean): string {
  if (!hasProvider && hasWildcard(organization)) return '*/*/*';
  return [organization.replace(/^-/, '?'), project ?? '*', repository].join('/');
}

/** The repositories in mgit's output: an array or one object per line, possibly with log lines around it. */
function readListing(stdout: string, stderr: string): Record<string, unknown>[] {
  const lines = stdout.split(/\r?\n/);
  const listing = arrayIn(lines) ?? objectsIn(lines);
  if (listing === null) {
    throw new LonghaulError('DiscoveryFailed', `mgit list printed no JSON: ${redact(stdout).slice(0, 500)}`);
  }
  const log = redact(`${stderr}\n${lines.filter((line) => !/^[\s[\]{}"]/.test(line)).join('\n')}`);
  const refusal = /^.*\b(401|bad credentials|unauthorized|authentication failed)\b.*$/im.exec(log)?.[0];
  if (listing.length === 0 && refusal !== undefined) {
    throw new LonghaulError(
      'AuthenticationFailed',
      `mgit list found nothing because its token was refused: ${refusal}`,
    );
  }
  return listing;
}

function arrayIn(lines: readonly string[]): Record<string, unknown>[] | null {
  const ends = lines.flatMap((line, at) => (line.trimEnd().endsWith(']') ? [at] : [])).toReversed();
  for (const [start, line] of lines.entries()) {
    if (!line.startsWith('[')) continue;
    for (const end of ends.filter((at) => at >= start)) {
      const value = parsed(lines.slice(start, end + 1).join('\n'));
      if (Array.isArray(value) && value.every(isObject)) return value;
    }
  }
  return null;
}

function objectsIn(lines: readonly string[]): Record<string, unknown>[] | null {
  const found = lines.filter((line) => line.startsWith('{')).map(parsed);
  return found.length > 0 && found.every(isObject) ? found : null;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function repositoryOf(provider: string, entry: Record<string, unknown>, at: number): Repository {
  const text = (key: string): string | null => {
    const value = entry[key];
    return typeof value === 'string' && value !== '' ? value : null;
  };
  const organization = text('organization');
  const repository = text('repository') ?? text('name');
  const cloneUrl = text('clone_url') ?? text('ssh_url');
  if (organization === null || repository === null || cloneUrl === null) {
    throw new LonghaulError(
      'DiscoveryFailed',
      `Entry ${at + 1} of mgit list lacks organization, repository or clone_url: ${redact(JSON.stringify(entry)).slice(0, 300)}`,
    );
  }
  const project = text('project');
  return {
    id: repositoryId(provider, organization, project, repository),
    provider,
    organization,
    project,
    repository,
    cloneUrl: withoutCredentials(cloneUrl),
    defaultBranch: text('default_branch'),
  };
}
