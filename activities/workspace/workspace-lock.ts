import { lstat, mkdir, readdir, readFile, rm, rmdir, unlink } from 'node:fs/promises';
import { dirname, join, sep } from 'node:path';
import { LonghaulError } from '../../domain/shared/failures.ts';
import { hasCode } from '../../platform/error-code.ts';
import { type Holder, tryLock, withLock } from '../../platform/file-lock.ts';
import { type FolderIdentity, type HeldFolder, holdFolder, inodeOf, isSameFolder } from '../../platform/held-folder.ts';
import { removeTemporaries } from '../../platform/temporary.ts';
import { writeWhole } from '../../platform/whole-file.ts';
import { openJournal } from './journal.ts';
import { endChildren, isPlanEntry } from './plan-journal.ts';
import { folderOfWorkspace, JOURNAL, register, registrationAt } from './workspace-registration.ts';

/** The folder of Longhaul and Graft in a workspace. */
export const GRAFT_FOLDER = '.graft';

/** A workspace that this process alone may change. */
export interface HeldWorkspace {
  /** The folder of the workspace in the data folder of this host. */
  readonly folder: string;
  /** The folder of the workspace itself. It stays open, and what is changed is changed through it. */
  readonly root: HeldFolder;
  /** Gives it up, in this state of the plan. */
  leave(end: PlanEnd): Promise<void>;
}

/**
 * How a plan was left: `open` with its journal, for the next process; `undone`, so that what was made to hold the workspace
 * is removed, too; or `committed`.
 */
export type PlanEnd = 'open' | 'undone' | 'committed';

/** The content of our `.graft/.gitignore`: it keeps the folder out of a repository around the workspace. */
export const OWN_IGNORE = '*\n';
const IGNORE_FILE = '.gitignore';
const LOCK_FILE = 'lock';

/** How a workspace is held. */
export interface HoldOptions {
  readonly dataDir: string;
  /** Throws where nothing may be changed. Asked when the folder is open, so that no other one can be put in its place. */
  readonly permit?: ((root: string) => Promise<void>) | undefined;
  /** Ends the wait for other processes that enter or leave a workspace. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Holds the workspace with this real path, by the lock file `.graft/lock`. The lock of a process that has ended is taken
 * over. What this host knows of a folder that was at this path before, and was deleted or replaced, is forgotten. Throws
 * `WorkspaceBusy` while another program holds it, and `PlanPreconditionFailed` when the workspace is inside another one or
 * around it, when `.graft` is no folder, and when the folder was replaced since its path was found.
 */
export async function holdWorkspace(root: string, { dataDir, permit, signal }: HoldOptions): Promise<HeldWorkspace> {
  const all = join(dataDir, 'workspaces');
  const folder = folderOfWorkspace(dataDir, root);
  // entering and leaving exclude each other, so that what one process removes is never what another one has just made
  const exclusively = <Result>(work: () => Promise<Result>, until?: AbortSignal): Promise<Result> =>
    withLock(join(all, 'lock'), work, until);

  const held = await openRoot(root);
  const opened = [held];
  const closeAll = async (): Promise<void> => void (await Promise.all(opened.map((each) => each.close())));
  try {
    await permit?.(root);
    const identity = await held.identity();
    const { lock, graft } = await exclusively(async () => {
      await refuseOverlap(root, all);
      await forgetFormer(folder, identity);
      const isThere = (await inodeOf(held.at(GRAFT_FOLDER))) !== null;
      if ((await registrationAt(folder)) === null) await register(folder, { root, identity, madeGraft: !isThere });
      if (!isThere) {
        await mkdir(held.at(GRAFT_FOLDER)).catch((error: unknown) => {
          if (!hasCode(error, 'EEXIST')) throw error;
        });
      }
      const inGraft = await openGraft(held);
      opened.push(inGraft);
      await removeTemporaries(inGraft.at());
      const ignore = inGraft.at(IGNORE_FILE);
      // a process may have been killed between the two
      const isMade = (await registrationAt(folder))?.madeGraft === true;
      if (isMade && (await inodeOf(ignore)) === null) await writeWhole(ignore, OWN_IGNORE);
      const tried = await tryLock(inGraft.at(LOCK_FILE));
      if ('lock' in tried) return { lock: tried.lock, graft: inGraft };
      // also an attempt of the same activity that was given up and has not ended yet: a later one waits for it
      const holder = nameOfHolder(tried.holder);
      throw new LonghaulError(
        'WorkspaceBusy',
        `The workspace ${root} is being changed by ${holder}, which holds ${join(inGraft.path, LOCK_FILE)}.`,
      );
    }, signal);
    return {
      folder,
      root: held,
      // also after an abort
      leave: async (end) => {
        const work = exclusively(async () => {
          await lock.release();
          if (end === 'open' || !(await registrationAt(folder))?.madeGraft) return;
          if (end === 'committed') return register(folder, { root, identity, madeGraft: false });
          const others = (await readdir(graft.at())).filter((name) => name !== IGNORE_FILE);
          if (others.length > 0) return;
          if ((await readFile(graft.at(IGNORE_FILE), 'utf8').catch(absent)) === OWN_IGNORE)
            await unlink(graft.at(IGNORE_FILE));
          await rmdir(held.at(GRAFT_FOLDER)).catch((error: unknown) => {
            // another one may be in its place
            if (!hasCode(error, 'ENOTEMPTY', 'ENOENT', 'ENOTDIR')) throw error;
          });
          await rm(folder, { recursive: true, force: true });
        });
        try {
          await work;
        } finally {
          await closeAll();
        }
      },
    };
  } catch (error) {
    await closeAll();
    throw error;
  }
}

/** Opens the folder at this real path. Throws `PlanPreconditionFailed` when it is elsewhere now, through a link. */
async function openRoot(root: string): Promise<HeldFolder> {
  const held = await holdFolder(root, '').catch((error: unknown) => {
    if (!hasCode(error, 'ENOENT', 'ENOTDIR', 'ELOOP')) throw error;
    return refuse(`${root} was replaced meanwhile.`);
  });
  if ((await held.whereNow()) === root) return held;
  await held.close();
  return refuse(`${root} was replaced meanwhile.`);
}

function openGraft(root: HeldFolder): Promise<HeldFolder> {
  return holdFolder(root, GRAFT_FOLDER).catch((error: unknown) => {
    if (!hasCode(error, 'ENOENT', 'ENOTDIR', 'ELOOP')) throw error;
    return refuse(`${join(root.path, GRAFT_FOLDER)} is no folder.`);
  });
}

/** Removes what is known of a folder that was at this place before. The gits of a plan in it are ended. */
async function forgetFormer(folder: string, identity: FolderIdentity): Promise<void> {
  const former = await registrationAt(folder);
  if (former === null || isSameFolder(former.identity, identity)) return;
  const journal = await openJournal(join(folder, JOURNAL), isPlanEntry);
  try {
    await endChildren(journal);
  } finally {
    await journal.close();
  }
  await rm(folder, { recursive: true, force: true });
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

function refuse(why: string): never {
  throw new LonghaulError('PlanPreconditionFailed', why);
}

function absent(error: unknown): null {
  if (hasCode(error, 'ENOENT', 'ENOTDIR')) return null;
  throw error;
}
