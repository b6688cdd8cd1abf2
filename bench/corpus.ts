import { readdir, readFile } from 'node:fs/promises';
import { dirname, join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { commitHeader, fileHeader, importRepository } from '../examples/git.ts';
import type { RepositoryAddress } from '../domain/git/repository.ts';

/** Dependencies of this project that publish their TypeScript sources: real code available in every checkout. */
const PACKAGES = [
  '@temporalio/client',
  '@temporalio/common',
  '@temporalio/core-bridge',
  '@temporalio/worker',
  '@temporalio/workflow',
  'rxjs',
  'zod',
];
const CODE = /\.(?:js|mjs|cjs|ts|mts|cts|tsx|jsx|c|h|cc|py|go|rs|rb|java|sh)$/;
const MODULES = fileURLToPath(new URL('../node_modules', import.meta.url));

/** Source files of every package that this project depends on, always in the same order. */
export async function realFiles(): Promise<string[]> {
  const entries = await readdir(MODULES, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile() && CODE.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name))
    .toSorted();
}

/** Creates a bare repository below `root` from each package's sources, with one commit each. */
export async function makeCorpus(root: string, signal: AbortSignal): Promise<RepositoryAddress[]> {
  const made: RepositoryAddress[] = [];
  for (const name of PACKAGES) {
    signal.throwIfAborted();
    const path = name.startsWith('@') ? name.slice(1) : `${name}/${name}`;
    const gitDir = join(root, `${path}.git`);
    await importRepository(gitDir, await sourcesOf(join(MODULES, name, 'src')), signal);
    made.push({ id: `local/${path}`, cloneUrl: gitDir });
  }
  return made;
}

async function sourcesOf(folder: string): Promise<(string | Uint8Array)[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const paths = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  const header = { ref: 'refs/heads/main', mark: 1, message: 'sources\n', time: 1_700_000_000, parents: [] };
  const commands: (string | Uint8Array)[] = [commitHeader(header)];
  for (const path of paths.toSorted()) {
    const content = await readFile(path);
    const name = relative(dirname(folder), path).split(sep).join('/');
    commands.push(fileHeader('100644', name, content.length), content, '\n');
  }
  return commands;
}
