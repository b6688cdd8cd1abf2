import { mkdtemp, rm, statfs, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';

/** A separate disk that can be filled. */
export interface SmallDisk {
  readonly folder: string;
  /** Leaves so many bytes free. */
  fill(free: number): Promise<void>;
  /** Gives the space back. */
  empty(): Promise<void>;
  dispose(): Promise<void>;
}

/** Mounts a disk of 64 MB in memory. Throws when this process may not mount, which a full disk requires. */
export async function mountSmallDisk(): Promise<SmallDisk> {
  const folder = await mkdtemp(join(tmpdir(), 'longhaul-disk-'));
  const ballast = join(folder, 'ballast');
  await execa('mount', ['-t', 'tmpfs', '-o', 'size=64m', 'tmpfs', folder]).catch((error: unknown) => {
    throw new Error('These tests fill a disk: run them where a tmpfs may be mounted (root, CAP_SYS_ADMIN).', {
      cause: error,
    });
  });
  return {
    folder,
    async fill(free) {
      const { bavail, bsize } = await statfs(folder);
      await writeFile(ballast, Buffer.alloc(Math.max(0, bavail * bsize - free), 1));
    },
    empty: () => truncate(ballast),
    async dispose() {
      await execa('umount', [folder]);
      await rm(folder, { recursive: true });
    },
  };
}
