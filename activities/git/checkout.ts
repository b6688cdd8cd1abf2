import { existsSync } from 'node:fs';
import { constants, copyFile, mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { Readable } from 'node:stream';
import { hasCode } from '../../platform/error-code.ts';
import { temporaryPath } from '../../platform/temporary.ts';
import { createBareRepository, type Git, type ObjectFormat } from './git.ts';

/** A packed commit, unpacked on this disk: a repository without work tree, which many checkouts read. */
export interface UnpackedCommit {
  /** The repository. */
  readonly path: string;
  readonly commit: string;
}

/** What errors name, and what ends git. */
export interface CheckoutOptions {
  readonly about: string;
  /** Ends git. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Unpacks a commit from its pack into `path`, unless it is there. If the process is killed, the next call starts anew:
 * the folder appears when it is complete.
 */
export async function unpackCommit(
  git: Git,
  path: string,
  commit: string,
  openPack: () => Promise<Readable>,
  options: CheckoutOptions,
): Promise<UnpackedCommit> {
  if (existsSync(path)) return { path, commit };
  const making = temporaryPath(path);
  try {
    await createBareRepository(making, formatOf(commit));
    const child = await git.start(['index-pack', '--stdin'], { ...options, gitDir: making });
    child.stdout.resume();
    const fed = pipeline(await openPack(), child.stdin).catch((error: unknown) => {
      // git ends after the last byte of the pack, often before this process has closed the pipe
      if (!hasCode(error, 'ERR_STREAM_PREMATURE_CLOSE', 'EPIPE')) throw error;
    });
    await Promise.all([fed, child.ended]);
    await writeFile(join(making, 'HEAD'), `${commit}\n`);
    // git takes a commit without its parents for damaged, unless it is marked as the end of the history
    await writeFile(join(making, 'shallow'), `${commit}\n`);
    await rename(making, path).catch((error: unknown) => {
      if (!existsSync(path)) throw error;
    });
    return { path, commit };
  } finally {
    await rm(making, { recursive: true, force: true });
  }
}

/**
 * Makes `folder`, which must not exist, a work tree of exactly this commit, with a repository of its own: nothing that
 * programs do in it reaches other checkouts. HEAD is detached, there are no remotes, and no filter, hook or other
 * program of a configuration runs.
 */
export async function checkOut(
  git: Git,
  { path, commit }: UnpackedCommit,
  folder: string,
  options: CheckoutOptions,
): Promise<void> {
  const gitDir = join(folder, '.git');
  const packs = join('objects', 'pack');
  await mkdir(join(gitDir, packs), { recursive: true });
  await mkdir(join(gitDir, 'refs'));
  const files = ['HEAD', 'shallow', ...(await readdir(join(path, packs))).map((name) => join(packs, name))];
  // copies, not links: a program may change them
  await Promise.all(files.map((name) => copyFile(join(path, name), join(gitDir, name), constants.COPYFILE_FICLONE)));
  await writeFile(join(gitDir, 'config'), configuration(formatOf(commit)));
  await git.run(['read-tree', '--reset', '-u', commit], {
    ...options,
    gitDir,
    workTree: folder,
    indexFile: join(gitDir, 'index'),
  });
}

function configuration(format: ObjectFormat): string {
  const core =
    `[core]\n\trepositoryformatversion = ${format === 'sha1' ? 0 : 1}\n\tbare = false\n\tfilemode = true\n` +
    // git would take copied files, and those given to another user, for changed: inode, owner and change time differ
    '\ttrustctime = false\n\tcheckStat = minimal\n';
  return format === 'sha1' ? core : `${core}[extensions]\n\tobjectFormat = sha256\n`;
}

function formatOf(commit: string): ObjectFormat {
  return commit.length === 40 ? 'sha1' : 'sha256';
}
