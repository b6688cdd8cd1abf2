// The process of createProcessStarter: small, so that the system starts others from it fast. It has no environment, and
// ends when its parent does; programs that must end then, too, ask the system for the death of their parent.
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, constants, openSync } from 'node:fs';
import type { Readable, Writable } from 'node:stream';
import type { StarterEvent, StarterRequest } from './process-starter.ts';

const [REPORTS, INPUT] = [3, 4];
const children = new Map<number, ChildProcess>();

process.on('message', (request: StarterRequest) => {
  if (request.type === 'start') start(request);
  else children.get(request.id)?.kill(request.signal);
});
process.on('disconnect', () => process.exit());
// the parent stops first, and it needs this process for that
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => undefined);

function start(request: Extract<StarterRequest, { type: 'start' }>): void {
  const { id, command, args, env, cwd, account, output, input, hasReports } = request;
  const failed = (error: NodeJS.ErrnoException): void =>
    tell({ id, type: 'failed', message: error.message, code: error.code });
  try {
    const pipe = openPipe(output);
    let child: ChildProcess;
    try {
      child = spawn(command, args, {
        env,
        ...(cwd === undefined ? {} : { cwd }),
        ...account,
        stdio: [
          'ignore',
          pipe,
          pipe,
          hasReports ? 'pipe' : 'ignore',
          ...(input === undefined ? [] : (['pipe'] as const)),
        ],
        detached: true,
      });
    } finally {
      closeSync(pipe);
    }
    follow(id, child, failed);
    if (input !== undefined) {
      const writer = child.stdio[INPUT] as Writable;
      // a process that ends early does not read it
      writer.on('error', () => undefined);
      writer.end(input);
    }
  } catch (error) {
    failed(error as NodeJS.ErrnoException);
  }
}

/** Its reader may be killed at any time: without one of our own, opening it could wait for ever. */
function openPipe(path: string): number {
  const reader = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    return openSync(path, constants.O_WRONLY);
  } finally {
    closeSync(reader);
  }
}

function follow(id: number, child: ChildProcess, failed: (error: NodeJS.ErrnoException) => void): void {
  child.once('error', (error) => {
    if (child.pid === undefined) failed(error);
  });
  if (child.pid === undefined) return;
  children.set(id, child);
  tell({ id, type: 'started', pid: child.pid });
  const reports = child.stdio[REPORTS] as Readable | null | undefined;
  const reported = (): void => tell({ id, type: 'reported' });
  if (reports) {
    reports.setEncoding('utf8').on('data', (text: string) => tell({ id, type: 'report', text }));
    reports.once('close', reported);
  } else reported();
  child.once('exit', (code, killedBy) => {
    children.delete(id);
    tell({ id, type: 'ended', code, killedBy });
  });
}

function tell(event: StarterEvent): void {
  // sending fails when the parent has ended
  process.send?.(event, () => undefined);
}
