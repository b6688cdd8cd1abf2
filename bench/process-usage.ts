import { readFileSync, writeFileSync } from 'node:fs';
import type { Stack } from '../stack/stack.ts';
import { readState } from '../stack/state.ts';

/** Clock ticks per second in `/proc`, the same on every Linux. */
const TICKS = 100;

/** The stack's process with this name. */
export function pidOf(stack: Stack, name: string): number {
  const child = readState(stack.dataDir).children.find((one) => one.name === name);
  if (child === undefined) throw new Error(`the stack runs no ${name}`);
  return child.pid;
}

/** Processor seconds of a process, over all its threads. Linux only. */
export function cpuSeconds(pid: number): number {
  const [, afterName = ''] = readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ');
  const fields = afterName.split(' ');
  return (Number(fields[11]) + Number(fields[12])) / TICKS;
}

/** Resident memory of a process in megabytes: now, or the peak since {@link forgetPeak}. Linux only. */
export function residentMegabytes(pid: number, which: 'now' | 'peak'): number {
  const name = which === 'now' ? 'VmRSS' : 'VmHWM';
  const line = new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(readFileSync(`/proc/${pid}/status`, 'latin1'));
  return Number(line?.[1] ?? Number.NaN) / 1_024;
}

/** Resets the peak to the current value. */
export function forgetPeak(pid: number): void {
  writeFileSync(`/proc/${pid}/clear_refs`, '5');
}
