import childProcess, { type ChildProcess } from 'node:child_process';
import { appendFileSync } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import type { StarterRequest } from '../../platform/process-starter.ts';

/**
 * Writes the arguments of every program that this process starts, itself or by its starter, to the file `RECORDED_STARTS`:
 * a JSON list in a line. Loaded with `--import`, before the program.
 */
const file = process.env['RECORDED_STARTS'] ?? '';

function record(argv: readonly string[]): void {
  if (file !== '') appendFileSync(file, `${JSON.stringify(argv)}\n`);
}

interface Startable extends ChildProcess {
  spawn(options: { readonly file: string; readonly args?: readonly string[] }): number;
}

// every way to start a program asynchronously ends here
const prototype = childProcess.ChildProcess.prototype as Startable;
const { spawn } = prototype;
prototype.spawn = function (this: Startable, options) {
  record([options.file, ...(options.args ?? [])]);
  const result = spawn.call(this, options);
  if (typeof this.send === 'function') recordStarter(this);
  return result;
};

/** Records what is started by the process on the other end of a channel. */
function recordStarter(child: ChildProcess): void {
  const send = child.send.bind(child) as (message: unknown, ...more: unknown[]) => boolean;
  child.send = (message: unknown, ...more: unknown[]) => {
    const { type, ...order } = (message ?? {}) as Partial<StarterRequest>;
    if (type === 'start' && 'command' in order && order.command !== undefined)
      record([order.command, ...(order.args ?? [])]);
    return send(message, ...more);
  };
}

const { spawnSync, execFileSync, execSync } = childProcess;
type Call = (program: string, args?: unknown, options?: unknown) => never;
const recorded = (run: unknown): Call => {
  return (program, args, options) => {
    record([program, ...(Array.isArray(args) ? (args as string[]) : [])]);
    return (run as Call)(program, args, options);
  };
};
childProcess.spawnSync = recorded(spawnSync);
childProcess.execFileSync = recorded(execFileSync);
childProcess.execSync = recorded(execSync);
syncBuiltinESMExports();
