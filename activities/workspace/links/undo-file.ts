import { randomUUID } from 'node:crypto';
import { reverseEdit } from '../../../domain/workspace/links/file-edit.ts';
import { LonghaulError } from '../../../domain/shared/failures.ts';
import { hasCode } from '../../../platform/error-code.ts';
import { inShell, type LeftItem } from '../left-item.ts';
import type { PlanGround } from '../plan-ground.ts';
import type { PlanFileChange } from '../plan-journal.ts';
import { GRAFT_FOLDER } from '../workspace-lock.ts';
import { oldName, placeFile, readGroundFile, renameFile, writeAside } from './change-file.ts';

/**
 * Undoes the change of a file. One that has exactly the bytes of the plan gives way to the file that was there, the same
 * one; in one that has changed since only the edit of the plan is reversed. Where the edit itself was changed, the file
 * stays, and the result says so. Can be interrupted and repeated: each step is seen on the disk.
 */
export async function undoFile(ground: PlanGround, change: PlanFileChange): Promise<LeftItem | null> {
  try {
    return await undo(ground, change);
  } catch (error) {
    // a link, a folder or a pipe in its place is a person's
    if (!(error instanceof LonghaulError) || error.type !== 'PlanPreconditionFailed') throw error;
    return left(ground, change, error.message);
  }
}

async function undo(ground: PlanGround, change: PlanFileChange): Promise<LeftItem | null> {
  const { operation, at, path, before, after, edit } = change;
  const old = oldName(ground, operation, at);
  const name = `file-${operation}-${at}.undo`;
  const hand = `${ground.aside}/${name}`;
  const [there, taken] = [await readGroundFile(ground, path), await readGroundFile(ground, hand)];
  if (there !== null && there.inode === before?.inode) return null;
  const isOldAside = before !== null && (await ground.inodeAt(old)) === before.inode;
  const putBack = async (from: string): Promise<LeftItem | null> =>
    (await placeFile(ground, from, path))
      ? null
      : left(ground, change, `There is something at ${ground.root}/${path}, which is not what was there before.`);

  const current = taken ?? there;
  // taken away by the plan, or by a person
  if (current === null) return isOldAside ? putBack(old) : null;
  const isOurs = current.inode === after?.inode && current.sha256 === after.sha256;
  const reversed = isOurs ? null : reverseEdit(edit, current.text);
  if (reversed !== null && 'problem' in reversed) {
    if (taken !== null && there === null) await putBack(hand);
    return left(ground, change, `${ground.root}/${path} ${reversed.problem}.`);
  }
  if (taken !== null) {
    // the file that was made instead is there already
    if (reversed === null) return isOldAside ? putBack(old) : null;
    // a file of a person, where there was none before
    if (reversed.text === null || there?.text === reversed.text) return null;
    await writeAside(ground, `${name}.new`, reversed.text, current);
    return putBack(`${hand}.new`);
  }
  if (reversed !== null && reversed.text === current.text) return null;
  await renameFile(ground, path, hand);
  // what is in hand now is what a person may have changed until then
  return undo(ground, change);
}

function left(ground: PlanGround, { operation, at, path }: PlanFileChange, problem: string): LeftItem {
  const old = `${ground.root}/${oldName(ground, operation, at)}`;
  return {
    problem: `${problem} What was there before, if anything, is ${old}.`,
    command: `diff ${inShell(old)} ${inShell(`${ground.root}/${path}`)}`,
  };
}

/**
 * Looks at a file that a committed plan has renamed aside, before it is deleted: one that got other bytes meanwhile, from a
 * program that had it open, is kept, and the journal says where.
 */
export async function keepChanged(ground: PlanGround, change: PlanFileChange): Promise<void> {
  const { operation, at, path, before } = change;
  const old = oldName(ground, operation, at);
  const inode = before === null ? null : await ground.inodeAt(old);
  if (before === null || inode === null || (await digestOf(ground, old)) === before.sha256) return;
  const kept = `${GRAFT_FOLDER}/kept-${path.replaceAll('/', '-')}-${randomUUID()}`;
  await ground.journal.append({ type: 'kept', path: kept });
  await renameFile(ground, old, kept);
}

/** SHA-256 of a file; null for one that cannot be read as text, and so is not as a plan has left it. */
async function digestOf(ground: PlanGround, path: string): Promise<string | null> {
  try {
    return (await readGroundFile(ground, path))?.sha256 ?? null;
  } catch (error) {
    // a plan that is committed must come to its end
    const isOther = error instanceof LonghaulError && error.type === 'PlanPreconditionFailed';
    if (isOther || hasCode(error, 'EACCES', 'EPERM')) return null;
    throw error;
  }
}
