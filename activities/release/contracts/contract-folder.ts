import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { LonghaulError } from '../../../domain/shared/failures.ts';
import { hasCode } from '../../../platform/error-code.ts';
import type { ContractFile, ContractFolder } from './contracts.ts';

/** Folders with contracts, ours first. */
export const CONTRACT_FOLDERS = ['.longhaul', '.gryt'] as const;

/** The folders in a contract folder that are read, and the contract folder itself. */
const READ = ['', 'generations', 'pipelines'];

/** Contracts are small; more than this in one folder is a mistake. */
const MOST_FILES = 5_000;

/**
 * The contract files in a working folder as they are on disk. Throws `InvalidConfiguration` when the folder has none, or
 * has both `.longhaul` and `.gryt`.
 */
export async function readContractFolder(root: string): Promise<ContractFolder> {
  const present: string[] = [];
  for (const folder of CONTRACT_FOLDERS) if (await isFolder(join(root, folder))) present.push(folder);
  const [name, other] = present;
  if (name === undefined) {
    throw invalid(
      `There are no contracts in ${root}: make a folder ${CONTRACT_FOLDERS.join(' or ')} there, or name another one.`,
    );
  }
  if (other !== undefined) throw invalid(`${root} has ${name} and ${other}: keep one of the two.`);
  const files: ContractFile[] = [];
  for (const folder of READ) {
    for (const file of await filesIn(join(root, name, folder))) {
      if (files.length === MOST_FILES) throw invalid(`${join(root, name)} has more than ${MOST_FILES} files.`);
      files.push({ path: join(folder, file), text: await readFile(join(root, name, folder, file), 'utf8') });
    }
  }
  return { name, files };
}

async function isFolder(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory();
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return false;
    throw error;
  }
}

/** The names of the YAML files in a folder, in order; none when it is not there. */
async function filesIn(path: string): Promise<string[]> {
  try {
    const entries = await readdir(path, { withFileTypes: true });
    return entries
      .filter((entry) => entry.isFile() && /\.ya?ml$/.test(entry.name))
      .map(({ name }) => name)
      .toSorted();
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return [];
    throw error;
  }
}

function invalid(message: string): LonghaulError {
  return new LonghaulError('InvalidConfiguration', message);
}
