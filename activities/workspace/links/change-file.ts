import { constants } from 'node:fs';
import { link, open, rename } from 'node:fs/promises';
import { LonghaulError } from '../../../domain/shared/failures.ts';
import { applyEdit, type FileEdit } from '../../../domain/workspace/links/file-edit.ts';
import { hasCode } from '../../../platform/error-code.ts';
import { sha256 } from '../../../platform/sha256.ts';
import type { PlanGround } from '../plan-ground.ts';
import type { FileIdentity, PlanFileChange } from '../plan-journal.ts';

/** A text file of the workspace. */
export interface GroundFile extends FileIdentity {
  readonly text: string;
  /** Its permissions. */
  readonly mode: number;
}

const LARGEST_BYTES = 1_000_000;

/**
 * Makes an edit in a file of the workspace, which may depend on its text (null: no file); does nothing where the file has
 * it. The new bytes are made aside, the file that
 * is there is renamed aside, and the new one takes a place in which nothing is: bytes of a person are never written over.
 * Goes on with what a process before this one has announced. Throws `PlanPreconditionFailed` when the file is not ours, or
 * is changed meanwhile.
 */
export async function changeFile(
  ground: PlanGround,
  operation: number,
  path: string,
  editOf: (text: string | null) => FileEdit,
): Promise<void> {
  const announced = ground.journal.entries.filter(
    (entry) => entry.type === 'file' && entry.operation === operation && entry.path === path,
  );
  for (const entry of announced) if (entry.type === 'file') await makeChange(ground, entry);
  const before = await readGroundFile(ground, path);
  const edit = editOf(before?.text ?? null);
  const edited = applyEdit(edit, before?.text ?? null);
  if ('problem' in edited) throw refusal(`${ground.root}/${path} ${edited.problem}.`);
  if (edited.text === (before?.text ?? null)) return;
  const at = ground.journal.entries.filter((entry) => entry.type === 'file' && entry.operation === operation).length;
  const after = edited.text === null ? null : await writeAside(ground, newName(operation, at), edited.text, before);
  await ground.makeFoldersAround(operation, path);
  const identity = before === null ? null : { inode: before.inode, sha256: before.sha256 };
  const change: PlanFileChange = { type: 'file', operation, at, path, before: identity, after, edit };
  await ground.journal.append(change);
  await makeChange(ground, change);
}

/** Makes what a journal has announced, as far as it was not made. */
async function makeChange(ground: PlanGround, { operation, at, path, before, after }: PlanFileChange): Promise<void> {
  const place = `${ground.root}/${path}`;
  if (before !== null && (await ground.inodeAt(path)) === before.inode) {
    const old = oldName(ground, operation, at);
    await renameFile(ground, path, old);
    const taken = await readGroundFile(ground, old);
    if (taken?.inode !== before.inode || taken.sha256 !== before.sha256) {
      const isBack = await placeFile(ground, old, path);
      throw refusal(`${place} was changed meanwhile${isBack ? '' : `: it is at ${ground.root}/${old} now`}.`);
    }
  }
  if (after === null || (await ground.inodeAt(path)) === after.inode) return;
  const made = `${ground.aside}/${newName(operation, at)}`;
  if ((await ground.inodeAt(made)) !== after.inode) throw refusal(`${ground.root}/${made} is not there any more.`);
  if (!(await placeFile(ground, made, path))) throw refusal(`There is something at ${place}.`);
}

/** Where the file is that a change has renamed aside. */
export function oldName({ aside }: Pick<PlanGround, 'aside'>, operation: number, at: number): string {
  return `${aside}/file-${operation}-${at}.old`;
}

function newName(operation: number, at: number): string {
  return `file-${operation}-${at}.new`;
}

/**
 * The text file at a path of the workspace; null when nothing is there. Throws `PlanPreconditionFailed` when it is something
 * else than a file with at most a megabyte of text.
 */
export async function readGroundFile(ground: PlanGround, path: string): Promise<GroundFile | null> {
  const place = `${ground.root}/${path}`;
  try {
    return await ground.inFolderOf(path, async (folder, name) => {
      const file = await open(folder.at(name), constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
      try {
        const info = await file.stat({ bigint: true });
        if (!info.isFile() || info.size > LARGEST_BYTES) throw refusal(`${place} is no file with text.`);
        const bytes = await file.readFile();
        const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
        const mode = Number(info.mode) & 0o777;
        return { text, mode, inode: `${info.dev}:${info.ino}`, sha256: sha256(bytes) };
      } finally {
        await file.close();
      }
    });
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return null;
    if (hasCode(error, 'ELOOP', 'ENXIO', 'EISDIR') || error instanceof TypeError)
      throw refusal(`${place} is no file with text.`, error);
    throw error;
  }
}

/** Writes a new file aside, with the permissions of the one that it replaces, on the disk before this returns. */
export async function writeAside(
  ground: PlanGround,
  name: string,
  text: string,
  like: Pick<GroundFile, 'mode'> | null,
): Promise<FileIdentity> {
  const path = `${ground.aside}/${name}`;
  // one that was not announced was never in its place
  await ground.removeAside(name);
  await ground.inFolderOf(path, async (folder, last) => {
    const file = await open(folder.at(last), 'wx', 0o666);
    try {
      await file.writeFile(text);
      if (like !== null) await file.chmod(like.mode);
      await file.sync();
    } finally {
      await file.close();
    }
    await folder.sync();
  });
  return { inode: (await ground.inodeAt(path)) ?? '', sha256: sha256(text) };
}

/** Renames a file to a place in which nothing is, because only this process writes there. */
export async function renameFile(ground: PlanGround, from: string, to: string): Promise<void> {
  await ground.inFolderOf(from, (source, name) =>
    ground.inFolderOf(to, async (target, other) => {
      await rename(source.at(name), target.at(other));
      await Promise.all([source.sync(), target.sync()]);
    }),
  );
}

/** Gives a file aside its place, too; false when something is there. A rename would replace that. */
export async function placeFile(ground: PlanGround, from: string, to: string): Promise<boolean> {
  try {
    await ground.inFolderOf(from, (source, name) =>
      ground.inFolderOf(to, async (target, other) => {
        await link(source.at(name), target.at(other));
        await target.sync();
      }),
    );
    return true;
  } catch (error) {
    if (hasCode(error, 'EEXIST')) return false;
    throw error;
  }
}

function refusal(why: string, cause?: unknown): LonghaulError {
  return new LonghaulError('PlanPreconditionFailed', why, { cause });
}
