import { mkdir, rename, rm, rmdir } from 'node:fs/promises';
import { LonghaulError } from '../../domain/shared/failures.ts';
import { hasCode } from '../../platform/error-code.ts';
import { type HeldFolder, holdFolder, inodeOf } from '../../platform/held-folder.ts';
import { createSemaphore } from '../../platform/semaphore.ts';
import type { Journal } from './journal.ts';
import type { PlanEntry, PlanMove } from './plan-journal.ts';
import { GRAFT_FOLDER } from './workspace-lock.ts';

/** Where a plan works: a workspace, with the journal of what may have been changed in it. Paths are relative to the root. */
export interface PlanGround {
  readonly root: string;
  readonly journal: Journal<PlanEntry>;
  /** The folder in which everything is made before it is renamed into its place, and to which things are renamed. */
  readonly aside: string;
  /**
   * Has something made in the folder aside. `work` gets the path at which it shall be: on Linux one that leads there, also
   * for programs, when another program replaces a folder around it by a link.
   */
  makeAside(name: string, work: (path: string) => Promise<void>): Promise<void>;
  /** Makes the missing folders around a path. Throws `PlanPreconditionFailed` when one is a link, a file or a repository. */
  makeFoldersAround(operation: number, path: string): Promise<void>;
  /** Renames a folder. Throws `PlanPreconditionFailed` when something is in its new place; then it stays. */
  move(operation: number, from: string, to: string): Promise<void>;
  /** Renames what {@link move} has renamed back. False, and nothing changes, when something is in its place. */
  moveBack(move: PlanMove): Promise<boolean>;
  /** Does something with a name in the folder around a path, which stays that folder meanwhile; no component may be a link. */
  inFolderOf<Result>(path: string, work: (folder: HeldFolder, name: string) => Promise<Result>): Promise<Result>;
  /** {@link inodeOf} a path, of which no component may be a link; null when nothing is there. */
  inodeAt(path: string): Promise<string | null>;
  /** Removes a folder that nothing is in; one with something stays. */
  removeEmpty(path: string): Promise<void>;
  /** Removes a folder aside with everything in it; without a name, all of them. */
  removeAside(name?: string): Promise<void>;
}

/** The ground of the plan with this id, in the open folder of a workspace that this process holds. */
export async function planGround(
  workspace: HeldFolder,
  plan: string,
  journal: Journal<PlanEntry>,
): Promise<PlanGround> {
  const { path: root } = workspace;
  const aside = `${GRAFT_FOLDER}/aside/${plan}`;
  /** One after the other: of two operations that need the same folder, one has made it. */
  const making = createSemaphore(1);

  async function inFolderOf<Result>(
    path: string,
    work: (folder: HeldFolder, name: string) => Promise<Result>,
  ): Promise<Result> {
    const [, above = '', name = ''] = /^(?:(.*)\/)?([^/]+)$/.exec(path) ?? [];
    const folder = await holdFolder(workspace, above).catch((error: unknown) => {
      if (!hasCode(error, 'ENOTDIR', 'ELOOP')) throw error;
      throw refusal(`${root}/${above} is a link or a file, or leads through one.`, error);
    });
    try {
      return await work(folder, name);
    } finally {
      await folder.close();
    }
  }

  /** What is done from here on would be in a folder that a person does not mean any more. */
  async function refuseMoved(): Promise<void> {
    const now = await workspace.whereNow();
    if (now !== root) throw refusal(`${root} was ${now === null ? 'removed' : `renamed to ${now}`} meanwhile.`);
  }

  /** Throws the system's error when there is something at `to`: a folder never replaces a file or a folder with content. */
  async function renameFolder(from: string, to: string): Promise<void> {
    await inFolderOf(from, (source, name) =>
      inFolderOf(to, async (target, newName) => {
        await rename(source.at(name), target.at(newName));
        await Promise.all([source.sync(), target.sync()]);
      }),
    );
  }

  await inFolderOf(aside, async () => undefined).catch(async (error: unknown) => {
    if (!hasCode(error, 'ENOENT')) throw error;
    await inFolderOf(`${GRAFT_FOLDER}/aside`, (folder, name) => mkdir(folder.at(name)));
  });
  await inFolderOf(aside, (folder, name) =>
    mkdir(folder.at(name), 0o700).catch((error: unknown) => {
      if (!hasCode(error, 'EEXIST')) throw error;
    }),
  );

  const ground: PlanGround = {
    root,
    journal,
    aside,
    inFolderOf,
    async makeAside(name, work) {
      await refuseMoved();
      await inFolderOf(`${aside}/${name}`, (folder) => work(folder.forPrograms(name)));
    },
    async makeFoldersAround(operation, path) {
      await refuseMoved();
      const names = path.split('/').slice(0, -1);
      for (const at of names.keys()) {
        const folder = names.slice(0, at + 1).join('/');
        const release = await making.acquire();
        try {
          if ((await ground.inodeAt(folder)) === null) {
            await journal.append({ type: 'folder', operation, path: folder });
            await inFolderOf(folder, async (outer, name) => {
              await mkdir(outer.at(name));
              await outer.sync();
            });
          }
          for (const name of ['.git', GRAFT_FOLDER]) {
            if ((await ground.inodeAt(`${folder}/${name}`)) !== null)
              throw refusal(`${root}/${folder} has a ${name}: nothing is made inside another repository or workspace.`);
          }
        } finally {
          release();
        }
      }
    },
    async move(operation, from, to) {
      await refuseMoved();
      const inode = await ground.inodeAt(from);
      if (inode === null) throw refusal(`There is nothing at ${root}/${from}.`);
      if ((await ground.inodeAt(to)) !== null) throw refusal(`There is something at ${root}/${to}.`);
      const move: PlanMove = { type: 'move', operation, from, to, inode };
      await journal.append(move);
      await renameFolder(from, to).catch((error: unknown) => {
        if (isTaken(error)) throw refusal(`There is something at ${root}/${to}.`, error);
        if (!hasCode(error, 'EXDEV')) throw error;
        throw refusal(`${root}/${from} and ${root}/${to} are on two file systems.`, error);
      });
      if ((await ground.inodeAt(to)) === inode) return;
      // another program has replaced it between the two
      const other = await ground.inodeAt(to);
      const isBack = other === null || (await ground.moveBack({ ...move, inode: other }));
      throw refusal(`${root}/${from} was replaced meanwhile${isBack ? '' : `: it is at ${root}/${to} now`}.`);
    },
    async moveBack({ from, to, inode }) {
      if ((await ground.inodeAt(to)) !== inode) return false;
      try {
        await renameFolder(to, from);
        return true;
      } catch (error) {
        if (isTaken(error) || hasCode(error, 'ENOENT') || error instanceof LonghaulError) return false;
        throw error;
      }
    },
    async inodeAt(path) {
      try {
        return await inFolderOf(path, (folder, name) => inodeOf(folder.at(name)));
      } catch (error) {
        if (hasCode(error, 'ENOENT')) return null;
        throw error;
      }
    },
    async removeEmpty(path) {
      try {
        await inFolderOf(path, (folder, name) => rmdir(folder.at(name)));
      } catch (error) {
        if (!hasCode(error, 'ENOENT', 'ENOTDIR', 'ENOTEMPTY', 'EEXIST') && !(error instanceof LonghaulError))
          throw error;
      }
    },
    removeAside: (wanted) =>
      inFolderOf(wanted === undefined ? aside : `${aside}/${wanted}`, (folder, name) =>
        rm(folder.at(name), { recursive: true, force: true }),
      ),
  };
  return ground;
}

function isTaken(error: unknown): boolean {
  return hasCode(error, 'ENOTEMPTY', 'EEXIST', 'ENOTDIR', 'EISDIR');
}

function refusal(why: string, cause?: unknown): LonghaulError {
  return new LonghaulError('PlanPreconditionFailed', why, { cause });
}
