import { spawnSync } from 'node:child_process';
import { readFileSync, readlinkSync } from 'node:fs';
import { hostname, uptime } from 'node:os';
import { hasCode } from './error-code.ts';

/** Identifies a process, even against a later one with the same pid. */
export interface ProcessIdentity {
  readonly pid: number;
  /** When it started: boot id and clock ticks on Linux, else the time that `ps` prints. Only for comparison. */
  readonly start: string;
}

/** The identity of a process in files that processes of other machines and containers also read. */
export interface Signature extends ProcessIdentity {
  readonly host: string;
  /** The PID namespace of `pid`; empty where the system has none. */
  readonly namespace: string;
}

/** The state of another process; `unknown` when it is in another PID namespace or on another machine. */
export type Standing = 'running' | 'ended' | 'unknown';

/** The identity of the running process with this pid; null when there is none, or only a zombie. */
export function identify(pid: number): ProcessIdentity | null {
  const start = process.platform === 'linux' ? startFromProc(pid) : startFromPs(pid);
  return start === null ? null : { pid, start };
}

/** True when exactly this process is still running and visible from here. */
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
 * Whether the process of a signature is still running. `seenMs` (milliseconds since the epoch) is when it was last
 * known to be alive: a process on our host that was alive before the last boot has ended. Signatures of earlier
 * versions lack host and namespace: those processes count as local.
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
    // The command name is in parentheses and may itself contain spaces and parentheses.
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
