import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { LonghaulError } from '../../domain/failures.js';
import { redacted } from './clone-url.js';
/** What git needs of the environment to find programs, keys, proxies and certificates. */
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
 * `safe.directory`: a repository of another owner is only read here. `allowFilter`, `allowAnySHA1InWant`: for a remote on
 * this machine. `lowSpeed…`: a stalled transfer ends after a minute.
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
/** How long a git that was asked to end may take to remove its temporary files. */
const GRACE_MS = 1_000;
const STDERR_LIMIT = 8_192;
/** Git that keeps its configuration under `<cacheDir>/git`. */
export function createGit(cacheDir, env) {
    const home = join(cacheDir, 'git');
    const configuration = join(home, 'config');
    const inherited = Object.fromEntries(INHERITED.flatMap((name) => (env[name] === undefined ? [] : [[name, env[name]]])));
    let prepared = null;
    async function prepare() {
        if (prepared === null || !existsSync(configuration)) {
            prepared = Promise.all([
                replaceFile(configuration, CONFIGURATION),
                createBareRepository(join(home, 'sha1.git'), 'sha1'),
                createBareRepository(join(home, 'sha256.git'), 'sha256'),
            ]);
            prepared.catch(() => (prepared = null));
        }
        await prepared;
    }
    function environment({ gitDir, store, config = [] }) {
        const settings = Object.fromEntries(config.flatMap(([key, value], at) => [
            [`GIT_CONFIG_KEY_${at}`, key],
            [`GIT_CONFIG_VALUE_${at}`, value],
        ]));
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
    async function start(args, options) {
        const { signal } = options;
        await prepare();
        signal?.throwIfAborted();
        const child = spawn('git', args, {
            cwd: home,
            env: environment(options),
            stdio: ['pipe', 'pipe', 'pipe'],
            detached: true,
        });
        const kill = () => endGroup(child);
        signal?.addEventListener('abort', kill, { once: true });
        const ended = endOf(child, args[0] ?? '', options).finally(() => signal?.removeEventListener('abort', kill));
        // whoever reads the output sees the end of it first; the reason is waited for after that
        ended.catch(() => undefined);
        child.stdin.on('error', () => undefined);
        return { stdin: child.stdin, stdout: child.stdout, ended, kill };
    }
    return {
        start,
        async run(args, options) {
            const child = await start(args, options);
            child.stdin.end(options.input ?? '');
            const printed = [];
            try {
                for await (const chunk of child.stdout)
                    printed.push(chunk);
            }
            catch (error) {
                child.kill();
                await child.ended;
                throw error;
            }
            await child.ended;
            return Buffer.concat(printed);
        },
    };
}
/** Makes an empty bare repository without running git; nothing happens when there is one. */
export async function createBareRepository(path, format, settings = '') {
    if (existsSync(path))
        return;
    const making = `${path}.tmp-${randomUUID()}`;
    await mkdir(join(making, 'objects'), { recursive: true });
    await mkdir(join(making, 'refs'));
    await writeFile(join(making, 'config'), bareConfiguration(format) + settings);
    await writeFile(join(making, 'HEAD'), 'ref: refs/heads/none\n');
    try {
        await rename(making, path);
    }
    catch (error) {
        await rm(making, { recursive: true, force: true });
        if (!existsSync(path))
            throw error;
    }
}
/** The configuration of a bare repository whose objects have names of this format. */
export function bareConfiguration(format) {
    const version = '[core]\n\trepositoryformatversion = 1\n\tbare = true\n';
    return format === 'sha1' ? version : `${version}[extensions]\n\tobjectFormat = sha256\n`;
}
/** Writes a file so that nobody ever sees half of it. */
export async function replaceFile(path, content) {
    const writing = `${path}.tmp-${randomUUID()}`;
    await mkdir(join(path, '..'), { recursive: true });
    await writeFile(writing, content);
    await rename(writing, path);
}
const running = new Set();
process.once('exit', () => {
    for (const child of running)
        signalGroup(child, 'SIGKILL');
});
async function endOf(child, command, { about, signal }) {
    running.add(child);
    let complaint = '';
    child.stderr.setEncoding('utf8').on('data', (text) => {
        complaint = (complaint + text).slice(-STDERR_LIMIT);
    });
    const closed = new Promise((resolve, reject) => {
        child.once('error', reject);
        child.once('close', (code, killedBy) => resolve(code ?? killedBy));
    });
    try {
        const code = await closed;
        signal?.throwIfAborted();
        if (code !== 0)
            throw failureOf(command, complaint, code, about);
    }
    catch (error) {
        if (error.code !== 'ENOENT')
            throw error;
        throw new LonghaulError('GitFailed', 'The program git is not installed, or not on the PATH of the worker.', {
            cause: error,
        });
    }
    finally {
        running.delete(child);
    }
}
/** Reads git's complaint. The first kinds are what the other side said; the rest is ours or the network's. */
function failureOf(command, stderr, code, about) {
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
    if (/Authentication failed|could not read (Username|Password)|terminal prompts disabled|returned error: 40[13]|Permission denied|Host key verification failed/i.test(said)) {
        return new LonghaulError('AuthenticationFailed', `Git may not read ${about}: ${said}`);
    }
    if (/repository .*not found|does not appear to be a git repository|returned error: 404|no such repository/i.test(said)) {
        return new LonghaulError('RepositoryNotFound', `There is no repository ${about}: ${said}`);
    }
    const failure = new LonghaulError('GitFailed', `git ${command} of ${about} ended with ${code}: ${said || 'it said nothing'}`);
    complaints.set(failure, said);
    return failure;
}
const complaints = new WeakMap();
/** What git itself said before it ended with this `GitFailed`; the empty text for any other error. */
export function complaintOf(error) {
    return (error instanceof LonghaulError && complaints.get(error)) || '';
}
function endGroup(child) {
    if (child.exitCode !== null || child.signalCode !== null)
        return;
    signalGroup(child, 'SIGTERM');
    setTimeout(() => signalGroup(child, 'SIGKILL'), GRACE_MS).unref();
}
function signalGroup(child, signal) {
    if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null)
        return;
    try {
        process.kill(-child.pid, signal);
    }
    catch (error) {
        if (error.code !== 'ESRCH')
            throw error;
    }
}
/** In a list of folders git takes a colon for the separator, except between quotes. */
function quoted(path) {
    return `"${path.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`;
}
//# sourceMappingURL=git.js.map