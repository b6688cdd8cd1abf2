import { setTimeout as delay } from 'node:timers/promises';
import type { FailureType } from '../../domain/shared/failures.ts';
import { LonghaulError } from '../../domain/shared/failures.ts';
import type { FileEdit } from '../../domain/workspace/links/file-edit.ts';
import type { StateChange } from '../../domain/workspace/workspace-state.ts';
import { markedProcesses } from '../../platform/marked-processes.ts';
import type { ProcessIdentity } from '../../platform/process-identity.ts';
import { isRunning } from '../../platform/process-identity.ts';
import { signalGroup, signalProcess } from '../../platform/process-signals.ts';
import { OWNER_VARIABLE } from '../git/git.ts';
import type { Journal } from './journal.ts';

/** A rename that is about to happen, of a file or folder. Paths are relative to the root. */
export interface PlanMove {
  readonly type: 'move';
  readonly operation: number;
  readonly from: string;
  readonly to: string;
  /** What is renamed ({@link inodeOf}): anything else at one of the two places is not ours. */
  readonly inode: string;
}

/** A file, and the bytes in it. */
export interface FileIdentity {
  /** {@link inodeOf} it. */
  readonly inode: string;
  readonly sha256: string;
}

/** A file that is about to be changed; null stands for no file. */
export interface PlanFileChange {
  readonly type: 'file';
  readonly operation: number;
  /** Its number among the changes of the operation, for its names aside. */
  readonly at: number;
  /** Relative to the root. */
  readonly path: string;
  readonly before: FileIdentity | null;
  readonly after: FileIdentity | null;
  /** What is done in it: where a person has changed the file since, only this is reversed. */
  readonly edit: FileEdit;
}

/** What the journal of a plan says. Each entry is on the disk before what it announces. */
export type PlanEntry =
  /** A process works on the plan; its gits have the mark in their environment. */
  | { readonly type: 'worker'; readonly plan: string; readonly mark: string }
  /** A git was started by it. */
  | ({ readonly type: 'child' } & ProcessIdentity)
  /** The repository of an operation is being made aside. */
  | { readonly type: 'aside'; readonly operation: number }
  /** A folder that contains others is made in the workspace. */
  | { readonly type: 'folder'; readonly operation: number; readonly path: string }
  | PlanMove
  | PlanFileChange
  | { readonly type: 'done'; readonly operation: number }
  /** From here on everything is undone, because of this failure. */
  | { readonly type: 'undoing'; readonly failure: FailureType | null; readonly message: string }
  /** From here on nothing is undone (`unverified`: see {@link verifyLinks}): only the state is left to be written, and what was moved aside to be deleted. */
  | { readonly type: 'committed'; readonly change?: StateChange; readonly unverified?: readonly string[] }
  /** What has got something new since it was taken away is about to be renamed to this path, and stays. */
  | { readonly type: 'kept'; readonly path: string };

const TYPES: readonly string[] = [
  'worker',
  'child',
  'aside',
  'folder',
  'move',
  'file',
  'done',
  'undoing',
  'committed',
  'kept',
] satisfies readonly PlanEntry['type'][];

/** True for what only this program writes into the journal of a plan, where only its user can. */
export function isPlanEntry(value: unknown): value is PlanEntry {
  return typeof value === 'object' && value !== null && 'type' in value && TYPES.includes(String(value.type));
}

/** The last entry of a type, of an operation if one is given. */
export function lastEntry<Type extends PlanEntry['type']>(
  { entries }: Pick<Journal<PlanEntry>, 'entries'>,
  type: Type,
  operation?: number,
): Extract<PlanEntry, { readonly type: Type }> | null {
  const isWanted = (entry: PlanEntry): entry is Extract<PlanEntry, { readonly type: Type }> =>
    entry.type === type && (operation === undefined || ('operation' in entry && entry.operation === operation));
  return entries.findLast(isWanted) ?? null;
}

const LONGEST_END_MS = 10_000;

/**
 * Ends the gits, with their children, that processes before this one have started for the plan: a git outlives its killed
 * worker, and writes on. Only a process with a recorded mark, or with a recorded pid and start time, is ended. Throws
 * `DiskFailed` when one does not end.
 */
export async function endChildren({ entries }: Pick<Journal<PlanEntry>, 'entries'>): Promise<void> {
  const marks = entries.flatMap((entry) => (entry.type === 'worker' ? [`${OWNER_VARIABLE}=${entry.mark}`] : []));
  const children = entries.filter((entry) => entry.type === 'child');
  const started = performance.now();
  for (;;) {
    const running = children.filter(isRunning);
    for (const { pid } of running) signalGroup(pid, 'SIGKILL');
    const marked = marks.flatMap(markedProcesses);
    for (const pid of marked) signalProcess(pid, 'SIGKILL');
    const left = [...running.map(({ pid }) => pid), ...marked];
    if (left.length === 0) return;
    if (performance.now() - started > LONGEST_END_MS) {
      const pids = [...new Set(left)].join(', ');
      throw new LonghaulError(
        'DiskFailed',
        `Processes of the plan cannot be ended, perhaps they wait for a disk: ${pids}.`,
      );
    }
    await delay(20);
  }
}
