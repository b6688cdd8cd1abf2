import { link, mkdir, open, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { removeTemporaries, temporaryPath } from '../../platform/temporary.ts';
import { syncFolder } from '../../platform/whole-file.ts';
import type { Objects } from './objects.ts';

/**
 * Objects as files in a folder. A file gets its name only when it is complete and on the disk. A killed process or a
 * power failure leaves a temporary file, which the next write in that folder removes.
 */
export function createFolderObjects(root: string): Objects {
  const pathOf = (name: string): string => join(root, name);

  async function* listFolder(folder: string): AsyncGenerator<string, void> {
    const entries = await readdir(pathOf(folder), { withFileTypes: true }).catch(unlessMissing([]));
    const names = entries.map((entry) => (entry.isDirectory() ? `${entry.name}/` : entry.name)).sort();
    for (const name of names) {
      if (name.endsWith('/')) yield* listFolder(folder + name);
      else if (!name.includes('.tmp-')) yield folder + name;
    }
  }

  return {
    place: `the folder ${root}`,
    async putFile(name, file) {
      const path = pathOf(name);
      await makeFolder(dirname(path));
      await rename(file, path);
      await syncFolder(dirname(path));
    },
    async create(name, content) {
      const path = pathOf(name);
      await makeFolder(dirname(path));
      const writing = temporaryPath(path);
      try {
        await writeFile(writing, content, { flag: 'wx', mode: 0o600, flush: true });
        await link(writing, path);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
        throw error;
      } finally {
        await rm(writing, { force: true });
      }
      await syncFolder(dirname(path));
      return true;
    },
    async open(name) {
      const file = await open(pathOf(name)).catch(unlessMissing(null));
      return file && file.createReadStream();
    },
    has: async (name) => (await stat(pathOf(name)).catch(unlessMissing(null))) !== null,
    list: listFolder,
    delete: (name) => rm(pathOf(name), { force: true }),
  };
}

async function makeFolder(path: string): Promise<void> {
  const made = await mkdir(path, { recursive: true, mode: 0o700 });
  if (made !== undefined) await syncFolder(dirname(made));
  await removeTemporaries(path);
}

function unlessMissing<Value>(value: Value): (error: NodeJS.ErrnoException) => Value {
  return (error) => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return value;
    throw error;
  };
}
