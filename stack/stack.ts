import { realpathSync } from 'node:fs';
import { join } from 'node:path';
import { superviseChild } from './child.ts';
import type { SupervisedChild, ChildSpec } from './child.ts';
import { makeFolder } from './folder.ts';
import { STACK_MARK, stopLeftovers } from './leftovers.ts';
import { type FileLock, waitForLock } from '../platform/file-lock.ts';
import { choosePorts, occupyPort } from './ports.ts';
import type { PortNeed } from './ports.ts';
import { self } from '../platform/process-identity.ts';
import type { OnProgress } from './progress.ts';
import { findRunningStack, killRecorded, weaviateKeyFile } from './running-stack.ts';
import { registerSearchAttributes } from './search-attributes.ts';
import { ensureSecret } from './secret.ts';
import { serverEnvironment } from './server-environment.ts';
import { StackError } from './stack-error.ts';
import { NO_STATE, readState, stackLockFile, writeState } from './state.ts';
import type { StackState, TemporalServer, WeaviateServer } from './state.ts';
import { yourTemporal } from './temporal-connection.ts';
import type { TemporalChoice, TemporalTarget } from './temporal-connection.ts';
import { obtainTemporal, temporalChild, temporalVersion, withTemporal } from './temporal.ts';
import type { ServerProgram } from './temporal.ts';
import { obtainWeaviate, weaviateChild, weaviateVersion, yourWeaviate } from './weaviate.ts';
import type { WeaviateChoice, WeaviateTarget } from './weaviate.ts';

/** A part of the stack. */
export type Need = 'temporal' | 'weaviate' | 'model';

/** What to start, and the folders to use. */
export interface StackOptions {
  /** State of the embedded servers. One stack at a time runs on a data folder. */
  readonly dataDir: string;
  /** Fetched servers and models. */
  readonly cacheDir: string;
  /** The addresses of the user's own servers, and PATH. */
  readonly env: NodeJS.ProcessEnv;
  /** Ports on 127.0.0.1; 0 or omitted: a free one, reused at every start while it is free. */
  readonly ports?: { readonly temporal?: number; readonly temporalUi?: number; readonly weaviate?: number };
  /** An existing Temporal server, or options of the embedded one. @default the embedded one */
  readonly temporal?: TemporalChoice;
  /** An existing Weaviate, or options of the embedded one. @default the embedded one */
  readonly weaviate?: WeaviateChoice;
  /** Folder of a model to use instead of the packaged one; `LONGHAUL_MODEL_DIR` wins over it. */
  readonly modelPath?: string | undefined;
  /** Default: everything. */
  readonly needs?: readonly Need[];
  /** Receives messages about the start. @default none are given */
  readonly onProgress?: OnProgress;
  /** Aborts the start: everything that was started is stopped, and {@link startStack} rejects with its reason. */
  readonly signal?: AbortSignal;
  /** Log level of the embedded Temporal server; default `warn`. */
  readonly temporalLogLevel?: string;
  /** More arguments for the embedded Temporal server. */
  readonly temporalExtraArgs?: readonly string[];
}

/** Running servers. The properties throw when that part was not among the needs. */
export interface Stack {
  readonly temporal: TemporalServer;
  readonly weaviate: WeaviateServer & { readonly apiKey: string | null };
  readonly model: { readonly folder: string };
  /** The data folder, with symbolic links resolved. */
  readonly dataDir: string;
  /** Folder of the programs' logs. */
  readonly logDir: string;
  /** Starts another program as a part of this stack: supervised, and stopped first when the stack stops. */
  supervise(spec: ChildSpec): Promise<SupervisedChild>;
  /** Stops all programs and releases the data folder. Idempotent. */
  stop(): Promise<void>;
  /** Kills all programs at once, for a caller that cannot wait. */
  kill(): void;
}

/** Thrown by {@link startStack} when another process runs a stack on the same data folder. */
export class StackRunningError extends StackError {
  /** The pid of that process. */
  readonly pid: number;

  constructor(dataDir: string, pid: number) {
    super(`A stack is already running on ${dataDir} (process ${pid}): stop it with \`longhaul down\`.`);
    this.name = 'StackRunningError';
    this.pid = pid;
  }
}

/**
 * Finds, fetches and starts what is needed, and registers the search attributes. Throws {@link StackRunningError} when
 * a stack already runs on this data folder, {@link StackError} when something is missing or does not start; then
 * nothing is left running.
 */
export async function startStack(options: StackOptions): Promise<Stack> {
  makeFolder(options.dataDir);
  const dataDir = realpathSync(options.dataDir);
  const lock = await takeStack(dataDir, options.signal);
  const session = openSession(dataDir, lock, options);
  try {
    await session.clear();
    const needs = options.needs ?? ['temporal', 'weaviate', 'model'];
    // One failure also stops the other parts, before anything is reported.
    const parts = [startServers(session, needs), needs.includes('model') ? prepareModel(session) : undefined];
    const guarded = parts.map(async (part) => {
      try {
        return await part;
      } catch (error) {
        session.giveUp(error);
        throw error;
      }
    });
    await Promise.allSettled(guarded);
    session.signal.throwIfAborted();
    session.update({ status: 'running' });
    return asStack(session);
  } catch (error) {
    await session.stop();
    throw error;
  }
}

/**
 * How long another process may take to clear up a data folder. One that cannot be seen from here is dead after a
 * minute.
 */
const PATIENCE_MS = { seen: 20_000, unseen: 90_000 };

/** Takes the data folder's lock; waits for a process that only clears up there. */
function takeStack(dataDir: string, signal: AbortSignal | undefined): Promise<FileLock> {
  return waitForLock(stackLockFile(dataDir), {
    signal,
    onHeld: ({ process: holder, isVisible }, waitedMs) => {
      const isLate = waitedMs > (isVisible ? PATIENCE_MS.seen : PATIENCE_MS.unseen);
      if (findRunningStack(dataDir) !== null || isLate) throw new StackRunningError(dataDir, holder?.pid ?? 0);
    },
  });
}

interface Session {
  readonly dataDir: string;
  readonly logDir: string;
  readonly options: StackOptions;
  /** With the mark of this stack. */
  readonly env: NodeJS.ProcessEnv;
  readonly signal: AbortSignal;
  readonly onProgress: OnProgress;
  state(): StackState;
  update(change: Partial<StackState>): void;
  /** Records this process as the supervisor, and stops what an earlier one left running. */
  clear(): Promise<void>;
  giveUp(reason: unknown): void;
  supervise(spec: ChildSpec): Promise<SupervisedChild>;
  /** Runs `action` when all programs have stopped. */
  afterStop(action: () => Promise<void>): void;
  stop(): Promise<void>;
  kill(): void;
}

function openSession(dataDir: string, lock: FileLock, options: StackOptions): Session {
  const before = readState(dataDir);
  const gaveUp = new AbortController();
  const signal = options.signal ? AbortSignal.any([options.signal, gaveUp.signal]) : gaveUp.signal;
  const onProgress: OnProgress = options.onProgress ?? (() => undefined);
  const children: SupervisedChild[] = [];
  const afterStop: (() => Promise<void>)[] = [];
  let stopping: Promise<void> | null = null;
  let state: StackState = {
    ...NO_STATE,
    status: 'starting',
    supervisor: self(),
    startedAt: new Date().toISOString(),
    ports: before.ports,
    children: before.children,
  };
  const update = (change: Partial<StackState>): void => {
    state = { ...state, ...change };
    writeState(dataDir, state);
  };
  const kill = (): void => {
    for (const child of children) child.kill();
    killRecorded(state);
  };
  process.once('exit', kill);

  return {
    dataDir,
    logDir: join(dataDir, 'logs'),
    options,
    env: { ...options.env, [STACK_MARK]: dataDir },
    signal,
    onProgress,
    state: () => state,
    update,
    clear: async () => {
      update({});
      const left = await stopLeftovers(dataDir, before.children);
      update({ children: [] });
      if (left.length > 0) {
        const message = `stopped programs that a killed run had left: ${left.join(', ')}`;
        onProgress({ about: 'stack', message, passing: false });
      }
    },
    giveUp: (reason) => gaveUp.abort(reason),
    supervise: async (spec) => {
      const child = await superviseChild(spec, {
        signal,
        onProgress,
        onStart: (identity) => {
          const others = state.children.filter((each) => each.name !== spec.name);
          update({ children: [...others, { ...identity, name: spec.name }] });
        },
      });
      children.push(child);
      return child;
    },
    afterStop: (action) => void afterStop.push(action),
    stop: () => {
      stopping ??= (async () => {
        const servers = ['temporal', 'weaviate'];
        // Workers first, while the servers that they report to still answer.
        await Promise.all(children.filter((each) => !servers.includes(each.name)).map((each) => each.stop()));
        await Promise.all(children.map((each) => each.stop()));
        await Promise.all(afterStop.map((action) => action()));
        process.off('exit', kill);
        update({ ...NO_STATE, ports: state.ports });
        await lock.release();
      })();
      return stopping;
    },
    kill,
  };
}

async function startServers(session: Session, needs: readonly Need[]): Promise<void> {
  const { options } = session;
  const temporal = needs.includes('temporal') ? await yourTemporal(options.temporal ?? {}, options.env) : null;
  const weaviate = needs.includes('weaviate') ? yourWeaviate(options.weaviate ?? {}, options.env) : null;
  const fetching = {
    cacheDir: options.cacheDir,
    env: session.env,
    onProgress: session.onProgress,
    signal: session.signal,
  };
  const embedTemporal = needs.includes('temporal') && temporal === null;
  const embedWeaviate = needs.includes('weaviate') && weaviate === null;
  const programs = {
    temporal: embedTemporal ? await obtainTemporal(fetching) : null,
    weaviate: embedWeaviate ? await obtainWeaviate(fetching) : null,
  };
  const needed = [...(embedTemporal ? temporalPorts(options) : []), ...(embedWeaviate ? weaviatePorts(options) : [])];
  const ports = await choosePorts(needed, session.state().ports);
  session.update({ ports: { ...session.state().ports, ...ports } });

  const starts = [
    temporal === null ? undefined : useTemporal(session, temporal),
    weaviate === null ? undefined : useWeaviate(session, weaviate),
    programs.temporal === null ? undefined : startTemporal(session, programs.temporal, ports),
    programs.weaviate === null ? undefined : startWeaviate(session, programs.weaviate, ports),
  ];
  const results = await Promise.allSettled(
    starts.map(async (start) => {
      try {
        await start;
      } catch (error) {
        session.giveUp(error);
        throw error;
      }
    }),
  );
  for (const result of results) if (result.status === 'rejected') throw result.reason;
}

function temporalPorts(options: StackOptions): PortNeed[] {
  return [
    { name: 'temporal', configured: options.ports?.temporal ?? 0, key: 'stack.temporalPort' },
    { name: 'temporalUi', configured: options.ports?.temporalUi ?? 0, key: 'stack.temporalUiPort' },
  ];
}

function weaviatePorts(options: StackOptions): PortNeed[] {
  return [
    { name: 'weaviate', configured: options.ports?.weaviate ?? 0, key: 'stack.weaviatePort' },
    { name: 'weaviateGrpc', configured: 0, everywhere: true },
    // A node in `localhost` mode expects these two ports to be consecutive.
    { name: 'weaviateGossip', configured: 0, next: { name: 'weaviateData', everywhere: true } },
    { name: 'weaviateRaft', configured: 0, next: { name: 'weaviateRaftRpc' } },
  ];
}

async function useTemporal(session: Session, target: TemporalTarget): Promise<void> {
  const { namespace, connectionOptions } = target;
  const version = await withTemporal(target, async (connection) => {
    const found = await temporalVersion(connection, namespace);
    await registerSearchAttributes(connection, namespace);
    return found;
  });
  session.update({
    temporal: { address: connectionOptions.address, uiUrl: null, namespace, source: 'yours', version },
  });
}

async function startTemporal(session: Session, program: ServerProgram, ports: Record<string, number>): Promise<void> {
  const { options } = session;
  const port = portNamed('temporal', ports);
  const uiPort = portNamed('temporalUi', ports);
  const namespace = options.env['TEMPORAL_NAMESPACE'] ?? options.temporal?.namespace ?? 'default';
  session.onProgress({
    about: 'temporal',
    message: `starting (${program.source}, ${program.command})`,
    passing: false,
  });
  await session.supervise(
    temporalChild({
      command: program.command,
      dataDir: session.dataDir,
      logFile: join(session.logDir, 'temporal.log'),
      env: serverEnvironment(options.env, session.dataDir),
      port,
      uiPort,
      namespace,
      logLevel: options.temporalLogLevel ?? 'warn',
      extraArgs: options.temporalExtraArgs ?? [],
    }),
  );
  const address = `127.0.0.1:${port}`;
  const version = await withTemporal({ connectionOptions: { address }, namespace }, async (connection) => {
    await registerSearchAttributes(connection, namespace);
    return temporalVersion(connection, namespace);
  });
  const uiUrl = `http://127.0.0.1:${uiPort}`;
  session.update({ temporal: { address, uiUrl, namespace, source: program.source, version } });
  session.onProgress({ about: 'temporal', message: `ready at ${address}`, passing: false });
}

async function useWeaviate(session: Session, target: WeaviateTarget): Promise<void> {
  const version = await weaviateVersion(target);
  session.update({ weaviate: { url: target.url, grpc: target.grpc, source: 'yours', version } });
}

async function startWeaviate(session: Session, program: ServerProgram, ports: Record<string, number>): Promise<void> {
  const { options } = session;
  const rest = portNamed('weaviate', ports);
  const grpc = portNamed('weaviateGrpc', ports);
  const data = portNamed('weaviateData', ports);
  const apiKey = ensureSecret(weaviateKeyFile(session.dataDir));
  session.afterStop(await occupyPort(data));
  session.onProgress({
    about: 'weaviate',
    message: `starting (${program.source}, ${program.command})`,
    passing: false,
  });
  await session.supervise(
    weaviateChild({
      command: program.command,
      dataDir: session.dataDir,
      logFile: join(session.logDir, 'weaviate.log'),
      env: serverEnvironment(options.env, session.dataDir),
      apiKey,
      modules: options.weaviate?.modules ?? [],
      ports: {
        rest,
        grpc,
        gossip: portNamed('weaviateGossip', ports),
        data,
        raft: portNamed('weaviateRaft', ports),
        raftRpc: portNamed('weaviateRaftRpc', ports),
      },
    }),
  );
  const target = { url: `http://127.0.0.1:${rest}`, grpc: `127.0.0.1:${grpc}` };
  const version = await weaviateVersion({ ...target, apiKey });
  session.update({ weaviate: { ...target, source: program.source, version } });
  session.onProgress({ about: 'weaviate', message: `ready at ${target.url}`, passing: false });
}

async function prepareModel(session: Session): Promise<void> {
  const { cacheDir, env } = session.options;
  const given = env['LONGHAUL_MODEL_DIR'] ?? session.options.modelPath;
  if (given !== undefined) {
    session.update({ modelFolder: given });
    return;
  }
  const { ensureModel } = await import('./model.ts');
  const { folder } = await ensureModel({
    cacheDir,
    env: session.env,
    signal: session.signal,
    onProgress: (message, fraction) => {
      const percent = fraction === undefined ? '' : ` ${Math.round(fraction * 100)} %`;
      session.onProgress({ about: 'model', message: `${message}${percent}`, passing: true });
    },
  });
  session.update({ modelFolder: folder });
  session.onProgress({ about: 'model', message: 'ready', passing: false });
}

function portNamed(name: string, ports: Record<string, number>): number {
  const port = ports[name];
  if (port === undefined) throw new Error(`no port was chosen for ${name}`);
  return port;
}

function asStack(session: Session): Stack {
  const yours = yourWeaviate(session.options.weaviate ?? {}, session.options.env);
  const embedded = session.state().weaviate?.source !== 'yours';
  const weaviateApiKey = embedded ? ensureSecret(weaviateKeyFile(session.dataDir)) : (yours?.apiKey ?? null);
  return {
    get temporal() {
      return asked(session.state().temporal, 'temporal');
    },
    get weaviate() {
      return { ...asked(session.state().weaviate, 'weaviate'), apiKey: weaviateApiKey };
    },
    get model() {
      return { folder: asked(session.state().modelFolder, 'model') };
    },
    dataDir: session.dataDir,
    logDir: session.logDir,
    supervise: (spec) => session.supervise(spec),
    stop: () => session.stop(),
    kill: () => session.kill(),
  };
}

function asked<T>(value: T | null, name: Need): T {
  if (value === null) throw new Error(`${name} was not among the needs of this stack`);
  return value;
}
