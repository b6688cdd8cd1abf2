import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';

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

/**
 * The paths of the program and its templates, from `GITEA_PROGRAM` and `GITEA_SOURCE`; null when they are not set. Both
 * come from the Go module: `go mod download -json code.gitea.io/gitea@v1.26.0` prints the folder of the source, and
 * there `go build -p 2 -tags 'sqlite sqlite_unlock_notify' -o PROGRAM .` builds the program, which needs a C compiler
 * and some minutes.
 */
export function giteaHere(): { readonly program: string; readonly source: string } | null {
  const { GITEA_PROGRAM: program, GITEA_SOURCE: source } = process.env;
  return program && source ? { program, source } : null;
}

/** Starts a Gitea with all its data in a folder. */
export async function startGitea(
  { program, source }: { readonly program: string; readonly source: string },
  folder: string,
): Promise<Gitea> {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const config = join(folder, 'app.ini');
  await mkdir(join(folder, 'data'), { recursive: true });
  await writeFile(config, settings(folder, source, port));
  const env = { PATH: process.env['PATH'], HOME: folder, GITEA_WORK_DIR: folder };
  const run = async (...args: string[]): Promise<string> => {
    const { stdout } = await promisify(execFile)(program, [...args, '--config', config], { env });
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
