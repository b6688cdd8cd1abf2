import { realpathSync } from 'node:fs';
import { type FileLock, waitForLock } from '../platform/file-lock.ts';
import type { ChildSpec, SupervisedChild } from './child.ts';
import { makeFolder } from './folder.ts';
import type { Need, StackOptions } from './options.ts';
import { embeddedDatabase, yourDatabase } from './postgres-connection.ts';
import { findRunningStack, ledgerKeyFile, weaviateKeyFile } from './running-stack.ts';
import { ensureSecret } from './secret.ts';
import { openSession, type Session } from './session.ts';
import { StackError } from './stack-error.ts';
import { startStackServers } from './start-servers.ts';
import { type PostgresServer, stackLockFile, type TemporalServer, type WeaviateServer } from './state.ts';
import { yourWeaviate } from './weaviate-connection.ts';

/** Running servers. The properties throw when that part was not among the needs. */
export interface Stack {
  readonly temporal: TemporalServer;
  readonly weaviate: WeaviateServer & { readonly apiKey: string | null };
  /** `url`: with the login of the database's owner. */
  readonly postgres: PostgresServer & { readonly url: string };
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
    const needs = options.needs ?? ['temporal', 'weaviate', 'postgres', 'model'];
    // One failure also stops the other parts, before anything is reported.
    const parts = [startStackServers(session, needs), needs.includes('model') ? prepareModel(session) : undefined];
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
    get postgres() {
      const server = asked(session.state().postgres, 'postgres');
      const own = embeddedDatabase(server.address, ensureSecret(ledgerKeyFile(session.dataDir)));
      return { ...server, url: server.source === 'yours' ? (yourDatabase(session.options.env) ?? own) : own };
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
