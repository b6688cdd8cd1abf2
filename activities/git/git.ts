import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { LonghaulError } from '../../domain/shared/failures.ts';
import { redacted } from './clone-url.ts';
import { removeTemporaries, temporaryPath } from '../../platform/temporary.ts';

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
  run(args: readonly string[], options: GitOptions & { readonly input?: string }): Promise<Buffer>;
}

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
  ...['HTTP_PROXY', 'HTTPS_PROXY', 'ALL_PROXY', 'NO_PROXY'].flatMap((name) => [name, name.toLowerCase()]),
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
const MEMORY_CHECK_MS = 250;

/** Git with its configuration in `<cacheDir>/git`. */
export function createGit(cacheDir: string, env: NodeJS.ProcessEnv): Git {
  const home = join(cacheDir, 'git');
  const configuration = join(home, 'config');
  const inherited: NodeJS.ProcessEnv = Object.fromEntries(
    INHERITED.flatMap((name) => (env[name] === undefined ? [] : [[name, env[name]]])),
  );
  let prepared: Promise<unknown> | null = null;
  let isPreparing = false;

  async function prepare(): Promise<void> {
    if (prepared === null || (!isPreparing && !existsSync(configuration))) {
      isPreparing = true;
      prepared = Promise.all([
        replaceFile(configuration, CONFIGURATION),
        createBareRepository(join(home, 'sha1.git'), 'sha1'),
        createBareRepository(join(home, 'sha256.git'), 'sha256'),
      ]).finally(() => (isPreparing = false));
      prepared.catch(() => (prepared = null));
    }
    await prepared;
  }

  function environment({ gitDir, store, config = [] }: GitOptions): NodeJS.ProcessEnv {
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
      ...(store ? { GIT_ALTERNATE_OBJECT_DIRECTORIES: quoted(store.objects) } : {}),
    };
  }

  async function start(args: readonly string[], options: GitOptions): Promise<GitProcess> {
    const { signal } = options;
    await prepare();
    signal?.throwIfAborted();
    const child = spawn('git', args, {
      cwd: home,
      env: environment(options),
      stdio: ['pipe', 'pipe', 'pipe'],
      detached: true,
    });
    const kill = (): void => endGroup(child);
    signal?.addEventListener('abort', kill, { once: true });
    const ended = endOf(child, args[0] ?? '', options).finally(() => signal?.removeEventListener('abort', kill));
    // the reader of the output sees its end first and then waits for the reason
    ended.catch(() => undefined);
    child.stdin.on('error', () => undefined);
    return { stdin: child.stdin, stdout: child.stdout, ended, kill };
  }

  return {
    start,
    async run(args, options) {
      const child = await start(args, options);
      child.stdin.end(options.input ?? '');
      const printed: Buffer[] = [];
      let size = 0;
      for await (const chunk of child.stdout as AsyncIterable<Buffer>) {
        printed.push(chunk);
        size += chunk.length;
        if (size <= OUTPUT_LIMIT) continue;
        child.kill();
        throw new LonghaulError(
          'GitFailed',
          `git ${args[0]} of ${options.about} lists more than ${OUTPUT_LIMIT} bytes: the repository has too many files.`,
        );
      }
      await child.ended;
      return Buffer.concat(printed);
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

/** Replaces a file atomically; removes what a killed process left next to it. */
export async function replaceFile(path: string, content: string | Uint8Array): Promise<void> {
  const writing = temporaryPath(path);
  const folder = dirname(path);
  await mkdir(folder, { recursive: true });
  await removeTemporaries(folder);
  try {
    await writeFile(writing, content);
    await rename(writing, path);
  } catch (error) {
    // on a full disk it would take the last of the space
    await rm(writing, { force: true });
    throw error;
  }
}

type Child = ChildProcessByStdio<Writable, Readable, Readable>;

const running = new Set<Child>();
process.once('exit', () => {
  for (const child of running) signalGroup(child, 'SIGKILL');
});

async function endOf(child: Child, command: string, { about, signal, onRemark }: GitOptions): Promise<void> {
  running.add(child);
  const memory = watchMemory(child);
  let complaint = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    complaint = (complaint + text).slice(-STDERR_LIMIT);
  });
  const closed = new Promise<number | NodeJS.Signals | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, killedBy) => resolve(code ?? killedBy));
  });
  try {
    const code = await closed;
    signal?.throwIfAborted();
    if (code === 'SIGKILL' && memory() > MEMORY_LIMIT) complaint += '\nit exceeded its memory limit';
    if (code !== 0) throw failureOf(command, complaint, code, about);
    onRemark?.(complaint);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    throw new LonghaulError('GitFailed', 'The program git is not installed, or not on the PATH of the worker.', {
      cause: error,
    });
  } finally {
    memory();
    running.delete(child);
  }
}

/** Kills git when it takes too much memory, on systems that report memory use. */
function watchMemory(child: Child): () => number {
  let most = 0;
  const timer = setInterval(() => {
    const statm = readFileIfAny(`/proc/${child.pid}/statm`);
    if (statm === null) return;
    const [, resident = 0, shared = 0] = statm.split(' ').map(Number);
    most = Math.max(most, (resident - shared) * 4_096);
    if (most > MEMORY_LIMIT) signalGroup(child, 'SIGKILL');
  }, MEMORY_CHECK_MS);
  timer.unref();
  return () => {
    clearInterval(timer);
    return most;
  };
}

function readFileIfAny(path: string): string | null {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return null;
  }
}

/** Classifies git's error output. The first cases are answers of the remote; the rest are local or network errors. */
function failureOf(command: string, stderr: string, code: number | string | null, about: string): LonghaulError {
  const said = redacted(stderr)
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
  if (/No space left on device|Disk quota exceeded|Input\/output error|Read-only file system/i.test(said)) {
    return new LonghaulError('DiskFailed', `git ${command} of ${about} cannot use the disk: ${said}`);
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

function endGroup(child: Child): void {
  if (child.exitCode !== null || child.signalCode !== null) return;
  signalGroup(child, 'SIGTERM');
  setTimeout(() => signalGroup(child, 'SIGKILL'), GRACE_MS).unref();
}

function signalGroup(child: Child, signal: NodeJS.Signals): void {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  try {
    process.kill(-child.pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/** Git separates folders in a list with colons, except inside quotes. */
function quoted(path: string): string {
  return `"${path.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`;
}
