import childProcess, { type ChildProcess } from 'node:child_process';
import { syncBuiltinESMExports } from 'node:module';
import { EventEmitter } from 'node:events';
import { basename } from 'node:path';
import { heartbeat } from '@temporalio/activity';
import type { ActivityInterceptorsFactory } from '@temporalio/worker';
import { descendants } from '../../activities/sandbox/process-tree.ts';
import type { StarterEvent, StarterRequest } from '../../platform/process-starter.ts';
import type { Boundary } from './doomed-process.ts';

/** The boundaries that the work of this process passes. At the fatal one it ends itself, or a victim, with SIGKILL. */
export interface Boundaries {
  /** Records that the work has reached a boundary of this kind. If it is the fatal one, nothing runs after it. */
  at(kind: string): void;
  /** A kind that begins with the name of the activity that was the last to start. */
  inActivity(kind: string): string;
  /** An activity has started; returns what to call when it has ended. */
  begin(activity: string): () => void;
  /** Counts from now on, from 0, with this fatal one; null for none. A victim is killed with all its children. */
  arm(doom: Boundary | null, victim?: number): void;
  /** Stops counting. */
  rest(): void;
  /** How often each kind was passed since the process was armed, in the order of the first time. */
  passed(): Readonly<Record<string, number>>;
}

/** Creates {@link Boundaries}, which count nothing before they are armed. */
export function createBoundaries(): Boundaries {
  const passed = new Map<string, number>();
  let doom: Boundary | null = null;
  let target = process.pid;
  let isCounting = false;
  const running: { readonly activity: string }[] = [];
  const at = (kind: string): void => {
    if (!isCounting) return;
    const nth = (passed.get(kind) ?? 0) + 1;
    passed.set(kind, nth);
    if (doom?.kind !== kind || doom.nth !== nth) return;
    for (const pid of target === process.pid ? [target] : [target, ...descendants(target)])
      process.kill(pid, 'SIGKILL');
  };
  return {
    at,
    inActivity: (kind) => `${running.at(-1)?.activity ?? 'no activity'}: ${kind}`,
    begin(activity) {
      const own = { activity };
      running.push(own);
      return () => void running.splice(running.indexOf(own), 1);
    },
    arm(next, victim = process.pid) {
      doom = next;
      target = victim;
      passed.clear();
      isCounting = true;
    },
    rest() {
      isCounting = false;
    },
    passed: () => Object.fromEntries(passed),
  };
}

/**
 * The boundaries of activities: before one starts, and when its work is done but not reported. `onDone` runs after the
 * second one, and may hold the activity there. Heartbeats show that the process is alive.
 */
export function activityBoundaries(
  { at, begin }: Boundaries,
  onDone: (activity: string) => Promise<void> = () => Promise.resolve(),
): ActivityInterceptorsFactory {
  return ({ info: { activityType, isLocal, workflowExecution } }) => ({
    inbound: {
      async execute(input, next) {
        at(`${activityType} starts`);
        const end = begin(activityType);
        const alive = isLocal ? undefined : setInterval(() => heartbeat(), 500);
        try {
          const result = await next(input);
          at(`${activityType} is done`);
          await onDone(`${workflowExecution?.workflowId} ${activityType}`);
          return result;
        } finally {
          end();
          clearInterval(alive);
        }
      },
    },
  });
}

/** A program that was started. */
export interface Started {
  once(event: 'exit', listener: () => void): unknown;
}

/**
 * Calls `onStart` when this process, or the one that starts programs for it, has just started a program, with its name;
 * git with its command: `git push`.
 */
export function watchPrograms(onStart: (program: string, started: Started) => void): void {
  const { spawn, fork } = childProcess;
  childProcess.spawn = ((...call: Parameters<typeof spawn>) => {
    const child = spawn(...call);
    onStart(programOf(call[0], call[1] ?? []), child);
    return child;
  }) as typeof spawn;
  childProcess.fork = ((...call: Parameters<typeof fork>) => {
    const child = fork(...call);
    watchStarter(child, onStart);
    return child;
  }) as typeof fork;
  syncBuiltinESMExports();
}

function programOf(path: string, args: readonly string[]): string {
  const command = args.find((argument) => /^[a-z][a-z-]+$/.test(argument)) ?? args[0] ?? '';
  const program = basename(path);
  return program === 'git' ? `git ${command}` : program;
}

/** Watches what a process starts for this one. */
function watchStarter(child: ChildProcess, onStart: (program: string, started: Started) => void): void {
  const programs = new Map<number, { readonly name: string; readonly events: EventEmitter }>();
  const send = child.send.bind(child) as (request: StarterRequest, ...more: unknown[]) => boolean;
  child.send = (request: StarterRequest, ...more: unknown[]) => {
    if (request.type === 'start') {
      programs.set(request.id, { name: programOf(request.command, request.args), events: new EventEmitter() });
    }
    return send(request, ...more);
  };
  child.on('message', ({ id, type }: StarterEvent) => {
    const program = programs.get(id);
    if (type === 'started' && program !== undefined) onStart(program.name, program.events);
    if (type === 'ended') program?.events.emit('exit');
  });
}
