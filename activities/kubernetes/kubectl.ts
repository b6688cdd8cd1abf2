import { setTimeout as delay } from 'node:timers/promises';
import { LonghaulError } from '../../domain/shared/failures.ts';
import { redact } from '../../domain/shared/redact.ts';
import { hasCode, messageOf } from '../../platform/error-code.ts';
import { pick, runProgram } from '../../platform/program.ts';
import { PROXY_VARIABLES } from '../../platform/proxy.ts';
import { type ApiAnswer, type ApiQuestion, createKubectlProxies, ProxyFailure } from './kubectl-proxies.ts';

/** Options of one run of kubectl. */
export interface KubectlOptions {
  /** What kubectl reads from its standard input: objects never are arguments, which every user of the machine can read. */
  readonly input?: string;
  /** Ends kubectl when it is aborted. */
  readonly signal?: AbortSignal | undefined;
}

/** How a run of kubectl ended. */
export interface KubectlResult {
  readonly code: number | null;
  readonly stdout: string;
  /** Without secrets. */
  readonly stderr: string;
}

/** kubectl with the credentials of this process, and nothing else of its environment. */
export interface Kubectl {
  /** Runs it to its end, with a limit of time for each request; another exit code than 0 is a result. Throws `KubectlUnusable` when it cannot be started. */
  run(args: readonly string[], options?: KubectlOptions): Promise<KubectlResult>;
  /** Runs it in a context. Throws what {@link kubectlFailure} makes of an exit code other than 0. */
  inContext(context: string, args: readonly string[], options?: KubectlOptions): Promise<string>;
  /**
   * Asks the API of a context something that changes nothing there, with the credentials of kubectl but without starting
   * one. The answer as JSON; null when what a `GET` asks for is not there. Throws as {@link inContext} does.
   */
  ask(context: string, question: ApiQuestion): Promise<unknown>;
}

/** What kubectl, and the programs that its configuration names for credentials, need to find files, servers and users. */
const INHERITED = ['PATH', 'HOME', 'USER', 'LOGNAME', 'TMPDIR', 'SSL_CERT_FILE', 'SSL_CERT_DIR', ...PROXY_VARIABLES];

/** Where to find kubectl, and its configuration. */
export interface KubectlSettings {
  /** The program: a name on PATH, or a path. */
  readonly program: string;
  /** Path of the file with contexts and credentials; null for the default of kubectl. */
  readonly kubeconfig: string | null;
  readonly env: NodeJS.ProcessEnv;
}

/** Each request ends after this, also one for a path. */
const REQUEST_SECONDS = 30;
const REQUEST_TIMEOUT = `--request-timeout=${REQUEST_SECONDS}s`;

/** Lines of messages that are kept: a conflict has one for each field, after the line that says what it is. */
const STDERR_LINES = 1_000;

/** kubectl as these settings name it. */
export function createKubectl({ program, kubeconfig, env }: KubectlSettings): Kubectl {
  const environment: NodeJS.ProcessEnv = {
    ...pick(env, [...INHERITED, 'KUBECONFIG']),
    ...(kubeconfig === null ? {} : { KUBECONFIG: kubeconfig }),
    // its messages are read
    LC_ALL: 'C',
    // preferences of a person must not change what it does
    KUBECTL_KUBERC: 'false',
  };

  async function run(args: readonly string[], { input, signal }: KubectlOptions = {}): Promise<KubectlResult> {
    // a process that stood still sees first that it was away: its timer is due before this one
    await delay(0);
    signal?.throwIfAborted();
    try {
      const { code, stdout, stderr } = await runProgram(program, [REQUEST_TIMEOUT, ...args], {
        env: environment,
        signal,
        stderrLines: STDERR_LINES,
        ...(input === undefined ? {} : { input }),
      });
      return { code, stdout, stderr: redact(stderr) };
    } catch (error) {
      if (!hasCode(error, 'ENOENT', 'EACCES')) throw error;
      throw notThere(program);
    }
  }

  const proxies = createKubectlProxies({ program, env: environment, timeoutMs: REQUEST_SECONDS * 1_000 });

  async function answerOf(context: string, question: ApiQuestion): Promise<ApiAnswer> {
    try {
      return await proxies.ask(context, question);
    } catch (error) {
      question.signal?.throwIfAborted();
      if (error instanceof ProxyFailure) {
        if (error.said === null) throw notThere(program);
        throw kubectlFailure(context, 'proxy', redact(error.said));
      }
      // of undici: no answer in time, or a proxy that ends again and again
      throw new LonghaulError(
        'ClusterUnavailable',
        `The cluster of the context ${context} has not answered kubectl proxy: ${messageOf(error)}.`,
      );
    }
  }

  return {
    run,
    async ask(context, question) {
      // see `run`
      await delay(0);
      question.signal?.throwIfAborted();
      const { status, body } = await answerOf(context, question);
      if (status < 300) return JSON.parse(body) as unknown;
      if (status === 404 && question.method === 'GET') return null;
      throw kubectlFailure(context, COMMANDS[question.method], redact(messageIn(body)));
    },
    async inContext(context, args, options = {}) {
      const { code, stdout, stderr } = await run([`--context=${context}`, ...args], options);
      if (code !== 0) throw kubectlFailure(context, args[0] ?? '', stderr);
      return stdout;
    },
  };
}

function notThere(program: string): LonghaulError {
  return new LonghaulError('KubectlUnusable', `kubectl cannot be started: there is no program ${program}.`);
}

/** The commands of kubectl that send such requests: people know them. */
const COMMANDS: Readonly<Record<ApiQuestion['method'], string>> = { GET: 'get', POST: 'create', PATCH: 'apply' };

/** The message of an answer that is a failure, as kubectl prints it: the server's is an object, kubectl's own is a line. */
function messageIn(body: string): string {
  try {
    const { kind, reason, message } = JSON.parse(body) as Readonly<Record<string, unknown>>;
    if (kind === 'Status') return `Error from server (${String(reason)}): ${String(message)}`;
  } catch {
    // a line
  }
  return body;
}

/** Messages of kubectl and of clients for the server's answer to a request that cannot have had an effect, or can be repeated. */
const UNREACHABLE =
  /The connection to the server \S+ was refused|Unable to connect to the server|connection refused|connection lost|no such host|currently unable to handle the request|did not complete within|i\/o timeout|context deadline exceeded|Client\.Timeout|TLS handshake timeout|connection reset|EOF|ServiceUnavailable|InternalError|TooManyRequests|etcdserver/u;

/** A webhook that the server asks about each object, and cannot reach: the server itself answers. */
const WEBHOOK_FAILED = /failed calling webhook|failed to call webhook|conversion webhook for .* failed/u;

/** True for the failure of a webhook of the cluster, which may be starting. */
export function isOfWebhook({ type, message }: LonghaulError): boolean {
  return type === 'KubectlFailed' && WEBHOOK_FAILED.test(message);
}

/** What kubectl advises about conflicts, after each object that has some. It names an option that is never given here. */
const ADVICE = /^Please review the fields above[^]*?(?:^See https?:\S+$\n?|(?![^]))/gmu;

/**
 * The failure that a message of kubectl means, without its advice. Every command can be repeated: each looks at what is
 * there.
 */
export function kubectlFailure(context: string, command: string, stderr: string): LonghaulError {
  const said = stderr.replaceAll(ADVICE, '').trim();
  const message = `kubectl ${command} in the context ${context}: ${said === '' ? 'it failed without a message' : said}`;
  if (/Apply failed with \d+ conflict/u.test(said)) return new LonghaulError('DriftDetected', message);
  // both have messages of others in them
  if (WEBHOOK_FAILED.test(said)) return new LonghaulError('KubectlFailed', message);
  if (/admission webhook .* denied the request/u.test(said)) return new LonghaulError('ClusterRejected', message);
  if (/context "?[^"]*"? does not exist|no configuration has been provided|error loading config/iu.test(said)) {
    return new LonghaulError('InvalidConfiguration', message);
  }
  if (/Unauthorized|must be logged in|certificate signed by unknown authority/u.test(said)) {
    return new LonghaulError('AuthenticationFailed', message);
  }
  if (/Forbidden|forbidden:/u.test(said)) return new LonghaulError('ClusterForbids', message);
  if (/\(Conflict\)|Operation cannot be fulfilled|the object has been modified|testing value .* failed/u.test(said)) {
    return new LonghaulError('ObjectChanged', message);
  }
  if (UNREACHABLE.test(said)) return new LonghaulError('ClusterUnavailable', message);
  if (/is invalid|Invalid value|field is immutable|BadRequest|unknown field|strict decoding/u.test(said)) {
    return new LonghaulError('ClusterRejected', message);
  }
  return new LonghaulError('KubectlFailed', message);
}
