import { spawnSync } from 'node:child_process';
import { readFileSync, readlinkSync } from 'node:fs';
import { hostname, uptime } from 'node:os';
import { hasCode } from './error-code.ts';

/** A process, told apart from a later one that got the same pid. */
export interface ProcessIdentity {
  readonly pid: number;
  /** When it started: boot id and clock ticks on Linux, else the time that `ps` prints. Only serves to be compared. */
  readonly start: string;
}

/** A process as it writes itself into a file that processes of other machines and containers read, too. */
export interface Signature extends ProcessIdentity {
  readonly host: string;
  /** The PID namespace in which `pid` is its number; empty where the system has none. */
  readonly namespace: string;
}

/** What this process can say about another one: `unknown` when that one is in another PID namespace or on another machine. */
export type Standing = 'running' | 'ended' | 'unknown';

/** The identity of a running process; null when there is none with this pid, or only a zombie. */
export function identify(pid: number): ProcessIdentity | null {
  const start = process.platform === 'linux' ? startFromProc(pid) : startFromPs(pid);
  return start === null ? null : { pid, start };
}

/** True when exactly this process is still running and can be seen from here. */
export function isRunning(identity: ProcessIdentity): boolean {
  return identify(identity.pid)?.start === identity.start;
}

/** The identity of this process. */
export function self(): ProcessIdentity {
  const identity = identify(process.pid);
  if (identity === null) throw new Error(`process ${process.pid} cannot see itself`);
  return identity;
}

/** This process with its machine and its PID namespace. */
export function signature(): Signature {
  return { ...self(), host: hostname(), namespace: ownNamespace() };
}

/**
 * Says whether the process of a signature still runs. One that was alive at `seenMs` (milliseconds since the epoch) on a
 * machine of our host name ended when this machine has been started since. Signatures of earlier versions lack host and namespace:
 * these processes are looked up here.
 */
export function standingOf(other: ProcessIdentity & Partial<Signature>, seenMs: number): Standing {
  const me = signature();
  const isHere = other.namespace === undefined || other.namespace === me.namespace;
  if (isHere && machineOf(other, me.host) === machineOf(me, me.host)) return isRunning(other) ? 'running' : 'ended';
  const isFromBefore = other.host === me.host && machineOf(other, me.host) !== machineOf(me, me.host);
  return isFromBefore && seenMs < Date.now() - uptime() * 1_000 ? 'ended' : 'unknown';
}

/** The boot id where there is one, else the host name. */
function machineOf({ start, host }: ProcessIdentity & Partial<Signature>, ownHost: string): string {
  return start.includes('/') ? (start.split('/')[0] ?? '') : (host ?? ownHost);
}

function ownNamespace(): string {
  try {
    return readlinkSync('/proc/self/ns/pid');
  } catch {
    return '';
  }
}

function startFromProc(pid: number): string | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The command's name comes in parentheses and may hold spaces and parentheses itself.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    if (fields[0] === 'Z' || fields[0] === 'X') return null;
    return `${readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()}/${fields[19]}`;
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'ESRCH')) return null;
    throw error;
  }
}

function startFromPs(pid: number): string | null {
  const { stdout, status } = spawnSync('ps', ['-o', 'stat=,lstart=', '-p', String(pid)], { encoding: 'utf8' });
  const [state = '', ...start] = stdout.trim().split(/\s+/);
  return status !== 0 || state.startsWith('Z') || start.length === 0 ? null : start.join(' ');
}
