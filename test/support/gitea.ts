import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { execa } from 'execa';
import { loadConfig } from '../../activities/shared/config.ts';
import { cachedServer } from '../../stack/server-cache.ts';

/** A real Gitea on loopback, over SQLite. */
export interface Gitea {
  readonly url: string;
  /** A token of its administrator. */
  readonly token: string;
  /** A token with other scopes: `read:user`. */
  tokenFor(scopes: string): Promise<string>;
  /** A token of another user. */
  tokenOf(user: string, scopes: string): Promise<string>;
  /** Sends a request to its API, as its administrator unless another token is given; fails unless the answer is 2xx. */
  api(method: string, path: string, body?: object, as?: string): Promise<unknown>;
  close(): Promise<void>;
}

/** Timeout of the first test on a machine, which builds Gitea. */
export const GITEA_BUILD_MS = 2_400_000;

const MODULE = 'code.gitea.io/gitea';
const VERSION = '1.26.0';
/** The module's checksum as Go writes it. */
const SUM = 'h1:fJP9dqLbzKrKWUVnCVTfVersZdVDuyJQLEDzCAOmKKA=';

/**
 * The paths of the program and of its source, which has its templates. Go builds it once into the user's cache, from
 * the folder of its module, because `go install` refuses a module that replaces others. SQLite needs a C compiler.
 */
async function fetchGitea(): Promise<{ readonly program: string; readonly source: string }> {
  const env = { ...process.env, CGO_ENABLED: '1', GOFLAGS: '-buildvcs=false', GOTOOLCHAIN: 'local' };
  const download = await execa('go', ['mod', 'download', '-json', `${MODULE}@v${VERSION}`], { env });
  const { Dir: source, Sum: sum } = JSON.parse(download.stdout) as { Dir: string; Sum: string };
  if (sum !== SUM) throw new Error(`The source of Gitea ${VERSION} has the checksum ${sum}, not the pinned ${SUM}.`);
  const make = async (folder: string): Promise<void> => {
    process.stderr.write(`gitea: building ${VERSION} with Go, once: some minutes\n`);
    const tags = 'sqlite sqlite_unlock_notify';
    const args = [
      'build',
      '-p',
      '2',
      '-trimpath',
      '-ldflags',
      '-s -w',
      '-tags',
      tags,
      '-o',
      join(folder, 'gitea'),
      '.',
    ];
    await execa('go', args, { env, cwd: source });
  };
  const program = await cachedServer(
    { name: 'gitea', version: VERSION, program: 'gitea', make },
    {
      cacheDir: loadConfig({ env: process.env }).cacheDir,
      env: process.env,
      onProgress: ({ about, message, passing }) => void (passing || process.stderr.write(`${about}: ${message}\n`)),
    },
  );
  return { program, source };
}

/** Starts a Gitea with all its data in a folder. */
export async function startGitea(folder: string): Promise<Gitea> {
  const { program, source } = await fetchGitea();
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const config = join(folder, 'app.ini');
  await mkdir(join(folder, 'data'), { recursive: true });
  await writeFile(config, settings(folder, source, port));
  const env = { PATH: process.env['PATH'], HOME: folder, GITEA_WORK_DIR: folder };
  const run = async (...args: string[]): Promise<string> => {
    const { stdout } = await execa(program, [...args, '--config', config], { env, extendEnv: false });
    return stdout;
  };
  await run('migrate');
  const tokenIn = (printed: string): string => /[0-9a-f]{40}/.exec(printed)?.[0] ?? '';
  const user = ['--username', 'root-of-all', '--password', 'a-Long-enough-1', '--email', 'root@example.com'];
  await run('admin', 'user', 'create', '--admin', '--must-change-password=false', ...user);
  const tokenOf = async (of: string, scopes: string): Promise<string> => {
    const name = `t${process.hrtime.bigint()}`;
    const args = ['--username', of, '--token-name', name, '--scopes', scopes];
    return tokenIn(await run('admin', 'user', 'generate-access-token', ...args));
  };
  const tokenFor = (scopes: string): Promise<string> => tokenOf('root-of-all', scopes);
  const token = await tokenFor('all');

  const server = spawn(program, ['web', '--config', config], { env, stdio: 'ignore' });
  const ended = once(server, 'exit');
  const close = async (): Promise<void> => {
    server.kill();
    await ended;
  };
  for (let waited = 0; ; waited++) {
    const answer = await fetch(`${url}/api/v1/version`).catch(() => null);
    if (answer?.ok) break;
    if (server.exitCode !== null || waited > 300) {
      await close();
      throw new Error(`Gitea does not start: see ${join(folder, 'log')}`);
    }
    await sleep(200);
  }

  return {
    url,
    token,
    tokenFor,
    tokenOf,
    async api(method, path, body, as = token) {
      const response = await fetch(`${url}/api/v1${path}`, {
        method,
        headers: { authorization: `token ${as}`, 'content-type': 'application/json' },
        ...(body ? { body: JSON.stringify(body) } : {}),
      });
      const text = await response.text();
      if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
      return text === '' ? null : (JSON.parse(text) as unknown);
    },
    close,
  };
}

function settings(folder: string, source: string, port: number): string {
  return `
APP_NAME = test
RUN_MODE = prod
WORK_PATH = ${folder}
I_AM_BEING_UNSAFE_RUNNING_AS_ROOT = true
[server]
HTTP_ADDR = 127.0.0.1
HTTP_PORT = ${port}
; as behind a proxy that Gitea is not configured for
ROOT_URL = http://git.inside.example:9/
STATIC_ROOT_PATH = ${source}
APP_DATA_PATH = ${join(folder, 'data')}
OFFLINE_MODE = true
DISABLE_SSH = true
[database]
DB_TYPE = sqlite3
PATH = ${join(folder, 'data', 'gitea.db')}
[security]
INSTALL_LOCK = true
SECRET_KEY = only-for-tests
[service]
DISABLE_REGISTRATION = true
[repository]
ROOT = ${join(folder, 'repositories')}
DEFAULT_BRANCH = main
[log]
MODE = file
ROOT_PATH = ${join(folder, 'log')}
[cron]
ENABLED = false
[actions]
ENABLED = false
`;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
