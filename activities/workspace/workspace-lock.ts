import { mkdir, lstat, readdir, readFile, rm, rmdir, unlink } from 'node:fs/promises';
import { dirname, join, sep } from 'node:path';
import { LonghaulError } from '../../domain/shared/failures.ts';
import { hasCode } from '../../platform/error-code.ts';
import { type Holder, tryLock, withLock } from '../../platform/file-lock.ts';
import { sha256 } from '../../platform/sha256.ts';
import { removeTemporaries } from '../../platform/temporary.ts';
import { writeWhole } from '../../platform/whole-file.ts';

/** The folder of Longhaul and Graft in a workspace. */
export const GRAFT_FOLDER = '.graft';

/** A workspace that this process alone may change. */
export interface HeldWorkspace {
  /** The folder of the workspace in the data folder of this host. */
  readonly folder: string;
  /** Gives it up, in this state of the plan. */
  leave(end: PlanEnd): Promise<void>;
}

/**
 * How a plan was left: `open` with its journal, for the next process; `undone`, so that what was made to hold the workspace
 * is removed, too; or `committed`.
 */
export type PlanEnd = 'open' | 'undone' | 'committed';

/** What this host knows about a workspace. */
interface Registration {
  readonly root: string;
  /** True when it had no folder `.graft` before, and no plan was committed since. */
  readonly madeGraft: boolean;
}

const REGISTRATION = 'workspace.json';
/** Keeps the folder `.graft` out of a repository around the workspace. */
const IGNORE = '*\n';

/** The folder of a workspace in the data folder of this host, by its real path. */
export function folderOfWorkspace(dataDir: string, root: string): string {
  return join(dataDir, 'workspaces', sha256(root).slice(0, 16));
}

/**
 * Holds the workspace with this real path, by the lock file `.graft/lock`. The lock of a process that has ended is taken
 * over. Throws `WorkspaceBusy` while another program holds it, and `PlanPreconditionFailed` when the workspace is inside
 * another one or around it, and when `.graft` is no folder.
 */
export async function holdWorkspace(root: string, dataDir: string, signal?: AbortSignal): Promise<HeldWorkspace> {
  const all = join(dataDir, 'workspaces');
  const folder = folderOfWorkspace(dataDir, root);
  const graft = join(root, GRAFT_FOLDER);
  // entering and leaving exclude each other, so that what one process removes is never what another one has just made
  const exclusively = <Result>(work: () => Promise<Result>, until?: AbortSignal): Promise<Result> =>
    withLock(join(all, 'lock'), work, until);

  const lock = await exclusively(async () => {
    await refuseOverlap(root, all);
    const there = await lstat(graft).catch(absent);
    if (there !== null && !there.isDirectory()) refuse(`${graft} is no folder.`);
    if ((await registrationAt(folder)) === null) {
      await register(folder, { root, madeGraft: there === null });
    }
    if (there === null) await mkdir(graft);
    await removeTemporaries(graft);
    const ignore = join(graft, '.gitignore');
    // a process may have been killed between the two
    const isMade = (await registrationAt(folder))?.madeGraft === true;
    if (isMade && (await lstat(ignore).catch(absent)) === null) await writeWhole(ignore, IGNORE);
    const tried = await tryLock(join(graft, 'lock'));
    if ('lock' in tried) return tried.lock;
    // also an attempt of the same activity that was given up and has not ended yet: a later one waits for it
    throw new LonghaulError(
      'WorkspaceBusy',
      `The workspace ${root} is being changed by ${nameOfHolder(tried.holder)}, which holds ${join(graft, 'lock')}.`,
    );
  }, signal);

  return {
    folder,
    // also after an abort
    leave: (end) =>
      exclusively(async () => {
        await lock.release();
        if (end === 'open' || !(await registrationAt(folder))?.madeGraft) return;
        if (end === 'committed') return register(folder, { root, madeGraft: false });
        const ignore = join(graft, '.gitignore');
        const others = (await readdir(graft)).filter((name) => name !== '.gitignore');
        if (others.length > 0) return;
        if ((await readFile(ignore, 'utf8').catch(absent)) === IGNORE) await unlink(ignore);
        await rmdir(graft).catch((error: unknown) => {
          if (!hasCode(error, 'ENOTEMPTY')) throw error;
        });
        await rm(folder, { recursive: true, force: true });
      }),
  };
}

/** The holder of a lock, in a sentence. */
export function nameOfHolder({ process }: Holder): string {
  return process === null ? 'another program' : `the process ${process.pid}`;
}

/** Two workspaces of which one is in the other would change the same folders under two locks. */
async function refuseOverlap(root: string, all: string): Promise<void> {
  for (let above = dirname(root); ; above = dirname(above)) {
    if ((await lstat(join(above, GRAFT_FOLDER)).catch(absent)) !== null)
      refuse(`${root} is inside the workspace ${above}: plan the repositories there, or remove ${above}/.graft.`);
    if (above === dirname(above)) break;
  }
  for (const name of (await readdir(all).catch(absent)) ?? []) {
    const other = await registrationAt(join(all, name));
    if (other === null || !other.root.startsWith(root === sep ? sep : root + sep)) continue;
    if ((await lstat(join(other.root, GRAFT_FOLDER)).catch(absent)) !== null)
      refuse(`The workspace ${other.root} is inside ${root}: plan the repositories there, or remove its .graft.`);
  }
}

async function registrationAt(folder: string): Promise<Registration | null> {
  const text = await readFile(join(folder, REGISTRATION), 'utf8').catch(absent);
  return text === null ? null : (JSON.parse(text) as Registration);
}

function register(folder: string, registration: Registration): Promise<void> {
  return writeWhole(join(folder, REGISTRATION), `${JSON.stringify(registration)}\n`);
}

function refuse(why: string): never {
  throw new LonghaulError('PlanPreconditionFailed', why);
}

function absent(error: unknown): null {
  if (hasCode(error, 'ENOENT', 'ENOTDIR')) return null;
  throw error;
}
