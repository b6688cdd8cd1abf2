import { availableParallelism, cpus, loadavg, totalmem } from 'node:os';
import { git } from '../examples/git.ts';

/** The machine that figures were measured on, without which they cannot be read. */
export interface Machine {
  readonly processor: string;
  readonly cores: number;
  readonly memoryGb: number;
  readonly platform: string;
  readonly node: string;
  readonly git: string;
  /** Load average of the last minute, when asked. */
  readonly load: number;
}

/** Looks at this machine. */
export async function describeMachine(): Promise<Machine> {
  return {
    processor: cpus()[0]?.model.trim() ?? 'unknown',
    cores: availableParallelism(),
    memoryGb: Math.round(totalmem() / 2 ** 30),
    platform: `${process.platform} ${process.arch}`,
    node: process.versions.node,
    git: (await git(['--version'])).replace('git version ', ''),
    load: currentLoad(),
  };
}

/** Load average of the last minute: above the number of cores, figures say little. */
export function currentLoad(): number {
  return Math.round((loadavg()[0] ?? 0) * 100) / 100;
}
