import { fork } from 'node:child_process';
import { stat } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { interceptors, Pool, type Dispatcher } from 'undici';
import { hasCode } from '../../platform/error-code.ts';
import { siblingModule } from '../../platform/sibling-module.ts';
import { untilAborted } from '../../platform/until-aborted.ts';

/** A question to the API of a cluster. Its answer changes nothing there, so it can be asked again. */
export interface ApiQuestion {
  readonly method: 'GET' | 'POST' | 'PATCH';
  /** With its query: `/api/v1/namespaces/shop/pods?limit=500`. */
  readonly path: string;
  /** Sent as it is. @default nothing */
  readonly body?: { readonly type: string; readonly text: string };
  /** Ends the question when it is aborted. */
  readonly signal?: AbortSignal | undefined;
}

/** What was answered: by the server, or by kubectl when it cannot reach it. */
export interface ApiAnswer {
  readonly status: number;
  readonly body: string;
}

/** Why there is no `kubectl proxy`. */
export class ProxyFailure extends Error {
  /** Names the error in logs. */
  override readonly name = 'ProxyFailure';
  /** What kubectl printed; null when there is no such program. */
  readonly said: string | null;

  constructor(said: string | null) {
    super('there is no kubectl proxy');
    this.said = said;
  }
}

/** What the process of a proxy says. */
export type ProxyEvent =
  | { readonly type: 'serves'; readonly socket: string }
  | { readonly type: 'missing'; readonly code: string | undefined }
  | { readonly type: 'ended'; readonly said: string };

/** What a `kubectl proxy` of each context answers. */
export interface KubectlProxies {
  /** Rejects with {@link ProxyFailure} when kubectl cannot be had, and with an error of undici when it does not answer in time. */
  ask(context: string, question: ApiQuestion): Promise<ApiAnswer>;
}

/** Questions that are asked at the same time; others wait. */
const CONNECTIONS = 16;
/** A server that is busy says when to come again: so often it is asked. */
const RETRIES = 8;
/** A proxy that is not asked for so long is ended: the credentials that it has may end, or be replaced. */
const IDLE_MS = 60_000;
/** It reads, asks about permissions and about dry runs. */
const METHODS = '--reject-methods=^(PUT|DELETE|CONNECT|OPTIONS|HEAD|TRACE)$';
/** Messages of kubectl about credentials and certificates, which it reads again at its start. */
const OUTDATED = /certificate signed by unknown authority|certificate has expired|getting credentials/u;

/** Where the API is said to be: the socket decides. */
const ORIGIN = 'http://localhost';
/** How a question ends whose proxy has ended. */
const GONE = ['ENOENT', 'ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'UND_ERR_SOCKET', 'UND_ERR_DESTROYED', 'UND_ERR_CLOSED'];

interface Proxy {
  readonly client: Dispatcher;
  /** What the files were like that it has read. */
  readonly read: string;
  readonly end: () => void;
  /** Questions that are under way. */
  asked: number;
  isRetired: boolean;
  idle: NodeJS.Timeout | undefined;
}

/** Ends a proxy when what it was asked has been answered. */
function retire(proxy: Proxy): void {
  proxy.isRetired = true;
  if (proxy.asked === 0) proxy.end();
}

/**
 * Asks the API of clusters through one `kubectl proxy` for each context: kubectl signs in as it always does, and starting
 * it costs 0.2 s of a processor once, not for each question. It listens on a socket in a folder that only this user may
 * enter; it ends when it is idle, when its configuration changes, and with this process.
 */
export function createKubectlProxies({
  program,
  env,
  timeoutMs,
}: {
  readonly program: string;
  /** The complete environment of kubectl. */
  readonly env: NodeJS.ProcessEnv;
  /** Milliseconds for which an answer is waited for. */
  readonly timeoutMs: number;
}): KubectlProxies {
  const proxies = new Map<string, Promise<Proxy>>();

  async function proxyOf(context: string): Promise<Proxy> {
    const read = await stateOf(configurationFiles(env));
    const known = proxies.get(context);
    if (known !== undefined) {
      const proxy = await known;
      if (proxy.read === read && !proxy.isRetired) return proxy;
      retire(proxy);
      // another question may have been faster
      const next = proxies.get(context);
      if (next !== undefined && next !== known) return next;
    }
    const starting = start(context, read);
    proxies.set(context, starting);
    // the next question tries again
    starting.catch(() => proxies.get(context) === starting && proxies.delete(context));
    return starting;
  }

  async function start(context: string, read: string): Promise<Proxy> {
    const child = fork(
      fileURLToPath(siblingModule(import.meta.url, 'proxy-process')),
      [program, `--context=${context}`, 'proxy', METHODS],
      { env, execArgv: ['--max-old-space-size=64'], stdio: ['ignore', 'ignore', 'inherit', 'ipc'], detached: true },
    );
    // the file system of the kubeconfig may not answer
    let late: NodeJS.Timeout | undefined;
    const socket = await new Promise<string>((resolve, reject) => {
      late = setTimeout(() => {
        if (child.connected) child.disconnect();
        reject(new Error(`it did not start within ${timeoutMs / 1_000} seconds`));
      }, timeoutMs);
      child.on('message', (event: ProxyEvent) => {
        if (event.type === 'serves') resolve(event.socket);
        else reject(new ProxyFailure(event.type === 'missing' ? null : event.said));
      });
      child.once('exit', () => reject(new ProxyFailure('')));
      child.once('error', reject);
    }).finally(() => clearTimeout(late));
    child.unref();
    child.channel?.unref();
    const pool = new Pool(ORIGIN, {
      socketPath: socket,
      connections: CONNECTIONS,
      headersTimeout: timeoutMs,
      bodyTimeout: timeoutMs,
    });
    const proxy: Proxy = {
      client: pool.compose(
        interceptors.retry({
          maxRetries: RETRIES,
          methods: ['GET', 'POST', 'PATCH'],
          statusCodes: [429],
          errorCodes: [],
          throwOnError: false,
        }),
      ),
      read,
      asked: 0,
      isRetired: false,
      idle: undefined,
      end() {
        // its requests have ended
        pool.destroy().catch(() => undefined);
        if (child.connected) child.disconnect();
      },
    };
    child.once('exit', () => retire(proxy));
    return proxy;
  }

  async function askOnce(proxy: Proxy, { method, path, body, signal }: ApiQuestion): Promise<ApiAnswer> {
    clearTimeout(proxy.idle);
    proxy.asked++;
    try {
      const { statusCode, body: stream } = await proxy.client.request({
        origin: ORIGIN,
        method,
        path,
        headers: { accept: 'application/json', ...(body === undefined ? {} : { 'content-type': body.type }) },
        ...(body === undefined ? {} : { body: body.text }),
        ...(signal === undefined ? {} : { signal }),
      });
      return { status: statusCode, body: await stream.text() };
    } finally {
      proxy.asked--;
      if (proxy.asked === 0) {
        if (proxy.isRetired) proxy.end();
        else proxy.idle = setTimeout(() => retire(proxy), IDLE_MS).unref();
      }
    }
  }

  return {
    async ask(context, question) {
      for (let isFirst = true; ; isFirst = false) {
        const starting = proxyOf(context);
        const proxy = await (question.signal === undefined ? starting : untilAborted(question.signal, starting));
        try {
          const answer = await askOnce(proxy, question);
          if (!isOutdated(answer)) return answer;
          retire(proxy);
          if (!isFirst) return answer;
        } catch (error) {
          question.signal?.throwIfAborted();
          // its process has ended, not the server
          if (!isFirst || !hasCode(error, ...GONE)) throw error;
          retire(proxy);
        }
      }
    },
  };
}

/** The server does not take the credentials, or its certificate is unknown: both may have been replaced. */
function isOutdated({ status, body }: ApiAnswer): boolean {
  return status === 401 || (status >= 500 && OUTDATED.test(body));
}

/** The files that kubectl reads its configuration from. */
function configurationFiles({ KUBECONFIG = '', HOME = '' }: NodeJS.ProcessEnv): readonly string[] {
  const named = KUBECONFIG.split(delimiter).filter((path) => path !== '');
  return named.length > 0 ? named : [join(HOME, '.kube', 'config')];
}

/** Changes when one of these files does. */
async function stateOf(files: readonly string[]): Promise<string> {
  const states = await Promise.all(
    files.map(async (file) => {
      const found = await stat(file).catch(() => null);
      return found === null ? 'none' : `${found.ino} ${found.size} ${found.mtimeMs}`;
    }),
  );
  return states.join();
}
