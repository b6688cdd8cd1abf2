import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { LonghaulError } from '../../domain/shared/failures.ts';
import { inShell, type LeftItem } from './left-item.ts';
import { keepChanged, undoFile } from './links/undo-file.ts';
import { placesAside } from './run-operation.ts';
import type { PlanGround } from './plan-ground.ts';
import type { PlanMove } from './plan-journal.ts';
import type { UnsavedWork } from './unsaved-work.ts';
import { GRAFT_FOLDER } from './workspace-lock.ts';

/** What the end of a plan needs. */
export interface EndingTools {
  readonly ground: PlanGround;
  readonly unsaved: (path: string) => Promise<UnsavedWork>;
}

/**
 * Undoes everything that the journal announces, the last change first, and returns what could not be undone. Whether a
 * change has happened is seen on the disk, so that it can be interrupted and repeated. Folders in which a person has
 * worked since stay where they are.
 */
export async function undoChanges({ ground, unsaved }: EndingTools): Promise<readonly LeftItem[]> {
  const left: LeftItem[] = [];
  const kept = new Set<number>();
  for (const entry of ground.journal.entries.toReversed()) {
    if (entry.type === 'folder') await ground.removeEmpty(entry.path);
    if (entry.type === 'aside' && !kept.has(entry.operation))
      await ground.removeAside(nameOf(placesAside(ground, entry.operation).made));
    if (entry.type !== 'move' && entry.type !== 'file') continue;
    const item =
      entry.type === 'file'
        ? await undoFile(ground, entry)
        : entry.to.startsWith(`${ground.aside}/`)
          ? await putBack(ground, entry)
          : await takeAway({ ground, unsaved }, entry);
    if (item === null) continue;
    left.push(item);
    kept.add(entry.operation);
  }
  if (left.length === 0) await removeAll(ground);
  return left;
}

/** Puts a repository back that was taken out of the workspace. */
async function putBack(ground: PlanGround, move: PlanMove): Promise<LeftItem | null> {
  // also one that has replaced it: it is a person's
  const inode = await ground.inodeAt(move.to);
  if (inode === null || (await ground.moveBack({ ...move, inode }))) return null;
  const [there, aside] = [join(ground.root, move.from), join(ground.root, move.to)];
  return {
    problem: `${there} cannot be put back from ${aside}: something else is in its place, or its folder is gone.`,
    command: `mv -nT ${inShell(aside)} ${inShell(there)}`,
  };
}

/** Takes a repository away that was put into the workspace, unless it has something that would be lost. */
async function takeAway({ ground, unsaved }: EndingTools, move: PlanMove): Promise<LeftItem | null> {
  const { from, to, inode } = move;
  const there = join(ground.root, to);
  const look = `git -C ${inShell(there)} status`;
  if ((await ground.inodeAt(to)) === inode) {
    const work = await unsaved(to);
    if (work.length > 0) return { problem: `${there} stays where it is: ${work.join('; ')}.`, command: look };
    if (!(await ground.moveBack(move))) return { problem: `${there} cannot be renamed to ${from}.`, command: look };
  }
  if ((await ground.inodeAt(from)) !== inode) return null;
  // it may have been worked in until it was renamed
  const work = await unsaved(from);
  if (work.length === 0) return null;
  const isBack = await ground.moveBack({ ...move, from: to, to: from });
  const aside = join(ground.root, from);
  return isBack
    ? { problem: `${there} stays where it is: ${work.join('; ')}.`, command: look }
    : {
        problem: `${there} was renamed to ${aside}: ${work.join('; ')}.`,
        command: `mv -nT ${inShell(aside)} ${inShell(there)}`,
      };
}

/**
 * Deletes what the plan has taken away, after its journal says that it is committed. A repository that got something new
 * meanwhile, from a program that had a file of it open, is kept, and so is such a file; the result has the paths of those, also
 * of those that a process before this one has kept.
 */
export async function deleteTaken({ ground, unsaved }: EndingTools): Promise<readonly string[]> {
  for (const entry of ground.journal.entries) {
    if (entry.type === 'file') {
      await keepChanged(ground, entry);
      const around = entry.path.split('/').slice(0, -1).join('/');
      if (entry.after === null && around !== '') await ground.removeEmpty(around);
    }
    if (entry.type !== 'move' || !entry.to.startsWith(`${ground.aside}/`)) continue;
    const inode = await ground.inodeAt(entry.to);
    if (inode !== null) {
      const isSafe = inode === entry.inode && (await unsaved(entry.to)).length === 0;
      // under its new name it is known to be checked, also while it is half deleted
      const to = isSafe
        ? `${ground.aside}/checked-${entry.operation}`
        : `${GRAFT_FOLDER}/kept-${nameOf(entry.from)}-${randomUUID()}`;
      if (!isSafe) await ground.journal.append({ type: 'kept', path: to });
      if (!(await ground.moveBack({ ...entry, inode, from: to })))
        throw new LonghaulError('DiskFailed', `${join(ground.root, entry.to)} cannot be renamed to ${to}.`);
    }
    const around = entry.from.split('/').slice(0, -1);
    for (let count = around.length; count > 0; count--) await ground.removeEmpty(around.slice(0, count).join('/'));
  }
  await removeAll(ground);
  const kept: string[] = [];
  for (const entry of ground.journal.entries) {
    // one that was only announced has another name
    if (entry.type === 'kept' && (await ground.inodeAt(entry.path)) !== null) kept.push(join(ground.root, entry.path));
  }
  return kept;
}

async function removeAll(ground: PlanGround): Promise<void> {
  await ground.removeAside();
  await ground.removeEmpty(`${GRAFT_FOLDER}/aside`);
}

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}
