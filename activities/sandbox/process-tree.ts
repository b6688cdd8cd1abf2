import { readdirSync, readFileSync } from 'node:fs';
import { signalProcess } from '../../platform/process-signals.ts';

/** The processes that a process has started, and those that they have started, in `/proc`. */
export function descendants(pid: number): number[] {
  // a process whose parent ends while this runs is seen twice
  const found = new Set<number>();
  const open = [pid];
  for (let parent = open.pop(); parent !== undefined; parent = open.pop()) {
    const children = childrenOf(parent).filter((child) => !found.has(child));
    for (const child of children) found.add(child);
    open.push(...children);
  }
  return [...found];
}

/** A process can end at any time: what is missing in `/proc` has no children. */
function childrenOf(pid: number): number[] {
  const threads = `/proc/${pid}/task`;
  return read(() => readdirSync(threads)).flatMap((thread) =>
    read(() => readFileSync(`${threads}/${thread}/children`, 'latin1').split(' '))
      .map(Number)
      .filter((child) => child > 0),
  );
}

/** Sends a signal to all descendants of a process. */
export function signalDescendants(pid: number, signal: NodeJS.Signals): void {
  for (const each of descendants(pid)) signalProcess(each, signal);
}

/**
 * Bytes of memory that these processes use together, without the content of files. Memory that several of them share
 * counts once; it is only looked at when the sum of all is above `limit`, because that takes longer.
 */
export function memoryOf(pids: readonly number[], limit: number): number {
  const atMost = sum(pids, (pid) => fieldsOf(`/proc/${pid}/status`, ['RssAnon', 'RssShmem']));
  return atMost <= limit
    ? atMost
    : sum(pids, (pid) => fieldsOf(`/proc/${pid}/smaps_rollup`, ['Pss_Anon', 'Pss_Shmem']));
}

function sum(pids: readonly number[], of: (pid: number) => number): number {
  return pids.reduce((total, pid) => total + of(pid), 0);
}

/** The sum of these fields, in bytes, of a file that has them in kB. */
function fieldsOf(file: string, names: readonly string[]): number {
  const lines = read(() => readFileSync(file, 'latin1').split('\n'));
  const of = (name: string): number => {
    const line = lines.find((each) => each.startsWith(`${name}:`));
    return line === undefined ? 0 : Number.parseInt(line.slice(name.length + 1), 10) * 1_024;
  };
  return names.reduce((total, name) => total + of(name), 0);
}

function read(attempt: () => string[]): string[] {
  try {
    return attempt();
  } catch {
    return [];
  }
}
