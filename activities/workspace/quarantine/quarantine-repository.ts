import { lstat, mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { LonghaulError } from '../../../domain/shared/failures.ts';
import type { QuarantineEntry } from '../../../domain/workspace/quarantine.schema.ts';
import { hasCode } from '../../../platform/error-code.ts';
import { inodeOf } from '../../../platform/held-folder.ts';
import { withLock } from '../../../platform/file-lock.ts';
import { sha256, sha256OfFile } from '../../../platform/sha256.ts';
import { removeTemporaries, temporaryPath } from '../../../platform/temporary.ts';
import { syncFolder } from '../../../platform/whole-file.ts';
import { withoutCredentials } from '../../git/clone-url.ts';
import type { Git } from '../../git/git.ts';
import type { WorkTreeOptions } from '../repo-git-state.ts';
import { isKeepable, unsavedWork, type UnsavedWork } from '../unsaved-work.ts';
import { copyPaths, syncFile } from './kept-files.ts';
import {
  BUNDLE,
  isInQuarantine,
  KEPT_FILES,
  KEPT_GIT,
  MANIFEST,
  quarantineFolder,
  STAGED,
} from './quarantine-folder.ts';
import { writeBundle } from './work-bundle.ts';
import { digestOfOthers, privateGit, readWorkState, type WorkState } from './work-state.ts';

/** Files and folders of `.git` that a person may have written, and git needs to work as before. */
const OF_THE_PERSON = ['config', 'info', 'hooks', 'shallow'];

/** Git, and where the quarantine of this host is. */
export interface QuarantineTools {
  readonly git: Git;
  readonly dataDir: string;
  readonly options: WorkTreeOptions;
}

/** A repository of a workspace. */
export interface QuarantinePlace {
  /** The real path of the workspace. */
  readonly root: string;
  /** The folder of the repository in it. */
  readonly path: string;
}

/**
 * Keeps everything that would be lost with a repository in the quarantine of this host: commits and stashes as a bundle of
 * git, what is staged and changed as patches, and changed, untracked and ignored files as they are. The entry is complete
 * and on the disk before it has its name. Nothing in the repository is changed. The same state of the same folder, with the
 * same ignored files, is kept once. Returns the id; null when nothing would be lost. Throws `PlanPreconditionFailed` for what cannot be kept so, such as an
 * operation that waits for its end, and when the repository is changed meanwhile.
 */
export async function quarantineRepository(
  tools: QuarantineTools,
  { root, path }: QuarantinePlace,
  by: string,
): Promise<string | null> {
  const { git, dataDir, options } = tools;
  const folder = join(root, path);
  const work = await unsavedWork(git, folder, options);
  if (work.length === 0) return null;
  refuseUnkeepable(folder, work);
  const state = await readWorkState(git, folder, options);
  const id = await idOf(tools, root, folder, state);
  const all = quarantineFolder(dataDir);
  await mkdir(all, { recursive: true, mode: 0o700 });
  return withLock(
    join(all, 'lock'),
    async () => {
      await removeTemporaries(all);
      if (await isInQuarantine(dataDir, id)) return id;
      const making = temporaryPath(join(all, id));
      try {
        await mkdir(making, { mode: 0o700 });
        await writeEntry(tools, making, { id, root, path, by, work, state });
        const after = await idOf(tools, root, folder, await readWorkState(git, folder, options));
        if (after !== id)
          throw new LonghaulError('PlanPreconditionFailed', `${folder} was changed while it was kept: try again.`);
        await rename(making, join(all, id));
      } catch (error) {
        await rm(making, { recursive: true, force: true });
        throw error;
      }
      await syncFolder(all);
      return id;
    },
    options.signal,
  );
}

/**
 * What would be lost with a repository in this folder and is not in quarantine: {@link unsavedWork}, but nothing where
 * exactly its state is kept, with its ignored files.
 */
export async function unkeptWork(tools: QuarantineTools, root: string, folder: string): Promise<UnsavedWork> {
  const work = await unsavedWork(tools.git, folder, tools.options);
  if (work.length === 0 || !work.every(isKeepable)) return work;
  const id = await idOf(tools, root, folder, await readWorkState(tools.git, folder, tools.options));
  return (await isInQuarantine(tools.dataDir, id)) ? [] : work;
}

/** A repository keeps its inode when it is renamed, so that its entry is found also where it was moved aside. */
async function idOf(
  { git, options }: QuarantineTools,
  root: string,
  folder: string,
  { fingerprint }: WorkState,
): Promise<string> {
  const others = await digestOfOthers(git, folder, options);
  return sha256([root, await inodeOf(folder), fingerprint, others].join('\0')).slice(0, 16);
}

function refuseUnkeepable(folder: string, work: UnsavedWork): void {
  const others = work.filter((each) => !isKeepable(each));
  if (others.length === 0) return;
  throw new LonghaulError(
    'PlanPreconditionFailed',
    `${folder} cannot be kept in quarantine: ${others.join('; ')}. End that first.`,
  );
}

interface NewEntry extends QuarantinePlace, Pick<QuarantineEntry, 'id' | 'by'> {
  readonly work: UnsavedWork;
  readonly state: WorkState;
}

async function writeEntry(
  { git, options }: QuarantineTools,
  making: string,
  { id, root, path, by, work, state }: NewEntry,
): Promise<void> {
  const folder = join(root, path);
  const about = await privateGit(git, folder, options);
  const print = (...args: string[]): Promise<Buffer> => git.run(args, about);
  const names = async (...args: string[]): Promise<string[]> =>
    (await print(...args))
      .toString('utf8')
      .split('\0')
      .filter((name) => name !== '');
  if ((await names('ls-files', '--unmerged', '-z')).length > 0)
    throw new LonghaulError('PlanPreconditionFailed', `${folder} has conflicts: resolve them first.`);
  const files = {
    staged: join(making, STAGED),
    changes: join(making, 'changes.patch'),
    manifest: join(making, MANIFEST),
  };
  const patch = ['--binary', '--full-index', '--no-renames', '--no-ext-diff', '--no-textconv', '--no-color'];
  const fixed = ['--src-prefix=a/', '--dst-prefix=b/', '--ignore-submodules=dirty', ...patch];
  const staged = await print('diff', '--cached', ...fixed);
  await writeFile(files.staged, staged, { flag: 'wx' });
  // for people: what is restored are the files themselves
  await writeFile(files.changes, await print('diff', ...fixed), { flag: 'wx' });
  const others = await names('ls-files', '--others', '-z');
  const { signal } = options;
  const kept = await copyPaths(folder, join(making, KEPT_FILES), [...state.changed, ...others.map(asPath)], signal);
  const ofPerson = await Promise.all(
    OF_THE_PERSON.map(async (name) => ((await lstat(join(folder, '.git', name)).catch(absent)) === null ? [] : [name])),
  );
  await mkdir(join(making, KEPT_GIT));
  await copyPaths(join(folder, '.git'), join(making, KEPT_GIT), ofPerson.flat(), signal);
  const bundle = await writeBundle(git, folder, making, state, signal);
  const origin = await print('config', '--get', 'remote.origin.url').catch(() => null);
  const { head, refs, stashes, changed, fingerprint } = state;
  const entry: QuarantineEntry = {
    version: 1,
    id,
    at: new Date().toISOString(),
    by,
    root,
    path,
    work: [...work],
    fingerprint,
    format: bundle.format,
    origin: origin === null ? null : withoutCredentials(origin.toString('utf8').trim()),
    head,
    refs: [...refs],
    stashes: [...stashes],
    isComplete: bundle.isComplete,
    prerequisites: [...bundle.prerequisites],
    bundle: bundle.isWritten ? await sha256OfFile(join(making, BUNDLE)) : null,
    staged: staged.length === 0 ? null : sha256(staged),
    changed: [...changed],
    files: [...kept],
  };
  await writeFile(files.manifest, `${JSON.stringify(entry, null, 2)}\n`, { flag: 'wx', mode: 0o600 });
  for (const name of await readdir(making, { withFileTypes: true })) {
    if (name.isFile()) await syncFile(join(making, name.name));
  }
  await syncFolder(making);
}

/** `git ls-files` writes a slash at the end of a repository in the repository. */
function asPath(name: string): string {
  return name.replace(/\/$/, '');
}

function absent(error: unknown): null {
  if (hasCode(error, 'ENOENT', 'ENOTDIR')) return null;
  throw error;
}
