import { chmod, mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { execa } from 'execa';

/** Git repositories on the host, as on a server. */
export interface Estate {
  /** The folder that is mounted at `/repos`. */
  readonly folder: string;
  /** Writes and commits files in `org/name`, which is created if it is missing. Returns the commit. */
  commit(name: string, files: Readonly<Record<string, string>>): Promise<string>;
}

/** An estate without repositories in `folder`, which the container's user may read but does not own. */
export async function createEstate(folder: string): Promise<Estate> {
  await mkdir(folder, { recursive: true });
  await chmod(folder, 0o755);
  return {
    folder,
    async commit(name, files) {
      const repository = path.join(folder, name);
      const git = async (...args: string[]): Promise<string> => {
        const identity = ['-c', 'user.name=Test', '-c', 'user.email=test@example.invalid'];
        const env = { GIT_CONFIG_GLOBAL: '/dev/null', GIT_CONFIG_NOSYSTEM: '1' };
        return (await execa('git', [...identity, ...args], { cwd: repository, env })).stdout;
      };
      await mkdir(repository, { recursive: true });
      await git('init', '--quiet', '--initial-branch=main');
      for (const [file, content] of Object.entries(files)) {
        await mkdir(path.dirname(path.join(repository, file)), { recursive: true });
        await writeFile(path.join(repository, file), content);
      }
      await git('add', '--all');
      await git('commit', '--quiet', '--message', 'Change');
      return git('rev-parse', 'HEAD');
    },
  };
}
