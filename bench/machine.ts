import { availableParallelism, cpus, loadavg, totalmem } from 'node:os';
import { git } from '../examples/git.ts';

/** The machine that figures were measured on. */
export interface Machine {
  readonly processor: string;
  readonly cores: number;
  readonly memoryGb: number;
  readonly platform: string;
  readonly node: string;
  readonly git: string;
  /** Load average of the last minute at the time of the call. */
  readonly load: number;
}

/** Describes this machine. */
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

/** Load average of the last minute: when it exceeds the number of cores, figures are unreliable. */
export function currentLoad(): number {
  return Math.round((loadavg()[0] ?? 0) * 100) / 100;
}
