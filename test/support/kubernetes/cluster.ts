import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdirSync, openSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { delimiter, dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { execa } from 'execa';
import { clusterProgram, kubectlProgram } from './programs.ts';

/**
 * A Kubernetes cluster for tests of deployments: a real apiserver with its controllers on loopback, whose pods do what the
 * tags of their images say (docs/testing.md has the words), or the cluster that `KUBECONFIG_TEST` names: one of these that
 * was started apart, or another one, for tests that need no such pods.
 */
export interface Cluster {
  /** The path of a kubeconfig, whose only context is its administrator's. */
  readonly kubeconfig: string;
  /**
   * Where its services answer, at `<service>/NAMESPACE/SERVICE/`, and Prometheus finds their metrics, at
   * `<service>/metrics`. Null for a cluster that exists elsewhere, unless `KUBECONFIG_TEST_SERVICE` says it.
   */
  readonly service: string | null;
  /**
   * The file of the apiserver's audit log: {@link auditedWrites}. Null for a cluster that exists elsewhere, unless
   * `KUBECONFIG_TEST_AUDIT_LOG` says it.
   */
  readonly auditLog: string | null;
  /** The variables with which programs use it: `KUBECONFIG`, `KUBECACHEDIR`, and a PATH with a kubectl that fits. */
  readonly env: { readonly KUBECONFIG: string; readonly KUBECACHEDIR: string; readonly PATH: string };
  /** Runs kubectl and returns what it prints. Rejects with an error that has its stderr when it fails. */
  kubectl(args: readonly string[], input?: string): Promise<string>;
  /** Applies manifests: YAML, or an object. */
  apply(manifests: string | object, ...args: readonly string[]): Promise<string>;
  /** The object of `kubectl get … -o json`. */
  get<T>(...args: readonly string[]): Promise<T>;
  /** Its process; 0 for a cluster that exists elsewhere. */
  readonly pid: number;
  /** Resolves when its process has ended; never for a cluster that exists elsewhere. */
  readonly ended: Promise<unknown>;
  /**
   * Ends it. Started again with the same folder it is the same cluster, with the same address, credentials and objects;
   * also after SIGKILL. Of a cluster that exists elsewhere it deletes the namespaces that {@link kubectl} has created.
   */
  stop(signal?: 'SIGTERM' | 'SIGKILL'): Promise<void>;
}

/** How to start a cluster. */
export interface ClusterOptions {
  /**
   * Requests that each service gets by itself each second, from when it first has a ready pod; the annotation
   * `cluster.test/visitors-per-second` of a Service says otherwise. @default 20
   */
  readonly visitors?: number;
}

/** Longest start on a busy machine. */
const START_MS = 180_000;

/** Starts a cluster with all its state in a folder, or uses the one that `KUBECONFIG_TEST` names. */
export async function startCluster(folder: string, { visitors = 20 }: ClusterOptions = {}): Promise<Cluster> {
  mkdirSync(folder, { recursive: true });
  const kubectl = await kubectlProgram();
  const existing = process.env['KUBECONFIG_TEST'] ?? '';
  if (existing !== '') {
    return existingCluster(clusterOf(folder, kubectl, existing));
  }

  const program = await clusterProgram();
  const logFile = join(folder, 'cluster.log');
  const log = openSync(logFile, 'a', 0o600);
  // it ends with its standard input, even if this process is killed
  const child = spawn(program, ['-attached', '-folder', folder, '-visitors', String(visitors)], {
    stdio: ['pipe', 'pipe', log],
  });
  closeSync(log);
  const ended = once(child, 'exit');
  const stop = async (signal: NodeJS.Signals = 'SIGTERM'): Promise<void> => {
    child.kill(signal);
    await ended;
  };
  const printed = once(createInterface({ input: child.stdout as Readable }), 'line', {
    signal: AbortSignal.timeout(START_MS),
  });
  try {
    const [line] = (await Promise.race([printed, ended.then(() => [''])])) as [string];
    if (line === '') throw new Error('it has ended');
    const { kubeconfig, service, auditLog } = JSON.parse(line) as Record<'kubeconfig' | 'service' | 'auditLog', string>;
    return { ...clusterOf(folder, kubectl, kubeconfig), service, auditLog, pid: child.pid ?? 0, ended, stop };
  } catch (error) {
    printed.catch(() => undefined);
    await stop('SIGKILL');
    const tail = (await readFile(logFile, 'utf8')).trim().split('\n').slice(-10).join('\n');
    throw new Error(`The cluster in ${folder} does not start:\n${tail}`, { cause: error });
  }
}

/** A cluster that exists elsewhere, which keeps what it had. */
function existingCluster(cluster: ReturnType<typeof clusterOf>): Cluster {
  const made: string[] = [];
  const { KUBECONFIG_TEST_SERVICE: service, KUBECONFIG_TEST_AUDIT_LOG: auditLog } = process.env;
  return {
    ...cluster,
    service: service ?? null,
    auditLog: auditLog ?? null,
    pid: 0,
    ended: new Promise(() => undefined),
    async kubectl(args, input) {
      const printed = await cluster.kubectl(args, input);
      const [verb, kind, name] = args;
      if (verb === 'create' && kind === 'namespace' && name !== undefined) made.push(name);
      return printed;
    },
    async stop() {
      if (made.length > 0) await cluster.kubectl(['delete', 'namespace', ...made.splice(0)]);
    },
  };
}

function clusterOf(
  folder: string,
  program: string,
  kubeconfig: string,
): Pick<Cluster, 'kubeconfig' | 'env' | 'kubectl' | 'apply' | 'get'> {
  const env = {
    KUBECONFIG: kubeconfig,
    // what kubectl remembers of the API of another cluster at the same address would be wrong here
    KUBECACHEDIR: join(folder, 'kubectl-cache'),
    PATH: [dirname(program), process.env['PATH'] ?? ''].join(delimiter),
  };
  const kubectl = async (args: readonly string[], input = ''): Promise<string> => {
    const { stdout } = await execa(program, args, { env, input });
    return stdout;
  };
  return {
    kubeconfig,
    env,
    kubectl,
    apply: (manifests, ...args) =>
      kubectl(
        ['apply', '--filename=-', ...args],
        typeof manifests === 'string' ? manifests : JSON.stringify(manifests),
      ),
    get: async <T>(...args: readonly string[]) => JSON.parse(await kubectl(['get', ...args, '--output=json'])) as T,
  };
}
