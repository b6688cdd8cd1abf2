import { join } from 'node:path';
import type { FileLock } from '../platform/file-lock.ts';
import { self } from '../platform/process-identity.ts';
import { type ChildSpec, type SupervisedChild, superviseChild } from './child.ts';
import { STACK_MARK, stopLeftovers } from './leftovers.ts';
import type { StackOptions } from './options.ts';
import type { OnProgress } from './progress.ts';
import { killRecorded } from './running-stack.ts';
import { NO_STATE, readState, type StackState, writeState } from './state.ts';

/** One run of a stack: its programs, and its state on disk, which changes with them. */
export interface Session {
  readonly dataDir: string;
  readonly logDir: string;
  readonly options: StackOptions;
  /** With the mark of this stack. */
  readonly env: NodeJS.ProcessEnv;
  readonly signal: AbortSignal;
  readonly onProgress: OnProgress;
  /** The state as last written to disk. */
  state(): StackState;
  /** Changes some fields of the state and writes it to disk. */
  update(change: Partial<StackState>): void;
  /** Records this process as the supervisor, and stops what an earlier one left running. */
  clear(): Promise<void>;
  /** Aborts what is still starting, with this reason. */
  giveUp(reason: unknown): void;
  /** Starts a program and keeps it running until the session stops. */
  supervise(spec: ChildSpec): Promise<SupervisedChild>;
  /** Runs `action` when all programs have stopped. */
  afterStop(action: () => Promise<void>): void;
  /** Stops all programs, workers first, and releases the data folder. Idempotent. */
  stop(): Promise<void>;
  /** Kills all programs at once. */
  kill(): void;
}

/** Begins a run in a locked data folder. Its programs are killed when this process exits. */
export function openSession(dataDir: string, lock: FileLock, options: StackOptions): Session {
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
        const servers = ['temporal', 'weaviate', 'postgres'];
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
