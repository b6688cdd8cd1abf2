import { existsSync } from 'node:fs';
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { LonghaulError } from '../../domain/shared/failures.ts';
import { redact } from '../../domain/shared/redact.ts';
import { findGit, OLDEST_GIT } from './git-version.ts';
import { hasCode } from '../../platform/error-code.ts';
import { PROXY_VARIABLES, variable } from '../../platform/proxy.ts';
import { pick, type Program, readAll, startProgram } from '../../platform/program.ts';
import { temporaryPath } from '../../platform/temporary.ts';
import { writeWhole } from '../../platform/whole-file.ts';

/** The hash function of a repository's object ids. */
export type ObjectFormat = 'sha1' | 'sha256';

/**
 * Objects on this disk, of a mirror or of a user's repository. They are read without reading that repository's
 * configuration.
 */
export interface ObjectStore {
  /** The `objects` folder. */
  readonly objects: string;
  readonly format: ObjectFormat;
}

/** Options of a git process. */
export interface GitOptions {
  /** What error messages name: a repository's id or address, without credentials. */
  readonly about: string;
  /** The repository to write to; by default an empty one that Longhaul creates. */
  readonly gitDir?: string;
  /** Objects to read in addition to those of the repository. */
  readonly store?: ObjectStore;
  /** The folder with the files; by default the repository has none. */
  readonly workTree?: string;
  /** The index to use; by default the repository has none. */
  readonly indexFile?: string;
  /** Configuration for this process. It is passed in the environment, so credentials do not appear in process lists. */
  readonly config?: readonly (readonly [key: string, value: string])[];
  /** Ends git when it is aborted. */
  readonly signal?: AbortSignal | undefined;
  /** Receives what git printed to standard error, when it succeeded. */
  readonly onRemark?: (said: string) => void;
}

/** A running git. */
export interface GitProcess {
  readonly stdin: Writable;
  readonly stdout: Readable;
  /** Settles when git has ended; rejects with `GitFailed` or a more specific type, or with the reason of an abort. */
  readonly ended: Promise<void>;
  /** Kills git and all its child processes. */
  kill(): void;
}

/** Git, isolated from its environment: no system or user configuration, no hooks, no prompts, no inherited `GIT_*`. */
export interface Git {
  /** Starts git. An abort kills it and all its children. */
  start(args: readonly string[], options: GitOptions): Promise<GitProcess>;
  /** Runs git to completion and returns its output. */
  run(args: readonly string[], options: GitOptions & { readonly input?: string | Uint8Array }): Promise<Buffer>;
}

/** The work for which gits are started, so that another process can find those that outlive this one. */
export interface GitOwner {
  /** Unique. Every git and every program that it starts has it in its environment ({@link OWNER_VARIABLE}). */
  readonly mark: string;
  /** Called with the pid of each git that was started; git counts as ended only when this has resolved, too. */
  readonly onStarted: (pid: number) => Promise<void>;
}

/** The environment variable with {@link GitOwner.mark}. */
export const OWNER_VARIABLE = 'LONGHAUL_GIT_OWNER';

/** Environment variables that git needs to find programs, keys, proxies and certificates. */
const INHERITED = [
  'PATH',
  'HOME',
  'USER',
  'LOGNAME',
  'TMPDIR',
  'SSH_AUTH_SOCK',
  'SSL_CERT_FILE',
  'SSL_CERT_DIR',
  'CURL_CA_BUNDLE',
  'GIT_SSL_CAINFO',
  'GIT_SSL_CAPATH',
  ...PROXY_VARIABLES,
];

/**
 * `safe.directory`: repositories of other owners are only read. `allowFilter`, `allowAnySHA1InWant`: for a local
 * remote. `lowSpeed…`: a stalled transfer ends after a minute.
 */
const CONFIGURATION = `[safe]
	directory = *
[uploadpack]
	allowFilter = true
	allowAnySHA1InWant = true
[protocol]
	version = 2
	allow = never
[protocol "https"]
	allow = always
[protocol "http"]
	allow = always
[protocol "ssh"]
	allow = always
[protocol "file"]
	allow = always
[protocol "ext"]
	allow = never
[core]
	fsmonitor = false
	hooksPath = /dev/null
	attributesFile = /dev/null
	excludesFile = /dev/null
	askPass =
	pager = cat
[credential]
	helper =
[gc]
	auto = 0
[maintenance]
	auto = false
[fetch]
	recurseSubmodules = false
[submodule]
	recurse = false
[http]
	lowSpeedLimit = 1000
	lowSpeedTime = 60
`;

/** How long a terminated git may take to remove its temporary files. */
const GRACE_MS = 1_000;
const STDERR_LIMIT = 8_192;
/** Enough for more than a million files; a tree that contains itself many times over exceeds it. */
const OUTPUT_LIMIT = 200_000_000;
/** Git holds a whole comparison in memory before it prints the first line. */
const MEMORY_LIMIT = 2_000_000_000;

/** Git with its configuration in `<cacheDir>/git`. */
export function createGit(cacheDir: string, env: NodeJS.ProcessEnv, owner: GitOwner | null = null): Git {
  const home = join(cacheDir, 'git');
  const configuration = join(home, 'config');
  // libcurl reads this one in lower case only
  const httpProxy = variable(env, 'http_proxy');
  const inherited = { ...pick(env, INHERITED), ...(httpProxy === null ? {} : { http_proxy: httpProxy }) };
  let prepared: Promise<unknown> | null = null;
  let isPreparing = false;

  async function prepare(): Promise<void> {
    if (prepared === null || (!isPreparing && !existsSync(configuration))) {
      isPreparing = true;
      prepared = Promise.all([
        checkVersion(inherited),
        writeWhole(configuration, CONFIGURATION, { durable: false }),
        createBareRepository(join(home, 'sha1.git'), 'sha1'),
        createBareRepository(join(home, 'sha256.git'), 'sha256'),
      ]).finally(() => (isPreparing = false));
      prepared.catch(() => (prepared = null));
    }
    await prepared;
  }

  function environment({ gitDir, store, workTree, indexFile, config = [] }: GitOptions): NodeJS.ProcessEnv {
    const settings: NodeJS.ProcessEnv = Object.fromEntries(
      config.flatMap(([key, value], at) => [
        [`GIT_CONFIG_KEY_${at}`, key],
        [`GIT_CONFIG_VALUE_${at}`, value],
      ]),
    );
    return {
      ...inherited,
      ...settings,
      LC_ALL: 'C',
      GIT_DIR: gitDir ?? join(home, `${store?.format ?? 'sha1'}.git`),
      GIT_CONFIG_NOSYSTEM: '1',
      GIT_CONFIG_GLOBAL: configuration,
      GIT_CONFIG_COUNT: String(config.length),
      GIT_ATTR_NOSYSTEM: '1',
      GIT_TERMINAL_PROMPT: '0',
      GIT_OPTIONAL_LOCKS: '0',
      GIT_NO_LAZY_FETCH: '1',
      GIT_NO_REPLACE_OBJECTS: '1',
      GIT_SSH_COMMAND: 'ssh -oBatchMode=yes',
      ...(workTree === undefined ? {} : { GIT_WORK_TREE: workTree }),
      ...(indexFile === undefined ? {} : { GIT_INDEX_FILE: indexFile }),
      ...(store ? { GIT_ALTERNATE_OBJECT_DIRECTORIES: quoted(store.objects) } : {}),
      ...(owner ? { [OWNER_VARIABLE]: owner.mark } : {}),
    };
  }

  async function start(args: readonly string[], options: GitOptions): Promise<GitProcess> {
    return asGit(await launch(args, options), args[0] ?? '', options);
  }

  async function launch(args: readonly string[], options: GitOptions): Promise<Program> {
    const { signal } = options;
    await prepare();
    signal?.throwIfAborted();
    const program = startProgram('git', args, {
      cwd: home,
      env: environment(options),
      signal,
      graceMs: GRACE_MS,
      maxMemoryBytes: MEMORY_LIMIT,
      mayLeaveProcesses: true,
    });
    if (owner === null || program.pid === undefined) return program;
    // its output is read meanwhile: what comes before the first reader is lost
    const known = owner.onStarted(program.pid);
    known.catch(() => program.kill());
    const ended = program.ended.then(async (end) => {
      await known;
      return end;
    });
    ended.catch(() => undefined);
    return { ...program, ended };
  }

  return {
    start,
    async run(args, options) {
      const program = await launch(args, options);
      const { ended } = asGit(program, args[0] ?? '', options);
      program.stdin.end(options.input ?? '');
      const tooMuch = (): LonghaulError =>
        new LonghaulError(
          'GitFailed',
          `git ${args[0]} of ${options.about} lists more than ${OUTPUT_LIMIT} bytes: the repository has too many files.`,
        );
      const printed = await readAll({ ...program, ended }, OUTPUT_LIMIT, tooMuch);
      await ended;
      return printed;
    },
  };
}

/** Creates an empty bare repository without running git, if there is none. */
export async function createBareRepository(path: string, format: ObjectFormat, settings = ''): Promise<void> {
  if (existsSync(path)) return;
  const making = temporaryPath(path);
  await mkdir(join(making, 'objects'), { recursive: true });
  await mkdir(join(making, 'refs'));
  await writeFile(join(making, 'config'), bareConfiguration(format) + settings);
  await writeFile(join(making, 'HEAD'), 'ref: refs/heads/none\n');
  try {
    await rename(making, path);
  } catch (error) {
    await rm(making, { recursive: true, force: true });
    if (!existsSync(path)) throw error;
  }
}

/** The configuration of a bare repository with this object format. */
export function bareConfiguration(format: ObjectFormat): string {
  const version = '[core]\n\trepositoryformatversion = 1\n\tbare = true\n';
  return format === 'sha1' ? version : `${version}[extensions]\n\tobjectFormat = sha256\n`;
}

/** Names the failures of a running git. */
function asGit(program: Program, command: string, options: GitOptions): GitProcess & { ended: Promise<void> } {
  let complaint = '';
  program.stderr.setEncoding('utf8').on('data', (text: string) => {
    complaint = (complaint + text).slice(-STDERR_LIMIT);
  });
  const ended = (async () => {
    try {
      const { code, killedBy, tookTooMuchMemory } = await program.ended;
      if (tookTooMuchMemory) complaint += '\nit exceeded its memory limit';
      if (code !== 0) throw failureOfGit(command, complaint, code ?? killedBy, options.about);
      options.onRemark?.(complaint);
    } catch (error) {
      if (!hasCode(error, 'ENOENT')) throw error;
      throw missing(error);
    }
  })();
  // a reader of the output sees its end first, and waits for the reason after that
  ended.catch(() => undefined);
  return { stdin: program.stdin, stdout: program.stdout, ended, kill: () => program.kill() };
}

/** Throws `GitUnusable` when git is missing or too old: its own messages would only name an unknown option. */
async function checkVersion(env: NodeJS.ProcessEnv): Promise<void> {
  const git = await findGit(env);
  if (git === null) throw missing();
  if (git.isUsable) return;
  throw new LonghaulError(
    'GitUnusable',
    `The git at ${git.program} has the version ${git.version}: Longhaul needs ${OLDEST_GIT} or later.`,
  );
}

function missing(cause?: unknown): LonghaulError {
  return new LonghaulError('GitUnusable', 'The program git is not installed, or not on the PATH of the worker.', {
    cause,
  });
}

/** No answer of the remote: the name, the network, the proxy or the certificate. */
const UNREACHABLE =
  /could not resolve|failed to connect|couldn't connect|connection (?:refused|timed out|reset)|no route to host|network is unreachable|certificate|SSL|from proxy|CONNECT tunnel/i;

/** Classifies git's error output. The first cases are answers of the remote; the rest are local or network errors. */
function failureOfGit(command: string, stderr: string, code: number | string | null, about: string): LonghaulError {
  const said = redact(stderr)
    .split('\n')
    .filter((line) => line.trim() !== '' && !/^(hint|warning):/.test(line))
    .slice(-6)
    .join(' / ');
  if (/returned error: 429|rate limit/i.test(said)) {
    return new LonghaulError('RateLimited', `The server of ${about} asks git to wait: ${said}`, {
      retryAfterMs: 60_000,
    });
  }
  if (
    /Authentication failed|could not read (Username|Password)|terminal prompts disabled|returned error: 40[13]|Permission denied|Host key verification failed/i.test(
      said,
    )
  ) {
    return new LonghaulError('AuthenticationFailed', `Git may not read ${about}: ${said}`);
  }
  if (
    /repository .*not found|does not appear to be a git repository|returned error: 404|no such repository/i.test(said)
  ) {
    return new LonghaulError('RepositoryNotFound', `There is no repository ${about}: ${said}`);
  }
  if (
    /No space left on device|Disk quota exceeded|Input\/output error|Read-only file system|unable to write file/i.test(
      said,
    )
  ) {
    return new LonghaulError('DiskFailed', `git ${command} of ${about} cannot use the disk: ${said}`);
  }
  if (UNREACHABLE.test(said)) {
    return new LonghaulError('RemoteUnreachable', `Git cannot reach the remote of ${about}: ${said}`);
  }
  const failure = new LonghaulError(
    'GitFailed',
    `git ${command} of ${about} ended with ${code}: ${said || 'no error message'}`,
  );
  complaints.set(failure, said);
  return failure;
}

const complaints = new WeakMap<object, string>();

/** Git's error output of a `GitFailed`; the empty string for any other error. */
export function complaintOf(error: unknown): string {
  return (error instanceof LonghaulError && complaints.get(error)) || '';
}

/** Git separates folders in a list with colons, except inside quotes. */
function quoted(path: string): string {
  return `"${path.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`;
}
