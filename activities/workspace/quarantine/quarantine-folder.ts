import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { check, describeIssue } from '../../../domain/shared/check.schema.ts';
import { LonghaulError } from '../../../domain/shared/failures.ts';
import { type QuarantineEntry, quarantineSchema } from '../../../domain/workspace/quarantine.schema.ts';
import { hasCode, messageOf } from '../../../platform/error-code.ts';

/** Files of an entry, next to the folder {@link KEPT_FILES}. */
export const [MANIFEST, BUNDLE, STAGED] = ['manifest.json', 'repository.bundle', 'staged.patch'] as const;
/** The folder with files, at their paths in the repository. */
export const KEPT_FILES = 'files';
/** The folder with files of `.git` that belong to the person: configuration, exclusions, hooks. */
export const KEPT_GIT = 'git';

/** The folder with all entries of this host. */
export function quarantineFolder(dataDir: string): string {
  return join(dataDir, 'quarantine');
}

/** What is in quarantine on this host, the oldest entry first. What cannot be read is named by its folder. */
export async function listQuarantine(
  dataDir: string,
): Promise<{ readonly entries: readonly QuarantineEntry[]; readonly damaged: readonly string[] }> {
  const folder = quarantineFolder(dataDir);
  const names = (await readdir(folder).catch(absent)) ?? [];
  const entries: QuarantineEntry[] = [];
  const broken: string[] = [];
  for (const name of names.filter((each) => /^[0-9a-f]{16}$/.test(each))) {
    const entry = await readEntry(join(folder, name)).catch((error: unknown) => {
      if (!(error instanceof LonghaulError)) throw error;
      return null;
    });
    if (entry === null) broken.push(join(folder, name));
    else entries.push(entry);
  }
  return { entries: entries.toSorted((a, b) => (a.at < b.at ? -1 : 1)), damaged: broken };
}

/** The entry with this id, or with the only id that begins so. Throws `InvalidInput` when there is none, or several. */
export async function findInQuarantine(dataDir: string, id: string): Promise<QuarantineEntry> {
  const { entries } = await listQuarantine(dataDir);
  const [found, other] = id === '' ? [] : entries.filter((entry) => entry.id.startsWith(id));
  if (found !== undefined && other === undefined) return found;
  throw new LonghaulError(
    'InvalidInput',
    `${found === undefined ? 'Nothing' : 'More than one repository'} in quarantine has the id ${id}: \`longhaul workspace quarantine\` lists all.`,
  );
}

/** True when an entry with this id is there: entries are renamed into their place when they are complete. */
export async function isInQuarantine(dataDir: string, id: string): Promise<boolean> {
  return (await stat(join(quarantineFolder(dataDir), id, MANIFEST)).catch(absent)) !== null;
}

async function readEntry(folder: string): Promise<QuarantineEntry> {
  const file = join(folder, MANIFEST);
  const damagedBecause = (why: string): LonghaulError => new LonghaulError('DiskFailed', `${file} is damaged: ${why}.`);
  let value: unknown;
  try {
    value = JSON.parse(await readFile(file, 'utf8'));
  } catch (error) {
    throw damagedBecause(messageOf(error));
  }
  const { data, error } = check(quarantineSchema, value);
  if (error !== undefined) throw damagedBecause(describeIssue(error));
  return data;
}

function absent(error: unknown): null {
  if (hasCode(error, 'ENOENT', 'ENOTDIR')) return null;
  throw error;
}
